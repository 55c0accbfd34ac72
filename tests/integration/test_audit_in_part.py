"""Looking at a part of the log, and going on from where the last look ended."""

import json
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from audit.management import verified
from audit.models import Checkpoint, Entry, Node
from audit.queries import log_verifiers, verification
from audit.queries.tampered import Tampered
from tests.append_only import triggers_lifted
from tests.integration.audit_log import happened, log_keys, log_of  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("log_keys")]


@pytest.fixture
def log(monkeypatch):
    """Entries 0 to 12 in pages of four; checkpoints at 3, 5, 8 and 13."""
    monkeypatch.setattr(verification, "PAGE", 4)
    monkeypatch.setattr(verified, "EVERY", 0.0)
    log_of(3, 5, 8, 13)


def verify(*words):
    out = StringIO()
    call_command("verify_log", *words, stdout=out)
    return out.getvalue()


def change(model, where, **values):
    with triggers_lifted():
        assert model.objects.filter(**where).update(**values) == 1


def test_any_range_of_a_whole_log_holds(log):
    for first in range(13):
        for last in range(first, 13):
            head = min(size for size in (3, 5, 8, 13) if size > last)
            told = verify("--from", str(first), "--to", str(last))
            assert f"Entries {first} to {head - 1} hold, up to the signed head of {head};" in told


def test_a_range_names_a_change_inside_it_and_one_beneath_it_and_none_after_it(log):
    change(Entry, {"seq": 6}, actor="other")
    assert "hold" in verify("--from", "8")
    assert "hold" in verify("--to", "4")
    with pytest.raises(CommandError, match="entry 6: its columns and its leaf"):
        verify("--from", "5", "--to", "7")
    change(Node, {"level": 3, "index": 0}, hash=b"x" * 32)  # the entries 0 to 7, before the range
    with pytest.raises(CommandError, match="checkpoint 13: its root is not the one"):
        verify("--from", "8")


def test_a_range_over_a_node_that_is_gone_is_told(log):
    with triggers_lifted():
        Node.objects.filter(level=2, index=0).delete()
    with pytest.raises(CommandError, match="a node of the log before it is not there"):
        verify("--from", "5")


def test_a_range_goes_on_only_over_what_was_read_before(log):
    """Nodes over what a former round read may be another log's by now."""
    heads = []
    given = {"origin": settings.LOG_ORIGIN, "verifiers": log_verifiers(), "first": 1, "last": 13}
    verification.verify_range(**given, passed=heads.append)
    assert [head.size for head in heads] == [5, 9, 13]
    change(Entry, {"seq": 2}, actor="other")
    assert verification.verify_range(**given, after=heads[0]) == heads[-1]
    change(Node, {"level": 2, "index": 0}, hash=b"x" * 32)
    with pytest.raises(Tampered, match="size 5: the log that was verified before was another"):
        verification.verify_range(**given, after=heads[0])


def test_a_range_that_is_not_there_is_refused(log):
    for words in (["--to", "13"], ["--from", "13"], ["--from", "9", "--to", "8"]):
        with pytest.raises(CommandError, match="Entries 0 to 12 can be chosen, the first one"):
            verify(*words)


def test_two_looks_at_once_are_refused(log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in (
        ["--root", "--from", "1"],
        ["--root", "--state", "x"],
        ["--to", "2", "--state", "x"],
    ):
        with pytest.raises(CommandError, match="Choose one of"):
            verify(*words)


def read_entries(monkeypatch):
    """Which entries were read, in the order of reading."""
    seen, real = [], verification._checked_leaf_hash
    monkeypatch.setattr(
        verification, "_checked_leaf_hash", lambda row: (seen.append(row[0]), real(row))[1]
    )
    return seen


def test_a_verification_that_was_broken_off_goes_on_where_it_was(log, tmp_path, monkeypatch):
    state = tmp_path / "state"
    seen = read_entries(monkeypatch)
    change(Entry, {"seq": 9}, actor="other")
    with pytest.raises(CommandError, match="entry 9"):
        verify("--state", str(state))
    assert json.loads(state.read_text())["size"] == 8
    change(Entry, {"seq": 9}, actor="usr-aaaaa")
    seen.clear()
    assert "Entries before 8 were verified before" in verify("--state", str(state))
    assert seen == list(range(8, 13))
    happened("more")
    log_of(15)
    seen.clear()
    assert "The log holds: 15 entries" in verify("--state", str(state))
    assert seen == [13, 14]


def test_a_log_that_is_not_the_one_that_was_verified_is_told(log, tmp_path):
    state = tmp_path / "state"
    verify("--state", str(state))
    said = json.loads(state.read_text())
    state.write_text(json.dumps(said | {"size": 12}))
    with pytest.raises(CommandError, match="size 12: the log that was verified before was another"):
        verify("--state", str(state))
    state.write_text(json.dumps(said | {"size": 14}))
    with pytest.raises(CommandError, match="size 14: the log has 13 entries, fewer than were"):
        verify("--state", str(state))


def test_a_head_kept_outside_is_held_against_what_was_verified_before(log, tmp_path):
    state, kept = tmp_path / "state", tmp_path / "kept"
    verify("--state", str(state))
    kept.write_text(Checkpoint.objects.get(size=5).note)
    assert "The log holds" in verify("--state", str(state), "--checkpoint", str(kept))
    with triggers_lifted():
        Checkpoint.objects.all().delete()
        Entry.objects.all().delete()
        Node.objects.all().delete()
    log_of(5, 13)  # another log, signed with the true key, and verified
    state.unlink()
    verify("--state", str(state))
    with pytest.raises(CommandError, match="size 5: the checkpoint kept outside has another root"):
        verify("--state", str(state), "--checkpoint", str(kept))


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[]", b"{}", b'{"origin":"log.example/test","size":"x","root":"AA=="}',
     b'{"origin":"another","size":3,"root":"' + b"A" * 43 + b'="}', b"[" * 5000],
)  # fmt: skip
def test_a_file_that_does_not_say_what_was_verified_is_refused(log, tmp_path, content):
    state = tmp_path / "state"
    state.write_bytes(content)
    with pytest.raises(CommandError, match=r"cannot be checked\. The file state"):
        verify("--state", str(state))
    assert state.read_bytes() == content


def test_a_state_that_cannot_be_kept_is_told(log, tmp_path):
    with pytest.raises(CommandError, match="The file state cannot be written"):
        verify("--state", str(tmp_path / "none" / "state"))
