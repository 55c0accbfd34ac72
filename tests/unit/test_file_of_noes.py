"""The file of noes: sealed, appended, whole or closed, read on from where it was."""

import base64
import os
import secrets
import tempfile
import threading
import time
from pathlib import Path

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrage import x25519

from common import keysources
from common.errors import NotReady
from governance import storage
from governance.queries import noes
from governance.storage import HEADER_SIZE, NoesFile, View

IDENTITY = x25519.Identity.generate()


def mark() -> bytes:
    return secrets.token_bytes(16)


@pytest.fixture
def file(tmp_path) -> NoesFile:
    return NoesFile(tmp_path / "noes")


def append(file: NoesFile, *facts: bytes) -> list[bytes]:
    pairs = [(mark(), each) for each in facts]
    file.append(pairs, IDENTITY.to_public)
    return [one for one, _ in pairs]


def seen(file: NoesFile, view: View | None = None) -> View:
    found = view or View()
    file.refresh(found)
    return found


def opened(file: NoesFile) -> list[bytes]:
    view = seen(file)
    return [facts for _, facts in file.opened(list(view.marks), view, [IDENTITY])]


def test_what_was_appended_is_read_in_its_order(file):
    marks = append(file, b"one") + append(file, b"two", b"three" * 1000)
    assert list(seen(file).marks) == marks
    assert opened(file) == [b"one", b"two", b"three" * 1000]
    assert oct(file.path.stat().st_mode)[-3:] == "600"


def test_a_file_that_has_not_changed_is_not_read_again_and_one_that_has_is(file, monkeypatch):
    monkeypatch.setattr(keysources, "SETTLES", 0)
    marks = append(file, b"one")
    view = seen(file)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "_name", lambda _: 1 / 0)
        seen(file, view)
    marks += append(file, b"two")
    assert list(seen(file, view).marks) == marks
    with file.path.open("r+b") as held:
        held.write(b"no file of noes at all")
    with pytest.raises(NotReady):
        seen(file, view)


def test_a_thief_reads_nothing_and_lengths_do_not_tell(file):
    append(file, b"river-maple-41 stops", b"x")
    text = file.path.read_bytes()
    assert b"river" not in text
    first, second = (base64.b64decode(line.split()[2]) for line in text.splitlines()[1:])
    clear = [pyrage.decrypt(sealed, [IDENTITY]) for sealed in (first, second)]
    assert len(clear[0]) == len(clear[1])  # and the format itself adds a random length
    view = seen(file)
    with pytest.raises(NotReady) as refusal:
        list(file.opened(list(view.marks), view, [x25519.Identity.generate()]))
    assert refusal.value.code == "noes_sealed"


def test_a_reader_goes_on_from_where_it_was_and_starts_anew_with_another_file(file):
    view = View()
    append(file, b"one")
    seen(file, view)
    read = view.offset
    append(file, b"two")
    seen(file, view)
    assert (len(view.marks), view.offset > read) == (2, True)
    file.path.unlink()
    assert not seen(file, view).marks
    append(file, b"three", b"four", b"five")
    assert len(seen(file, view).marks) == 3


@given(st.integers(1, 2000))
def test_a_line_that_a_crash_cut_off_is_closed_and_hides_no_other(cut):
    with tempfile.TemporaryDirectory() as folder:
        file = NoesFile(Path(folder))
        append(file, b"before")
        whole = file.path.stat().st_size
        append(file, b"torn")
        os.truncate(file.path, max(whole, file.path.stat().st_size - cut))
        assert seen(file).damaged == 0
        append(file, b"after")
        view = seen(file)
        assert view.damaged == 0
        assert opened(file) in ([b"before", b"after"], [b"before", b"torn", b"after"])


@pytest.mark.parametrize("size", [0, 1, HEADER_SIZE - 1])
def test_a_first_line_that_was_cut_off_is_begun_anew(file, size):
    append(file, b"gone")
    os.truncate(file.path, size)
    append(file, b"one")
    assert opened(file) == [b"one"]


