"""Each guard of what stays is what prevents the harm: taken away alone, the harm happens.

The list below is every trigger of the database, on whichever is set; a trigger without a harm here
fails the first test.
"""

# ruff: noqa: S608 - statements on our own tables, put together from names that stand here

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from audit.actions import record_journal
from audit.models import JournalDigest, JournalWaiting
from governance.models import AccessRequest, DataKey, Scope
from tests.factories import audit as log
from tests.factories import consent as said
from tests.factories import contests, questions, speaking
from tests.factories import governance as made
from tests.factories import oversight as checked
from tests.factories import release as kept
from tests.factories.sittings import paper_code
from tests.integration.audit_log import AT, log_keys  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("log_keys")]
POSTGRES = connection.vendor == "postgresql"


def blob(size: int) -> str:
    return f"'\\x{'ab' * size}'" if POSTGRES else f"x'{'ab' * size}'"


EARLIER = "'2020-02-02 00:00:00'"
HEX = "'" + "1" * 64 + "'"


@dataclass(frozen=True)
class Table:
    """How a row comes in whole, one column of it, and another value for that column.

    `like`: what a second row has otherwise, where the column is the one that makes it the same row.
    """

    make: Callable[..., Model]
    column: str
    value: str | Callable[[], str]
    like: dict[str, str] = field(default_factory=dict)

    def other(self) -> str:
        return self.value() if callable(self.value) else self.value


def key_of(make: Callable[[], Model]) -> Callable[[], str]:
    return lambda: str(make().pk)


def data_key() -> Any:
    return DataKey.objects.create(user=made.user(), wrapped=bytes(60))


