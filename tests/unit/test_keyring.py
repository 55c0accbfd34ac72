"""The key ring: one key-encryption key for each name, from a file, the environment or an agent."""

import base64
import json
import os
import secrets
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrage import x25519

from common import keyfiles, keysources
from common.errors import NotReady
from common.keyring import KeyRing

RIVER, DELTA = "org-river", "org-delta"
AGENT = """
import base64, json, sys, time
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
asked = json.loads(sys.stdin.readline())
open({log!r}, "a").write(asked["do"] + "\\n")
{first}
data, key = base64.b64decode(asked["data"]), AESGCM(b"k" * 32)
answer = key.encrypt(b"n" * 12, data, asked["name"].encode()) if asked["do"] == "wrap" else \\
    key.decrypt(b"n" * 12, data, asked["name"].encode())
print(json.dumps({{"data": base64.b64encode(answer).decode()}}))
"""


@pytest.fixture
def ring(tmp_path) -> KeyRing:
    ring = KeyRing(tmp_path / "keys")
    ring.install(RIVER)
    ring.install(DELTA)
    return ring


def refused(deed, code: str) -> str:
    with pytest.raises(NotReady) as refusal:
        deed()
    assert refusal.value.code == code
    return refusal.value.message


def sources(ring: KeyRing, **given: object) -> None:
    ring.folder.mkdir(exist_ok=True, mode=0o700)
    path = ring.folder / "sources.json"
    path.write_text(json.dumps(given))
    path.chmod(0o600)


def agent(ring: KeyRing, first: str = "", **times: float) -> Path:
    """A key agent of River's, as an agency could write it; gives the file of what it was asked."""
    ring.folder.mkdir(exist_ok=True, mode=0o700)
    program, log = ring.folder.parent / "agent.py", ring.folder.parent / "asked"
    program.write_text(textwrap.dedent(AGENT.format(log=str(log), first=first)))
    sources(ring, **{RIVER: {"command": [sys.executable, str(program)], **times}})
    return log


def everything(ring: KeyRing) -> bytes:
    return b"".join(path.read_bytes() for path in ring.folder.iterdir())


def test_each_organisation_has_keys_of_its_own_and_the_service_too(ring):
    assert ring.root(RIVER) == ring.root(RIVER) != ring.root(DELTA)
    assert str(ring.identity(RIVER)) != str(ring.identity(DELTA))
    assert {path.name for path in ring.folder.iterdir()} == {
        ".lock", "org-river.kek", "org-river.keys", "org-delta.kek", "org-delta.keys",
    }  # fmt: skip
    refused(ring.log_seed, "key_missing")
    demo = KeyRing(ring.folder, may_create=True)
    assert ring.log_seed.__func__(demo) == ring.log_seed()


def test_nothing_that_opens_lies_unwrapped(ring):
    held = everything(ring)
    root = ring.root(RIVER)
    assert str(ring.identity(RIVER)).encode() not in held
    for spelled in (root, root.hex().encode(), base64.b64encode(root)):
        assert spelled not in held


@pytest.mark.parametrize("ending", ["kek", "keys"])
def test_without_its_key_an_organisations_keys_are_missing_and_no_others(ring, ending):
    (ring.folder / f"{RIVER}.{ending}").unlink()
    assert "not in the key folder" in refused(lambda: ring.root(RIVER), "key_missing")
    refused(lambda: ring.identity(RIVER), "key_missing")
    assert ring.root(DELTA)


def test_another_key_opens_nothing(ring):
    (ring.folder / f"{RIVER}.kek").write_text((ring.folder / f"{DELTA}.kek").read_text())
    refused(lambda: ring.root(RIVER), "key_wrong")
    (ring.folder / f"{RIVER}.keys").write_text((ring.folder / f"{DELTA}.keys").read_text())
    refused(lambda: ring.root(RIVER), "key_wrong")  # the right key, but another name's keys