@given(st.integers(0, 400), st.integers(1, 255))
def test_a_line_that_was_altered_is_seen(place, change):
    with tempfile.TemporaryDirectory() as folder:
        file = NoesFile(Path(folder))
        append(file, b"one")
        append(file, b"two")
        data = bytearray(file.path.read_bytes())
        at = HEADER_SIZE + place
        if data[at] == data[at] ^ change or (data[at] ^ change) in b"~\n" or data[at] in b"\n":
            return
        data[at] ^= change
        file.path.write_bytes(data)
        assert seen(file).damaged == 1


def test_another_file_is_not_taken_for_it_and_a_full_disk_says_so(file, tmp_path):
    file.folder.mkdir()
    file.path.write_bytes(b"something else that is long enough to hold a header\n")
    for deed in (lambda: seen(file), lambda: append(file, b"one")):
        with pytest.raises((NotReady, ValueError)):
            deed()
    blocked = NoesFile(tmp_path / "noes" / "noes.sealed")  # a folder where a file is
    with pytest.raises(NotReady) as refusal:
        append(blocked, b"one")
    assert refusal.value.code == "noes_unwritable"


def test_the_seal_is_the_age_format(file):
    append(file, b"one")
    sealed = base64.b64decode(file.path.read_bytes().splitlines()[1].split()[2])
    assert sealed.startswith(b"age-encryption.org/v1")
    assert pyrage.decrypt(sealed, [IDENTITY])[4:7] == b"one"


def test_threads_that_read_on_at_once_count_nothing_twice(file, settings, monkeypatch):
    settings.SAYSO_NOES = file.folder
    take = storage._take

    def slowly(line: bytes, view: View) -> None:
        time.sleep(0.001)  # somebody else's turn
        take(line, view)

    monkeypatch.setattr(storage, "_take", slowly)
    noes._views.clear()
    made: list[bytes] = []
    for _ in range(6):
        made += append(file, *(b"facts" for _ in range(9)))
        together, read_to = threading.Barrier(6), list[int]()

        def read(together: threading.Barrier = together, read_to: list[int] = read_to) -> None:
            together.wait()
            read_to.append(noes.view().offset)

        threads = [threading.Thread(target=read) for _ in range(6)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert read_to == [file.path.stat().st_size] * 6
        found = noes.view()
        assert list(found.marks) == made
        assert (found.damaged, found.offset) == (0, file.path.stat().st_size)
    noes._views.clear()


def test_a_file_that_was_damaged_or_changed_for_another_is_read_from_its_beginning(file):
    first = append(file, b"one", b"two")
    whole = file.path.read_bytes()
    view = View()
    file.path.write_bytes(whole + b"no damaged\n")
    assert seen(file, view).damaged == 1
    file.path.write_bytes(whole + whole.split(b"\n")[-2] + b"\n")  # put right, and longer
    assert (seen(file, view).damaged, list(view.marks)) == (0, first)
    other = file.path.with_name("other")
    other.write_bytes(b"\n".join([*whole.split(b"\n")[:2], b"~" * 4000, b""]))
    other.rename(file.path)  # the same name in its first line, one no less, and longer
    assert list(seen(file, view).marks) == first[:1]


def test_what_leads_to_a_shredded_person_is_written_anew_and_every_other_line_stays(file):
    first, hers, last = (append(file, facts)[0] for facts in (b"one", b"hers" * 400, b"three"))
    view = seen(file)
    before = file.path.read_bytes().splitlines()
    assert file.rewrite([(hers, b"wiped")], IDENTITY.to_public) == 1
    after = file.path.read_bytes().splitlines()
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, True, False, True]
    assert list(seen(file, view).marks) == [first, hers, last]  # whoever had read it reads it anew
    assert opened(file) == [b"one", b"wiped", b"three"]
    assert oct(file.path.stat().st_mode)[-3:] == "600"
    assert file.rewrite([(mark(), b"nobody's")], IDENTITY.to_public) == 0
    assert list(file.folder.iterdir()) == [file.path]