# Rows that never change or go.
FIXED: dict[str, Table] = {
    "audit_node": Table(log.node, "hash", blob(32)),
    "audit_cosignature": Table(log.cosignature, "signature", blob(72)),
    "audit_witnessfault": Table(log.witness_fault, "answer", blob(2)),
    "audit_checkpoint": Table(log.checkpoint, "note", "'other'"),
    "audit_detail": Table(log.detail, "sealed", blob(40)),
    "audit_logentry": Table(log.journal_row, "object_repr", "'other'"),
    "audit_journaldigest": Table(log.journal_digest, "salt", blob(16)),
    "governance_agreementsignature": Table(made.agreement_signature, "digest", HEX),
    "governance_ballot": Table(made.ballot, "vote", "'no'"),
    "governance_categoryfield": Table(made.category_field, "name", "'other'"),
    "governance_categoryversion": Table(made.category_version, "number", "9"),
    "governance_charter": Table(made.charter, "quorum", "1"),
    "governance_decision": Table(made.decision, "outcome", "'refused'"),
    "governance_fieldclassification": Table(
        made.field_classification, "narrative", "NOT narrative"
    ),
    "governance_recusal": Table(made.recusal, "recused_at", EARLIER),
    "governance_scopemove": Table(made.scope_move, "slot", "5"),
    "consent_categoryset": Table(said.category_set, "digest", HEX),
    "consent_categorysetitem": Table(
        said.category_set_item, "version_id", key_of(made.category_version)
    ),
    "consent_consentevent": Table(said.consent_event, "happening", "'withdrawn'"),
    "consent_subjectkey": Table(said.subject_key, "digest", blob(32)),
    "consent_proposalitem": Table(said.proposal_item, "category_id", key_of(made.category)),
    "consent_proposalstep": Table(said.proposal_step, "turn", "'refused'"),
    "consent_invalidation": Table(said.invalidation, "reason", "'not_hers'"),
    "consent_termspart": Table(said.terms_part, "text", "'other'"),
    "consent_lefttag": Table(said.left_tag, "tag", blob(32)),
    "release_datasetversion": Table(kept.dataset_version, "rows", "99"),
    "release_versioncolumn": Table(kept.version_column, "field_id", key_of(made.data_field)),
    "release_storedpart": Table(kept.stored_part, "rows", "99"),
    "release_resealing": Table(kept.resealing, "name", "'other'"),
    "release_presence": Table(kept.presence, "bits", blob(1024)),
    "release_releasepart": Table(kept.release_part, "rows", "99"),
    "release_use": Table(kept.use, "bits", blob(1024)),
    "release_withheld": Table(kept.withheld, "bits", blob(1024)),
    "release_download": Table(kept.download, "at", EARLIER),
    "release_recall": Table(kept.recall, "due_at", "'2030-01-01 00:00:00'"),
    "release_recalled": Table(kept.recalled, "bits", blob(1024)),
    "release_recallstep": Table(kept.recall_step, "at", EARLIER),
    "release_inquiry": Table(kept.inquiry, "at", EARLIER),
    "oversight_casehandle": Table(checked.case_handle, "word", "'other'"),
    "oversight_reading": Table(checked.reading, "look", "'event'"),
    "oversight_savedsearch": Table(checked.saved_search, "name", "'other'"),
    "oversight_finding": Table(checked.finding, "title", "'other'"),
    "oversight_findingstep": Table(checked.finding_step, "text", "'other'"),
    "oversight_membershipreview": Table(checked.membership_review, "verdict", "'end'"),
    "oversight_worksheet": Table(checked.worksheet, "seed", "'other'"),
    "oversight_worksheetline": Table(checked.worksheet_line, "number", "9999"),
    "oversight_worksheetcheck": Table(checked.worksheet_check, "found", "'missing'"),
    "release_sending": Table(kept.sending, "at", EARLIER),
    "consent_look": Table(said.look, "worker_id", key_of(made.user)),
    "consent_spoken": Table(speaking.spoken, "assent", "'unable'"),
    "consent_flag": Table(speaking.flag, "threat", "'trafficker'"),
}
# Rows that never go, and change in little.
CLOSING: dict[str, Table] = {
    "audit_entry": Table(log.entry, "actor", "'other'"),
    "governance_datakey": Table(data_key, "user_id", key_of(made.user), {"wrapped": blob(60)}),
    "governance_keptno": Table(made.kept_no, "act", "'key_ended'"),
    "consent_consent": Table(said.consent, "signature", "'other'"),
    "consent_objection": Table(said.objection, "made_at", EARLIER),
    "consent_shredding": Table(said.shredding, "asked_at", EARLIER),
    "consent_enrolmentcode": Table(said.enrolment_code, "issued_by_id", key_of(made.user)),
    "consent_assignment": Table(said.assignment, "begun_by_id", key_of(made.user)),
    "consent_block": Table(said.block, "worker_id", key_of(made.user)),
    "consent_spokenstop": Table(said.spoken_stop, "recorded_by_id", key_of(made.user)),
    "consent_representative": Table(speaking.representative, "recorded_at", EARLIER),
    "consent_minority": Table(speaking.minority, "recorded_at", EARLIER),
    "consent_dispute": Table(speaking.dispute, "reported_at", EARLIER),
    "consent_death": Table(speaking.death, "reported_at", EARLIER),
    "consent_proposal": Table(said.proposal, "days", "31"),
    "consent_lifting": Table(said.lifting, "due_at", "'2030-01-01 00:00:00'"),
    "consent_legalhold": Table(said.legal_hold, "placed_at", EARLIER),
    "consent_latetag": Table(said.late_tag, "entry_id", key_of(log.entry)),
    "consent_contest": Table(contests.decided, "decision", "'unchanged'"),
    "consent_subjectlink": Table(questions.link, "linked_at", EARLIER),
    "consent_question": Table(questions.answered, "reply", "'unknown'"),
    "consent_terms": Table(said.terms, "title", "'other'"),
    "consent_subject": Table(said.subject, "enrolled_at", EARLIER),
    "release_release": Table(kept.prepared, "rows", "99"),
    "oversight_auditcase": Table(checked.audit_case, "reason", "'other'"),
    "oversight_job": Table(checked.ended_job, "done", "9"),
}