@given(st.integers(0, 200), st.sampled_from("Az09+/"))
def test_keys_that_were_altered_are_refused(place, sign):
    with tempfile.TemporaryDirectory() as folder:
        ring = KeyRing(Path(folder))
        ring.install(RIVER)
        path = ring.folder / f"{RIVER}.keys"
        text = path.read_text()
        at = text.index('"sealed": "') + 11 + place
        path.write_text(text[:at] + sign + text[at + 1 :])
        if path.read_text() != text:
            refused(lambda: ring.root(RIVER), "key_wrong")


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"version": 2, "by": "", "sealed": ""}'])
def test_a_key_file_that_cannot_be_read_says_so(ring, text):
    (ring.folder / f"{RIVER}.keys").write_text(text)
    refused(lambda: ring.root(RIVER), "key_unreadable")


def test_files_of_an_older_installation_are_used_as_they_are(tmp_path):
    old = KeyRing(tmp_path)
    identity = x25519.Identity.generate()
    roots = {name: secrets.token_bytes(32) for name in (f"{RIVER}.root", "log.ed25519")}
    for name, root in roots.items():
        (tmp_path / name).write_text(base64.b64encode(root).decode() + "\n")
    refused(lambda: old.root(RIVER), "key_missing")  # half of them is not enough
    (tmp_path / f"{RIVER}.age").write_text(f"{identity}\n")
    assert old.root(RIVER) == roots[f"{RIVER}.root"]
    assert old.log_seed() == roots["log.ed25519"]
    assert str(old.identity(RIVER)) == str(identity)
    old.noes_recipient()
    old.rewrap(RIVER)
    old.finish_rewrap(RIVER)
    old.rewrap("service")
    old.finish_rewrap("service")
    assert not {f"{RIVER}.root", f"{RIVER}.age", "log.ed25519"} & {
        path.name for path in tmp_path.iterdir()
    }
    assert old.root(RIVER) == roots[f"{RIVER}.root"]
    assert old.log_seed() == roots["log.ed25519"]
    assert str(old.identity(RIVER)) == str(identity)


def test_rewrapping_keeps_what_hangs_on_it_and_the_former_key_opens_nothing_more(ring):
    root, former = ring.root(RIVER), (ring.folder / f"{RIVER}.kek").read_text()
    wrapped_by = ring.rewrap(RIVER)
    assert ring.root(RIVER) == root  # before the former key has gone
    assert ring.rewrap(RIVER) == wrapped_by  # done again: the same next key
    ring.finish_rewrap(RIVER)
    ring.finish_rewrap(RIVER)
    assert ring.root(RIVER) == root
    (ring.folder / f"{RIVER}.kek").write_text(former)
    refused(lambda: ring.root(RIVER), "key_wrong")


def test_an_identity_is_rotated_in_two_steps_and_both_open_meanwhile(ring):
    former = str(ring.identity(RIVER))
    ring.begin_identity(RIVER)
    ring.begin_identity(RIVER)
    both = [str(each) for each in ring.identities(RIVER)]
    assert len(both) == 2
    assert both[1] == former
    ring.finish_identity(RIVER)
    ring.finish_identity(RIVER)
    assert [str(each) for each in ring.identities(RIVER)] == both[:1]


def test_the_former_log_key_stays_known_by_its_public_half(tmp_path):
    ring = KeyRing(tmp_path, may_create=True)
    seed = ring.log_seed()
    following = ring.begin_log()
    assert ring.begin_log() == following
    assert ring.log_seed() == seed
    ring.finish_log()
    ring.finish_log()
    assert (ring.log_seed(), len(ring.log_past())) == (following, 1)
    assert seed not in everything(ring)