def test_a_no_said_while_the_file_is_written_anew_is_not_lost(file):
    hers = append(file, b"hers")[0]
    said: list[bytes] = []
    going = threading.Event()

    def say() -> None:
        while not going.is_set() or len(said) < 40:
            said.extend(append(file, b"no"))

    voices = [threading.Thread(target=say) for _ in range(3)]
    for voice in voices:
        voice.start()
    for _ in range(20):
        file.rewrite([(hers, b"wiped")], IDENTITY.to_public)
    going.set()
    for voice in voices:
        voice.join()
    assert set(seen(file).marks) == {hers, *said}


def test_a_disk_that_does_not_take_the_new_file_changes_nothing(file, monkeypatch):
    hers = append(file, b"hers")[0]
    before = file.path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(storage.os, "fsync", full)
    with pytest.raises(NotReady):
        file.rewrite([(hers, b"wiped")], IDENTITY.to_public)
    assert file.path.read_bytes() == before
    assert list(file.folder.iterdir()) == [file.path]


def test_every_no_is_sealed_to_a_new_identity_and_keeps_its_place(file):
    newest = x25519.Identity.generate()
    marks = append(file, b"one", b"two" * 900)
    file.append([(mark(), b"newer")], newest.to_public)
    with file.path.open("ab") as tail:
        tail.write(b"no cut off")
    before = file.path.read_bytes().splitlines()
    assert file.seal_anew(newest, [IDENTITY]) == 2
    after = file.path.read_bytes().splitlines()
    assert [old == new for old, new in zip(before, after, strict=True)] == [
        True, False, False, True, True,
    ]  # fmt: skip
    view = seen(file)
    assert list(view.marks)[:2] == marks
    told = [facts for _, facts in file.opened(list(view.marks), view, [newest])]
    assert told == [b"one", b"two" * 900, b"newer"]
    assert oct(file.path.stat().st_mode)[-3:] == "600"
    assert list(file.folder.iterdir()) == [file.path]


def test_a_no_that_no_identity_opens_leaves_the_file_as_it_was(file):
    append(file, b"one")
    before = file.path.read_bytes()
    with pytest.raises(NotReady, match="does not open"):
        file.seal_anew(x25519.Identity.generate(), [x25519.Identity.generate()])
    assert file.path.read_bytes() == before
    assert list(file.folder.iterdir()) == [file.path]


def test_no_no_that_is_said_while_the_identity_is_rotated_is_left_to_the_former(file):
    """Whoever sealed to the former key and had to wait for the file seals again to the newest."""
    identities = [IDENTITY]
    append(file, b"first")
    going = threading.Event()
    said: list[bytes] = []

    def say() -> None:
        while not going.is_set():
            one = mark()
            file.append([(one, b"no")], lambda: identities[0].to_public())
            said.append(one)

    voices = [threading.Thread(target=say) for _ in range(3)]
    for voice in voices:
        voice.start()
    for _ in range(15):
        identities.insert(0, x25519.Identity.generate())
        file.seal_anew(identities[0], identities[1:])
    going.set()
    for voice in voices:
        voice.join()
    view = seen(file)
    assert set(said) < set(view.marks)
    assert len(list(file.opened(list(view.marks), view, identities[:1]))) == len(said) + 1


def test_a_file_that_is_replaced_while_it_is_sealed_anew_is_sealed_from_its_beginning(
    file, monkeypatch
):
    hers, last = append(file, b"hers"), append(file, b"last")
    newest, times = x25519.Identity.generate(), []
    copy = storage._copy_anew

    def replaced(*given):
        times.append(1)
        if len(times) == 1:  # the copy is made, and now somebody is shredded
            done = copy(*given)
            file.rewrite([(hers[0], b"wiped")], IDENTITY.to_public)
            return done
        return copy(*given)

    monkeypatch.setattr(storage, "_copy_anew", replaced)
    assert file.seal_anew(newest, [IDENTITY]) == 2
    view = seen(file)
    assert [facts for _, facts in file.opened([*hers, *last], view, [newest])] == [
        b"wiped", b"last",
    ]  # fmt: skip


def test_there_may_be_no_file_to_seal_anew(file):
    assert file.seal_anew(x25519.Identity.generate(), [IDENTITY]) == 0