def signed(part: Callable[[], Any]) -> Any:
    row = part()
    made.agreement_signature(agreement=row.agreement)
    return row


def handed_in(row: Any, request: AccessRequest) -> Any:
    AccessRequest.objects.filter(pk=request.pk).update(state="submitted", submitted_at=made.START)
    return row


def asked_field() -> Any:
    row = made.request_field()
    return handed_in(row, row.request)


def asked() -> AccessRequest:
    request = made.access_request()
    handed_in(request, request)
    return request


def signed_agreement() -> Model:
    return signed(lambda: made.agreement_dataset()).agreement  # type: ignore[no-any-return]


# Rows that are part of a text, which is signed or handed in.
PARTS: dict[str, Table] = {
    "governance_agreementdataset": Table(
        partial(signed, made.agreement_dataset), "dataset_id", key_of(made.dataset)
    ),
    "governance_agreementpurpose": Table(
        partial(signed, made.agreement_purpose), "purpose_id", key_of(made.purpose)
    ),
    "governance_agreementcategory": Table(
        partial(signed, made.agreement_category), "category_id", key_of(made.category)
    ),
    "governance_requestfield": Table(asked_field, "field_id", key_of(made.data_field)),
}
PARENT = dict.fromkeys(PARTS, "agreement_id") | {"governance_requestfield": "request_id"}
# Rows of which some columns stay.
KEPT: dict[str, Table] = {
    "governance_user": Table(made.user, "kind", "'machine'"),
    "governance_agreement": Table(signed_agreement, "title", "'other'"),
    "governance_accessrequest": Table(asked, "reason", "'other'"),
}
# Rows that once over are never open again: how one comes in, and the column that says it is over.
FINAL: dict[str, tuple[Callable[..., Model], str]] = {
    "governance_user": (made.user, "ended_at"),
    "governance_invitation": (made.invitation, "withdrawn_at"),
    "governance_accountreset": (made.account_reset, "closed_at"),
    "governance_papercode": (paper_code, "used_at"),
}
TABLES = {**FIXED, **CLOSING, **PARTS, **KEPT}
# Triggers that fill something in; they have tests of their own below.
FILLING = {("audit_logentry", "journal_waits")} | (
    {("governance_scope", "scope_moved_in")} if POSTGRES else set()
)


@dataclass(frozen=True)
class Guard:
    """One trigger and one kind of deed that it refuses."""

    table: str
    name: str
    deed: str

    def __str__(self) -> str:
        return f"{self.table}-{self.name}-{self.deed}"


def postgres_guards() -> Iterator[Guard]:
    for table in [*FIXED, *CLOSING]:
        yield Guard(table, "append_only_update", "UPDATE")
        joint = table in FIXED and not table.startswith(("consent_", "release_", "oversight_"))
        yield Guard(table, "append_only_update" if joint else "append_only_delete", "DELETE")
    for table in [*FIXED, *CLOSING, *PARTS]:
        yield Guard(table, "append_only_truncate", "TRUNCATE")
    for table in PARTS:
        for deed in ("INSERT", "UPDATE", "DELETE"):
            yield Guard(table, "append_only_part", deed)
    for table in KEPT:
        yield Guard(table, "append_only_kept", "UPDATE")
    yield Guard("audit_entry", "append_only_pending", "INSERT NUMBERED")
    yield Guard("governance_scope", "append_only_backwards", "BACKWARDS")
    yield Guard("governance_accessrequest", "append_only_backwards", "BACKWARDS")
    yield Guard("governance_membership", "membership_no_survivor", "INSERT SURVIVOR")
    yield Guard("governance_membership", "membership_no_survivor", "UPDATE SURVIVOR")
    yield Guard("consent_consent", "no_moves_an_epoch", "SAY LESS")
    for table in FINAL:
        yield Guard(table, "append_only_final", "OPEN AGAIN")


