"""Recording, numbering, signing and proving, on whichever database is set."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from audit import queries
from audit.actions import check_head, record, sequence, settle
from audit.models import Checkpoint, Entry, Node
from audit.tlog.checkpoints import open_checkpoint
from audit.tlog.proofs import check_proof
from audit.tlog.tree import check_consistency, check_inclusion, leaf_hash, root_of
from common.errors import NotReady
from tests.integration.audit_log import AT, happened, log_keys, log_of  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("log_keys")]


def fields(**changed: Any) -> dict[str, Any]:
    return {"type": "release:asked", "actor": "usr-a", "via": "desk", "at": AT} | changed


def test_an_entry_is_refused_outside_a_transaction():
    with pytest.raises(RuntimeError, match="transaction of its deed"):
        record(**fields())
    assert not Entry.objects.exists()


def test_an_entry_goes_with_its_deed_when_the_deed_is_undone():

    def deed():
        with transaction.atomic():
            record(**fields())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        deed()
    assert not Entry.objects.exists()


def test_an_entry_waits_without_a_number_and_its_leaf_says_what_its_columns_say():
    entry = happened(
        type="dataset:released", purpose="housing", decision="permitted", subjects=37,
        epoch_everyone=1, epoch_scope=9, subjects_root=b"\x07" * 32, at=AT,
    )  # fmt: skip
    entry.refresh_from_db()
    assert entry.seq is None
    assert entry.subjects_band == "11-100"
    assert bytes(entry.leaf_hash) == leaf_hash(bytes(entry.leaf))
    assert len(bytes(entry.nonce)) == 16
    assert not queries.covered(entry)
    with pytest.raises(NotReady, match="not under a signed checkpoint"):
        queries.proof(entry)


def test_two_entries_that_say_the_same_have_different_leaves():
    first, second = happened(), happened()
    assert bytes(first.leaf) != bytes(second.leaf)


def test_a_nonce_that_was_used_for_tags_is_taken_over():
    assert bytes(happened(nonce=b"n" * 16).nonce) == b"n" * 16


def test_a_sentence_does_not_get_into_the_log():
    with pytest.raises(ValueError, match="opaque word"):
        happened(reason="she said so on the phone")
    assert not Entry.objects.exists()


def test_what_the_database_cannot_take_is_answered_as_not_ready_and_undone():

    def deed_on_a_broken_log():
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE audit_entry RENAME TO audit_entry_gone")
            record(**fields())

    with pytest.raises(NotReady) as refusal:
        deed_on_a_broken_log()
    assert refusal.value.code == "log_unavailable"
    assert not Entry.objects.exists()


def test_sequencing_numbers_densely_grows_the_tree_and_signs_its_head(settings):
    entries = [happened(number) for number in range(7)]
    assert sequence(limit=3) == 3
    assert sequence(limit=3) == 3
    assert sequence(limit=3) == 1
    assert sequence() == 0
    assert list(Entry.objects.order_by("seq").values_list("seq", "pk")) == [
        (number, entry.pk) for number, entry in enumerate(entries)
    ]
    hashes = [bytes(entry.leaf_hash) for entry in entries]
    assert list(Checkpoint.objects.order_by("size").values_list("size", flat=True)) == [3, 6, 7]
    for checkpoint in Checkpoint.objects.all():
        signed = open_checkpoint(
            checkpoint.note, origin=settings.LOG_ORIGIN, verifiers=[queries.log_verifier()]
        )
        assert signed.size == checkpoint.size
        assert signed.root == bytes(checkpoint.root) == root_of(hashes[: signed.size])
    assert sorted(Node.objects.values_list("level", "index")) == [
        (1, 0), (1, 1), (1, 2), (2, 0),
    ]  # fmt: skip
    assert queries.log_size() == 7


def test_every_proof_of_a_log_of_40_entries_holds(settings):
    log_of(1, 2, 5, 16, 17, 40)
    keys = [queries.log_verifier()]
    roots = {checkpoint.size: bytes(checkpoint.root) for checkpoint in Checkpoint.objects.all()}
    for seq, entry in enumerate(queries.entries(0, 40)):
        assert entry.seq == seq
        leaf = bytes(entry.leaf_hash)
        text = queries.proof(entry)
        first = min(size for size in roots if size > seq)
        head = check_proof(text, leaf=leaf, origin=settings.LOG_ORIGIN, verifiers=keys)
        assert head.size == first
        check_inclusion(
            leaf=leaf, index=seq, size=40, path=queries.inclusion(seq, 40),
            root=roots[40],
        )  # fmt: skip
    for old in roots:
        for new in roots:
            if old <= new:
                check_consistency(
                    old=old, new=new, old_root=roots[old], new_root=roots[new],
                    path=queries.consistency(old, new),
                )  # fmt: skip


def test_a_proof_stays_the_same_text_when_the_log_grows():
    entry = happened()
    sequence()
    before = queries.proof(entry)
    log_of(9)
    assert queries.proof(entry) == before


def test_entries_are_read_by_number_without_the_last_one():
    log_of(6)
    assert [entry.seq for entry in queries.entries(2, 5)] == [2, 3, 4]
    assert [entry.seq for entry in queries.entries(4, 99)] == [4, 5]
    assert list(queries.entries(6, 9)) == []


def test_an_empty_log_has_no_head():
    assert queries.latest_checkpoint() is None
    assert queries.log_size() == 0
    assert sequence() == 0
    check_head()


def test_settling_works_without_a_sequencer_at_work():
    entry = happened()
    checkpoint = settle(entry=entry)
    assert checkpoint.size == 1
    assert queries.covered(entry)
    assert settle(entry=entry) == checkpoint


def test_settling_inside_a_transaction_is_refused():
    entry = happened()
    with transaction.atomic(), pytest.raises(RuntimeError, match="committed"):
        settle(entry=entry)


def test_sequencing_inside_a_transaction_is_refused():
    happened()
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        sequence()


def test_an_entry_that_never_committed_does_not_settle():
    entry = happened()
    entry.pk += 1000
    began = time.monotonic()
    with pytest.raises(NotReady) as refusal:
        settle(entry=entry, seconds=0.2)
    assert refusal.value.code == "log_not_ready"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("key", [None, "not a key", "AAAA"])
def test_without_a_usable_key_nothing_is_signed_and_nothing_is_written(settings, log_keys, key):  # noqa: F811
    settings.DEMO = False
    log_keys.mkdir()
    if key is not None:
        (log_keys / "log.ed25519").write_text(key)
    entry = happened()
    for call in (sequence, lambda: settle(entry=entry), queries.log_verifier):
        with pytest.raises(NotReady) as refusal:
            call()
        assert refusal.value.code in {"key_missing", "key_unreadable"}
    entry.refresh_from_db()
    assert entry.seq is None
    assert not Node.objects.exists()
    assert not Checkpoint.objects.exists()


def test_a_log_of_another_name_is_not_written_on(settings):
    log_of(3)
    happened(3)
    settings.LOG_ORIGIN = "log.example/other"
    with pytest.raises(NotReady) as refusal:
        sequence()
    assert refusal.value.code == "log_inconsistent"
    assert queries.log_size() == 3


def test_a_leaf_too_large_for_the_table_is_refused_by_the_database():
    entry = happened()
    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.create(
            **{field.name: getattr(entry, field.name) for field in Entry._meta.fields}
            | {"id": None, "leaf": b"x" * 4097, "time": AT + timedelta(seconds=1)}
        )
