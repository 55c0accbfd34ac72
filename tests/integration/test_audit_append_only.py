"""What is written stays: the triggers, table by table, on whichever database is set."""

from io import StringIO

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from audit.actions import record_journal, sequence
from audit.models import Checkpoint, Entry, JournalDigest, JournalWaiting, LogEntry, Node
from audit.queries import log_verifier
from audit.queries.verification import verify
from tests.append_only import triggers_lifted
from tests.integration.audit_log import AT, happened, log_keys, log_of  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("log_keys")]

TABLES = {
    "audit_entry": "actor = 'other'",
    "audit_node": "hash = hash",
    "audit_checkpoint": "note = 'other'",
    "audit_logentry": "object_repr = 'other'",
    "audit_journaldigest": "salt = salt",
}


def journal(**fields):
    given = {
        "content_type": ContentType.objects.get_for_model(Entry),
        "object_pk": "1",
        "object_repr": "one",
        "action": 1,
        "changes": {"name": ["a", "b"]},
        "timestamp": AT,
    }
    return LogEntry.objects.create(**(given | fields))


def filled():
    with transaction.atomic():
        journal()
        record_journal(at=AT, via="task")
    log_of(4)


def execute(sql, params=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def refused(sql):
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        execute(sql)


def test_no_row_is_changed():
    filled()
    for table in TABLES:
        refused(f"UPDATE {table} SET {TABLES[table]}")  # noqa: S608 - our own tables


def test_no_row_is_deleted():
    filled()
    for table in TABLES:
        refused(f"DELETE FROM {table}")  # noqa: S608 - our own tables


@pytest.mark.postgresql_only
def test_no_table_is_emptied():
    filled()
    for table in TABLES:
        refused(f"TRUNCATE {table} CASCADE")


@pytest.mark.sqlite_only
def test_no_row_is_replaced():
    filled()
    for table in TABLES:
        refused(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1")  # noqa: S608 - our own tables


@pytest.mark.sqlite_only
def test_no_waiting_entry_is_replaced():
    happened()
    with pytest.raises(IntegrityError, match="append_only"):
        execute("INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry")


@pytest.mark.sqlite_only
def test_no_entry_is_pushed_out_by_giving_its_number_to_another():
    log_of(1)
    happened(1)
    with pytest.raises(IntegrityError, match="append_only"):
        execute("UPDATE OR REPLACE audit_entry SET seq = 0 WHERE seq IS NULL")


@pytest.mark.parametrize(
    "change",
    [
        "seq = 5, actor = 'other'",
        "seq = 5, leaf = leaf_hash",
        "seq = 5, purpose = 'other'",
        "seq = 5, epoch_scope = 7",
        "seq = NULL",
        "actor = 'other'",
    ],
)
def test_numbering_an_entry_changes_nothing_else(change):
    happened()
    with pytest.raises(IntegrityError, match="append_only"):
        execute(f"UPDATE audit_entry SET {change}")  # noqa: S608 - our own tables


@pytest.mark.parametrize("number", ["1", "NULL"])
def test_a_number_once_given_stays(number):
    log_of(1)
    with pytest.raises(IntegrityError, match="append_only"):
        execute(f"UPDATE audit_entry SET seq = {number}")  # noqa: S608 - our own tables


def test_no_entry_comes_in_with_a_number():
    entry = happened()
    entry.pk, entry.seq = None, 7
    entry._state.adding = True
    with pytest.raises(IntegrityError, match="append_only"):
        entry.save(force_insert=True)


def test_the_triggers_stand_again_after_a_test_has_lifted_them():
    filled()
    with triggers_lifted():
        Node.objects.all().delete()
    for table in TABLES:
        if table != "audit_node":
            with pytest.raises(IntegrityError, match="append_only"):
                execute(f"DELETE FROM {table}")  # noqa: S608 - our own tables


def test_neither_orm_nor_cascade_removes_a_journal_row():
    row = journal()
    with pytest.raises(IntegrityError, match="append_only"):
        LogEntry.objects.filter(pk=row.pk).update(object_repr="other")
    with pytest.raises((IntegrityError, ProtectedError)):
        row.delete()
    with pytest.raises(ProtectedError):
        ContentType.objects.get_for_model(Entry).delete()
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize("options", [{}, {"yes": True}, {"truncate": True, "yes": True}])
def test_the_journal_library_s_flush_command_refuses(options):
    journal()
    with pytest.raises(CommandError, match="append-only"):
        call_command("auditlogflush", **options)
    assert LogEntry.objects.exists()


class Someone:
    """Whatever is set as actor: the journal keeps only an opaque word of it."""

    def __init__(self, kind):
        self.pk, self.ref, self.kind, self.email = 7, "usr-abc", kind, "maple@example.org"


@pytest.mark.parametrize(("kind", "kept"), [("staff", "usr-abc"), ("survivor", "person")])
def test_the_journal_keeps_an_opaque_actor_and_no_address(kind, kept):
    row = journal(actor=Someone(kind))
    row.refresh_from_db()
    assert row.actor == kept
    assert {"actor_email", "remote_addr", "remote_port"}.isdisjoint(
        field.name for field in LogEntry._meta.get_fields()
    )


def test_a_journal_row_is_covered_by_the_entry_of_its_own_transaction():
    with transaction.atomic():
        row = journal(actor="usr-abc")
        assert JournalWaiting.objects.count() == 1
        deed = happened()
    digest = JournalDigest.objects.select_related("entry").get(row=row)
    assert digest.entry.type == "journal:changed"
    assert digest.entry.actor == "usr-abc"
    assert digest.entry.resource == f"journal:{row.pk}"
    assert digest.entry.pk < deed.pk
    assert not JournalWaiting.objects.exists()


def test_a_journal_row_written_after_the_entry_is_covered_by_the_next_one():
    journal()
    journal()
    assert JournalWaiting.objects.count() == 2
    happened()
    assert JournalDigest.objects.count() == 2
    sequence()
    verdict = verify(origin="log.example/test", verifiers=[log_verifier()])
    assert (verdict.size, verdict.journal_rows, verdict.journal_waiting) == (3, 2, 0)


def test_a_deed_that_is_undone_takes_its_journal_rows_along():

    def deed():
        with transaction.atomic():
            journal()
            happened()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        deed()
    assert not LogEntry.objects.exists()
    assert not JournalWaiting.objects.exists()


def test_covering_the_journal_is_refused_outside_a_transaction():
    journal()
    with pytest.raises(RuntimeError, match="transaction"):
        record_journal(at=AT, via="task")


def test_values_that_canonical_json_cannot_hold_are_covered_too():
    with transaction.atomic():
        journal(changes={"size": ["1", 2**63], "share": [0.1, 1e300]}, object_id=2**62)
        record_journal(at=AT, via="task")
    sequence()
    call_command("verify_log", stdout=StringIO())


@pytest.mark.parametrize(
    "model", [Entry, Node, Checkpoint, LogEntry, JournalDigest, JournalWaiting]
)
def test_every_column_says_how_much_it_reveals_and_no_name_tells_a_person(model):
    assert set(model.sensitivity) == {field.name for field in model._meta.concrete_fields}
    for constraint in model._meta.constraints:
        assert len(constraint.name) <= 63
    assert "usr" not in str(model(pk=1))