def sqlite_guards() -> Iterator[Guard]:
    for table in [*FIXED, *CLOSING]:
        short = "entry" if table == "audit_entry" else table
        yield Guard(table, f"append_only_{short}_update", "UPDATE")
        yield Guard(table, f"append_only_{short}_insert", "REPLACE")
        yield Guard(table, f"append_only_{table}_delete", "DELETE")
    yield Guard("audit_entry", "append_only_entry_insert", "INSERT NUMBERED")
    for table in PARTS:
        for deed in ("INSERT", "UPDATE", "DELETE"):
            yield Guard(table, f"append_only_{table}_{deed.lower()}", deed)
        yield Guard(table, f"append_only_{table}_again", "MOVE AWAY")
    for table in KEPT:
        yield Guard(table, f"append_only_{table}_kept", "UPDATE")
        yield Guard(table, f"append_only_{table}_insert", "REPLACE")
    for table in ("governance_scope", "governance_accessrequest"):
        yield Guard(table, f"append_only_{table}_backwards", "BACKWARDS")
    for deed in ("insert", "update"):
        name = f"membership_no_survivor_{deed}"
        yield Guard("governance_membership", name, f"{deed.upper()} SURVIVOR")
    for table in FINAL:
        yield Guard(table, f"append_only_{table}_final", "OPEN AGAIN")


GUARDS = list(postgres_guards() if POSTGRES else sqlite_guards())


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [
            tuple(bytes(cell) if isinstance(cell, memoryview) else cell for cell in row)
            for row in cursor.fetchall()
        ]


def content(table: str) -> list[tuple[Any, ...]]:
    return rows(f"SELECT * FROM {table} ORDER BY 1")


def columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} LIMIT 0")
        return [column[0] for column in cursor.description]


def copied(table: str, where: str, *, verb: str = "INSERT", **other: str) -> str:
    """A row like another one, with other values in some columns, without those that are empty."""
    wanted = [name for name in columns(table) if other.get(name) != ""]
    values = ", ".join(other.get(name, f'"{name}"') for name in wanted)
    names = ", ".join(f'"{name}"' for name in wanted)
    return f"{verb} INTO {table} ({names}) SELECT {values} FROM {table} WHERE {where}"


def harm(guard: Guard) -> str:
    """Rows are made, with every guard standing, and this is what would harm them."""
    table = guard.table
    if guard.deed in SPECIAL:
        return SPECIAL[guard.deed](table)
    kind = TABLES[table]
    row = kind.make()
    JournalWaiting.objects.all().delete()  # nothing else may keep a journal row from going
    where = f"{row._meta.pk.column} = {row.pk}"
    if guard.deed == "UPDATE":
        return f"UPDATE {table} SET {kind.column} = {kind.other()} WHERE {where}"
    if guard.deed == "DELETE":
        return f"DELETE FROM {table} WHERE {where}"
    if guard.deed == "REPLACE":
        other = kind.like or {kind.column: kind.other()}
        return copied(table, where, verb="INSERT OR REPLACE", **other)
    if guard.deed == "INSERT":
        return copied(table, where, id="", **{kind.column: kind.other()})
    if guard.deed == "MOVE AWAY":
        free = made.access_request() if table == "governance_requestfield" else made.agreement()
        return copied(table, where, verb="INSERT OR REPLACE", **{PARENT[table]: str(free.pk)})
    assert guard.deed == "TRUNCATE"
    return f"TRUNCATE {table} CASCADE"


def numbered(table: str) -> str:
    row = log.entry()
    return copied(table, f"id = {row.pk}", id="", seq="7")


def backwards(table: str) -> str:
    if table == "governance_scope":
        return f"UPDATE {table} SET epoch = 4 WHERE id = {made.scope(epoch=5).pk}"
    return f"UPDATE {table} SET state = 'draft' WHERE id = {asked().pk}"


def survivors_role(table: str, update: bool) -> str:
    row, survivor = made.membership(), made.user(kind="survivor")
    if update:
        return f"UPDATE {table} SET user_id = {survivor.pk} WHERE id = {row.pk}"
    return copied(table, f"id = {row.pk}", id="", user_id=str(survivor.pk))