def test_a_key_from_the_environment(tmp_path, monkeypatch):
    ring = KeyRing(tmp_path / "keys")
    sources(ring, **{RIVER: {"environment": "RIVER_KEK"}})
    refused(lambda: ring.install(RIVER), "key_missing")
    monkeypatch.setenv("RIVER_KEK", keysources.new_key())
    ring.install(RIVER)
    root = ring.root(RIVER)
    refused(lambda: ring.rewrap(RIVER), "key_next_missing")
    monkeypatch.setenv("RIVER_KEK_NEXT", keysources.new_key())
    ring.rewrap(RIVER)
    ring.finish_rewrap(RIVER)
    following = keysources.os.environ["RIVER_KEK_NEXT"]
    monkeypatch.delenv("RIVER_KEK_NEXT")
    refused(lambda: ring.root(RIVER), "key_wrong")
    monkeypatch.setenv("RIVER_KEK", following)
    assert ring.root(RIVER) == root


def test_an_agents_key_never_comes_here_and_what_it_opened_is_kept_for_a_while(tmp_path):
    ring = KeyRing(tmp_path / "keys")
    log = agent(ring, keep_seconds=60)
    ring.install(RIVER)
    root = ring.root(RIVER)
    assert ring.root(RIVER) == root
    assert log.read_text().split() == ["wrap", "unwrap"]
    assert {path.name for path in ring.folder.iterdir()} == {".lock", "org-river.keys", "sources.json"}  # fmt: skip
    log = agent(ring, keep_seconds=0)
    keysources_kept_nothing = KeyRing(ring.folder)
    keysources_kept_nothing.rewrap(RIVER)  # what was kept is forgotten with the file it came from
    assert keysources_kept_nothing.root(RIVER) == root
    assert keysources_kept_nothing.root(RIVER) == root
    assert log.read_text().split()[-2:] == ["unwrap", "unwrap"]


def test_what_files_opened_is_opened_anew_as_soon_as_one_of_them_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(keysources, "SETTLES", 0)
    ring = KeyRing(tmp_path / "keys")
    ring.install(RIVER)
    root = ring.root(RIVER)
    kek = ring.folder / f"{RIVER}.kek"
    with monkeypatch.context() as patch:
        patch.setattr(keysources, "_unwrap", lambda *_: b"")
        assert ring.root(RIVER) == root  # nothing was opened: no file has changed
        kek.chmod(0o400)
        refused(lambda: ring.root(RIVER), "key_wrong")
    assert ring.root(RIVER) == root
    keysources.replace(kek, keysources.new_key())
    refused(lambda: ring.root(RIVER), "key_wrong")
    kek.unlink()
    refused(lambda: ring.root(RIVER), "key_missing")


def test_a_file_that_was_written_just_now_is_read_each_time(tmp_path, monkeypatch):
    """Another writing within the same tick of the disk's clock would look like it."""
    ring = KeyRing(tmp_path / "keys")
    ring.install(RIVER)
    ring.root(RIVER)
    monkeypatch.setattr(keysources, "_unwrap", lambda *_: b"")
    refused(lambda: ring.root(RIVER), "key_wrong")


FAILING = {
    "refuses": ("sys.exit(3)", "key_missing", "refused"),
    "is silent": ("time.sleep(60)", "key_missing", "in time"),
    "speaks no sense": ("print('hello, secret-otter'); sys.exit(0)", "key_unreadable", "no sense"),
}


@pytest.mark.parametrize("how", FAILING)
def test_an_agent_that_does_not_answer_is_a_missing_key(tmp_path, how, capfd):
    ring = KeyRing(tmp_path / "keys")
    agent(ring, keep_seconds=0)
    ring.install(RIVER)
    first, code, words = FAILING[how]
    agent(ring, first=f"print('secret-otter', file=sys.stderr); {first}", seconds=1)
    said = refused(lambda: ring.root(RIVER), code)
    assert words in said
    assert "secret-otter" not in said + "".join(capfd.readouterr())
    sources(ring, **{RIVER: {"command": ["/nowhere/agent"]}})
    assert "cannot be started" in refused(lambda: ring.root(RIVER), "key_missing")


