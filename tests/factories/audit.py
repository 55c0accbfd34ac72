"""Rows of the log and the change journal."""

from typing import Any

from django.contrib.contenttypes.models import ContentType

from audit.models import (
    Checkpoint,
    Cosignature,
    Detail,
    Entry,
    JournalDigest,
    JournalWaiting,
    LogEntry,
    Node,
    WitnessFault,
    WitnessState,
)
from tests.factories.governance import START, numbers


def entry(**given: Any) -> Entry:
    return Entry.objects.create(
        **{
            "version": 1,
            "type": "request:drafted",
            "time": START,
            "actor": "usr-2222222222222",
            "via": "command",
            "decision": "done",
            "subjects_band": "0",
            "nonce": bytes(16),
            "leaf": b"{}",
            "leaf_hash": bytes(32),
            **given,
        }
    )


def node(**given: Any) -> Node:
    return Node.objects.create(**{"level": 1, "index": next(numbers), "hash": bytes(32), **given})


def checkpoint(**given: Any) -> Checkpoint:
    return Checkpoint.objects.create(
        **{
            "size": next(numbers),
            "root": bytes(32),
            "note": "a signed note",
            "signed_at": START,
            **given,
        }
    )


def journal_row(**given: Any) -> LogEntry:
    row: LogEntry = LogEntry.objects.create(
        **{
            "content_type": ContentType.objects.get_for_model(Entry),
            "object_pk": "1",
            "object_repr": "a row",
            "action": 0,
            **given,
        }
    )
    return row


def journal_waiting(**given: Any) -> JournalWaiting:
    return JournalWaiting.objects.get(row=given.get("row") or journal_row())


def journal_digest(**given: Any) -> JournalDigest:
    return JournalDigest.objects.create(
        **{
            "row": given.get("row") or journal_row(),
            "entry": given.get("entry") or entry(),
            "salt": bytes(16),
            **given,
        }
    )


def cosignature(**given: Any) -> Cosignature:
    return Cosignature.objects.create(
        **{
            "size": next(numbers),
            "name": "witness.example/w1",
            "key_id": bytes(4),
            "signature": bytes(72),
            "received_at": START,
            **given,
        }
    )


def witness_state(**given: Any) -> WitnessState:
    return WitnessState.objects.create(
        **{"name": f"witness.example/{next(numbers)}+00000000", "next_at": START, **given}
    )


def witness_fault(**given: Any) -> WitnessFault:
    return WitnessFault.objects.create(
        **{
            "name": "witness.example/w1+00000000",
            "kind": "malformed",
            "size": 1,
            "at": START,
            "answer": b"no",
            **given,
        }
    )


def detail(**given: Any) -> Detail:
    return Detail.objects.create(
        **{"entry": given.get("entry") or entry(), "sealed": bytes(40), **given}
    )
