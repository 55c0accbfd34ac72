"""The file of noes: sealed, appended, whole or closed, read on from where it was."""

import base64
import os
import secrets
import tempfile
from pathlib import Path

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrage import x25519

from common.errors import NotReady
from governance.storage import HEADER_SIZE, NoesFile, View

IDENTITY = x25519.Identity.generate()


def mark() -> bytes:
    return secrets.token_bytes(16)


@pytest.fixture
def file(tmp_path) -> NoesFile:
    return NoesFile(tmp_path / "noes")


def append(file: NoesFile, *facts: bytes) -> list[bytes]:
    pairs = [(mark(), each) for each in facts]
    file.append(pairs, IDENTITY.to_public())
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