def test_an_agent_is_told_none_of_our_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("SAYSO_SECRET_KEY", "secret-otter")
    ring = KeyRing(tmp_path / "keys")
    seen = tmp_path / "environment"
    agent(ring, first=f"import os; open({str(seen)!r}, 'w').write(repr(dict(os.environ)))")
    ring.install(RIVER)
    assert "secret-otter" not in seen.read_text()


@pytest.mark.parametrize(
    "given",
    [
        {"command": []},
        {"command": "sh -c true"},
        {"command": ["a"], "seconds": 61},
        {"command": ["a"], "shell": True},
        {"file": "/x", "environment": "Y"},
        {"somewhere": "else"},
    ],
    ids=str,
)
def test_a_source_that_is_none_is_refused(tmp_path, given):
    ring = KeyRing(tmp_path / "keys")
    sources(ring, **{RIVER: given})
    refused(lambda: ring.install(RIVER), "key_sources")


def test_a_list_of_sources_that_others_may_write_is_refused(tmp_path):
    ring = KeyRing(tmp_path / "keys")
    sources(ring, **{RIVER: {"file": str(tmp_path / "river.kek")}})
    (ring.folder / "sources.json").chmod(0o620)
    refused(lambda: ring.install(RIVER), "key_sources")
    (ring.folder / "sources.json").chmod(0o600)
    ring.install(RIVER)
    assert (tmp_path / "river.kek").exists()


def test_every_file_of_the_ring_is_for_its_owner_alone(tmp_path):
    ring = KeyRing(tmp_path / "keys", may_create=True)
    before = os.umask(0o022)
    try:
        ring.install("org-a")
        ring.log_seed()
        ring.noes_recipient()
        ring.add_backup_recipient(str(ring.identity("org-a").to_public()))
        ring.rewrap("org-a")
        ring.finish_rewrap("org-a")
    finally:
        os.umask(before)
    assert keyfiles.exposed(tmp_path / "keys") == []


def test_a_root_is_rotated_in_two_steps_and_both_derive_meanwhile(ring):
    root, wrap = ring.root(RIVER), ring.derived(RIVER, "subject-wrap")
    digests, known_by = ring.derived_each(RIVER, "client-number", "person-key:agr-1")
    sign = ring.begin_root(RIVER, ["client-number", "person-key:agr-1"])
    assert ring.begin_root(RIVER, ["client-number"]) == sign  # done again: the same new root
    assert root != ring.root(RIVER)
    newer = ring.derived(RIVER, "subject-wrap")
    assert ring.derived_all(RIVER, "subject-wrap") == [newer, wrap]
    assert newer != wrap
    ring.finish_root(RIVER)
    ring.finish_root(RIVER)
    assert ring.derived_all(RIVER, "subject-wrap") == [newer]
    kept = ["client-number", "person-key:agr-1", "person-key:agr-2"]
    assert ring.derived_each(RIVER, *kept)[:2] == [digests, known_by]
    later = ring.derived(RIVER, "person-key:agr-2")
    assert ring.begin_root(RIVER, kept) != sign
    ring.finish_root(RIVER)
    assert ring.derived_each(RIVER, *kept) == [digests, known_by, later]
    assert ring.derived(RIVER, "subject-wrap") != newer


def test_the_file_of_noes_has_a_new_identity_in_two_steps(tmp_path):
    ring = KeyRing(tmp_path / "keys", may_create=True)
    former = ring.noes_recipient()
    ring.begin_noes()
    newest = str(ring.noes_recipient())
    ring.begin_noes()
    assert str(ring.noes_recipient()) == newest != str(former)
    opening = [str(each.to_public()) for each in ring.noes_identities()]
    assert opening == [newest, str(former)]
    ring.finish_noes()
    assert [str(each.to_public()) for each in ring.noes_identities()] == [newest]


def test_keys_that_are_not_there_are_not_rotated(tmp_path):
    ring = KeyRing(tmp_path / "keys")
    refused(lambda: ring.begin_root(RIVER, []), "key_missing")
    ring.finish_root(RIVER)
    ring.finish_noes()
    assert not (ring.folder / f"{RIVER}.keys").exists()