def less(table: str) -> str:
    row = said.consent()
    return (
        f"UPDATE {table} SET ended_at = '2026-01-20 00:00:00+00', ending = 'withdrawn'"
        f" WHERE id = {row.pk}"
    )


def opened_again(table: str) -> str:
    make, column = FINAL[table]
    row = make()
    active = {"is_active": False} if table == "governance_user" else {}
    type(row)._default_manager.filter(pk=row.pk).update(**{column: made.START}, **active)
    return f"UPDATE {table} SET {column} = NULL WHERE id = {row.pk}"


SPECIAL: dict[str, Callable[[str], str]] = {
    "OPEN AGAIN": opened_again,
    "INSERT NUMBERED": numbered,
    "BACKWARDS": backwards,
    "INSERT SURVIVOR": partial(survivors_role, update=False),
    "UPDATE SURVIVOR": partial(survivors_role, update=True),
    "SAY LESS": less,
}


def nothing_pending() -> None:
    """PostgreSQL changes no trigger while foreign keys still wait to be looked at."""
    if POSTGRES:
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        execute("SET CONSTRAINTS ALL DEFERRED")


def standing() -> set[tuple[str, str]]:
    if POSTGRES:
        found = rows(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE NOT t.tgisinternal AND n.nspname = current_schema()"
        )
    else:
        found = rows("SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'")
    return set(found)


def take_away(table: str, name: str) -> None:
    execute(f"DROP TRIGGER {name} ON {table}" if POSTGRES else f"DROP TRIGGER {name}")


def alone(guard: Guard) -> None:
    """TRUNCATE reaches every table that points at this one; their guards would answer too."""
    if guard.deed == "TRUNCATE":
        for table, name in standing():
            if name == guard.name and table != guard.table:
                take_away(table, name)


def test_every_trigger_of_the_database_has_its_harm_here():
    assert standing() == {(guard.table, guard.name) for guard in GUARDS} | FILLING


def test_every_table_is_here_with_each_deed_that_its_guards_refuse():
    for table in [*FIXED, *CLOSING]:
        deeds = {guard.deed for guard in GUARDS if guard.table == table}
        assert deeds >= {"UPDATE", "DELETE", "TRUNCATE" if POSTGRES else "REPLACE"}


@pytest.mark.parametrize("guard", GUARDS, ids=str)
def test_with_this_guard_the_harm_is_refused_and_without_it_it_happens(guard):
    deed = harm(guard)
    nothing_pending()
    alone(guard)
    before = content(guard.table)
    assert before
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        execute(deed)
    assert any(word in str(refusal.value) for word in ("append_only", "a survivor", "say less"))
    assert content(guard.table) == before

    with transaction.atomic():  # taken back afterwards, so that no broken row is left
        take_away(guard.table, guard.name)
        execute(deed)
        assert content(guard.table) != before
        transaction.set_rollback(True)
    assert content(guard.table) == before


def test_without_its_trigger_a_journal_row_is_covered_by_nothing():
    with transaction.atomic():
        seen = log.journal_row()
        assert record_journal(at=AT, via="task") == 1
        assert JournalDigest.objects.filter(row=seen).exists()
    nothing_pending()
    take_away("audit_logentry", "journal_waits")
    unseen = log.journal_row()
    assert record_journal(at=AT, via="task") == 0
    with pytest.raises(CommandError, match=f"journal row {unseen.pk}: no entry covers it"):
        call_command("verify_log", stdout=StringIO())


@pytest.mark.postgresql_only
def test_without_its_trigger_a_scope_does_not_say_which_transaction_moved_it():
    scope = made.scope()
    Scope.objects.filter(pk=scope.pk).update(epoch=1)
    scope.refresh_from_db()
    assert scope.moved_in is not None
    nothing_pending()
    take_away("governance_scope", "scope_moved_in")
    other = made.scope()
    Scope.objects.filter(pk=other.pk).update(epoch=1)
    other.refresh_from_db()
    assert other.moved_in is None
