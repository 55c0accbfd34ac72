"""The change journal at work: each trap of the library, and that it does not snap, on both databases."""

import json
import threading
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from auditlog.registry import AuditlogModelRegistry
from django.contrib.auth import user_logged_in
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.utils import timezone
from guardian.shortcuts import assign_perm, remove_perm

from audit.actions import journal, sequence
from audit.models import Entry, JournalDigest, JournalWaiting, LogEntry
from audit.rules import MASK
from audit.vocabulary import SYSTEM, EntryType, Via
from common.acting import acting
from governance import permissions
from governance.actions import boards, catalogue, organisations, people, trail
from governance.models import Organisation, OrganisationUserPermission
from governance.rules import FieldSpec
from governance.vocabulary import (
    FieldSensitivity,
    FieldType,
    OrganisationKind,
    Role,
    SeatKind,
    UserKind,
)
from tests.append_only import triggers_lifted
from tests.factories import governance as made
from tests.integration.audit_log import happened, log_keys  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("log_keys")]


def rows(thing: Any = None) -> list[LogEntry]:
    found = LogEntry.objects.all() if thing is None else LogEntry.objects.get_for_object(thing)
    return list(found.order_by("pk"))


def hand(by):
    return {"by": by, "at": timezone.now(), "via": Via.DESK}


@pytest.fixture
def convener():
    return people.create_first_administrator(
        username="north-hazel-7",
        password="copper lantern meadow thirty swans",
        organisation_name="Commons",
        at=timezone.now(),
        via=Via.COMMAND,
    )


# --- what is kept ----------------------------------------------------------------------------


def test_a_row_that_comes_changes_and_goes_leaves_a_row_each_time():
    body = made.organisation(name="River")
    body.name = "Riverside"
    body.save()
    pk = body.pk
    body.delete()
    found = LogEntry.objects.filter(object_id=pk, content_type__model="organisation")
    assert [row.action for row in found.order_by("pk")] == [0, 1, 2]
    assert found.get(action=1).changes == {"name": ["River", "Riverside"]}


def test_nothing_and_the_word_none_are_kept_apart():
    body = made.organisation(name="None")
    kept = rows(body)[0].changes
    assert kept["name"] == [None, "None"]
    assert "verified_at" not in kept


def test_a_column_that_is_not_named_leaves_nothing():
    user = made.user()
    before = len(rows())
    user.language = "es"
    user.set_password("another long phrase 41")
    user.save()
    user_logged_in.send(sender=type(user), request=None, user=user)  # notes the time of signing in
    user.refresh_from_db()
    assert user.last_login is not None
    assert len(rows()) == before


def test_of_a_masked_column_only_the_change_is_kept():
    token = made.api_token()
    was = token.digest
    token.digest = made.digest()
    token.save()
    created, changed = rows(token)
    assert changed.changes == {"digest": [MASK, MASK]}
    assert created.changes["digest"] == [MASK, MASK]
    asked = made.access_request(reason="To plan beds for the winter.")
    asked.reason = "Better said."
    asked.save()
    assert rows(asked)[1].changes == {"reason": [MASK, MASK]}
    told = json.dumps([row.changes for row in rows()])
    for secret in (was, was[32:], token.digest[32:], "beds", "winter", "Better"):
        assert secret not in told


def test_a_row_is_named_by_its_number_whatever_its_model_says_of_itself(monkeypatch):
    monkeypatch.setattr(Organisation, "__str__", lambda self: "river-maple-41")
    body = made.organisation()
    key = made.recipient_key(organisation=body)
    assert [row.object_repr for row in rows(body)] == [f"governance.organisation {body.pk}"]
    assert rows(key)[0].changes["organisation"] == [None, body.pk]
    assert "river-maple-41" not in json.dumps(list(LogEntry.objects.values()), default=str)


def test_a_many_to_many_field_is_not_journaled_even_where_somebody_registers_it():
    """The library would keep what every related row says of itself."""
    user, group = made.user(), Group.objects.create(name="river-maple-41")
    planted = AuditlogModelRegistry()
    planted.register(type(user), include_fields=["ref"], m2m_fields={"groups"})
    try:
        with pytest.raises(TypeError, match="many-to-many"), transaction.atomic():
            user.groups.add(group)
    finally:
        planted.unregister(type(user))
    assert not user.groups.exists()
    assert "river-maple-41" not in json.dumps(list(LogEntry.objects.values()), default=str)


def test_a_survivors_account_leaves_no_row_and_a_staff_account_does():
    survivor = made.user(kind=UserKind.SURVIVOR)
    survivor.is_active = False
    survivor.save()
    pk = survivor.pk
    survivor.delete()
    assert not LogEntry.objects.filter(content_type__model="user", object_id=pk).exists()
    assert rows(made.user())[0].changes["kind"] == [None, "staff"]


def test_what_fills_a_seat_does_not_say_by_whom_also_not_in_the_row_beside_it(convener):
    """A kind of seat tells on a person."""
    user, before = made.user(), len(rows())
    boards.fill_seat(board=made.board(), user=user, kind=SeatKind.SURVIVOR, **hand(convener))
    left = {row.content_type.model: row.changes for row in rows()[before:]}
    assert left["seat"]["kind"] == [None, "survivor"]
    assert left["seat"]["user"] == left["boarduserpermission"]["user"] == [MASK, MASK]


def test_a_second_factor_is_kept_without_its_secret():
    user = made.user()
    device = Authenticator.objects.create(user=user, type="totp", data={"secret": "v1:abcdef"})
    device.record_usage()
    device.data = {"secret": "v1:ghijkl"}
    device.save()
    Authenticator.objects.filter(user=user).delete()
    found = LogEntry.objects.filter(content_type__model="authenticator").order_by("pk")
    assert [row.action for row in found] == [0, 2]
    assert set(found[0].changes) == {"user", "type", "created_at"}


def test_a_right_granted_behind_the_deeds_shows(convener):
    user = made.user()
    body = Organisation.objects.get()
    before = len(rows())
    assign_perm(permissions.ADMINISTER, user, body)
    kept = OrganisationUserPermission.objects.get(user=user)
    remove_perm(permissions.ADMINISTER, user, body)
    granted, taken = rows()[before:]
    assert (granted.action, granted.object_pk) == (0, str(kept.pk))
    assert granted.changes["user"] == [None, user.pk]
    assert (taken.action, taken.object_pk) == (2, str(kept.pk))


# --- many at once ----------------------------------------------------------------------------


def bodies(count: int) -> list[Organisation]:
    return [
        Organisation(name=f"Body {n}", kind="health", created_at=made.START) for n in range(count)
    ]


def test_many_rows_written_by_the_helper_leave_a_row_each_and_two_statements(
    django_assert_num_queries,
):
    made.organisation()  # the content type is known from here on
    with transaction.atomic(), acting(lambda: "usr-2222222222222"):
        with django_assert_num_queries(2):
            written = journal.insert(bodies(30))
        left = LogEntry.objects.filter(actor="usr-2222222222222")
        assert {row.object_id for row in left} == {body.pk for body in written}
        assert left.get(object_id=written[7].pk).changes["name"] == [None, "Body 7"]
        assert journal.insert([]) == []


def test_many_rows_written_otherwise_leave_nothing_which_is_why_a_test_forbids_it():
    Organisation.objects.bulk_create(bodies(2))
    Organisation.objects.filter(name="Body 1").update(name="Other")
    assert rows() == []


def test_many_rows_are_not_written_outside_a_transaction():
    with pytest.raises(RuntimeError, match="transaction"):
        journal.insert(bodies(2))
    assert not Organisation.objects.exists()


def test_many_survivors_accounts_leave_no_row_either():
    accounts = [type(made.user())(username=f"calm-{n}", kind=kind)
                for n, kind in enumerate(["survivor", "staff"])]  # fmt: skip
    before = len(rows())
    with transaction.atomic():
        _, staff = journal.insert(accounts)
    assert [row.object_id for row in rows()[before:]] == [staff.pk]


# --- who acts --------------------------------------------------------------------------------


def actor_of(thing: Any) -> str | None:
    return rows(thing)[-1].actor


def test_where_nobody_has_said_who_acts_it_is_the_system():
    assert actor_of(made.organisation()) == SYSTEM


def test_the_outer_actor_is_there_again_after_an_inner_one():
    """The library's own `set_actor` loses it."""
    with acting(lambda: "usr-outer"):
        first = made.organisation()
        with acting(lambda: "usr-inner"):
            second = made.organisation()
        third = made.organisation()
        with pytest.raises(ZeroDivisionError), acting(lambda: "usr-inner"):
            raise ZeroDivisionError
        fourth = made.organisation()
    last = made.organisation()
    assert [actor_of(one) for one in (first, second, third, fourth, last)] == [
        "usr-outer", "usr-inner", "usr-outer", "usr-outer", SYSTEM,
    ]  # fmt: skip


def test_two_who_act_at_once_are_not_taken_for_one_another():
    both, found = threading.Barrier(2, timeout=20), {}

    def act(name):
        try:
            with acting(lambda: name):
                both.wait()
                found[name] = [made.organisation(), made.organisation()]
                both.wait()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=act, args=[f"usr-{n}"]) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    for name, written in found.items():
        assert {actor_of(body) for body in written} == {name}


# --- covered by the log ----------------------------------------------------------------------


def covered(row: LogEntry) -> Entry:
    return JournalDigest.objects.select_related("entry").get(row=row).entry


def test_what_a_deed_changes_is_covered_in_the_deeds_own_transaction(convener):
    with acting(lambda: trail.actor(convener)):
        body = organisations.create(name="River", kind=OrganisationKind.HEALTH, **hand(convener))
        assert not JournalWaiting.objects.exists()  # nobody else has covered it
        organisations.verify(organisation=body, **hand(convener))
    assert not JournalWaiting.objects.exists()
    created, verified = rows(body)
    for row in (created, verified):
        entry = covered(row)
        assert (entry.type, entry.actor) == (EntryType.JOURNAL_CHANGED, convener.ref)
        assert entry.resource == f"journal:{row.pk}"
    deed = Entry.objects.get(type=EntryType.ORGANISATION_CHANGED, resource=body.ref)
    assert covered(verified).pk < deed.pk


def test_what_a_deed_changes_goes_with_the_deed_when_it_is_undone(convener, monkeypatch):
    before = len(rows()), Entry.objects.count()

    def broken(**given):
        raise ZeroDivisionError

    monkeypatch.setattr(trail, "record", broken)
    with pytest.raises(ZeroDivisionError):
        organisations.create(name="River", kind=OrganisationKind.HEALTH, **hand(convener))
    assert (len(rows()), Entry.objects.count()) == before
    assert not Organisation.objects.filter(name="River").exists()


def test_a_deed_on_more_rows_than_fit_in_one_batch_covers_them_all(monkeypatch):
    monkeypatch.setattr("audit.actions.entries.JOURNAL_BATCH", 7)
    with transaction.atomic():
        journal.insert(bodies(30))
        happened()
    assert not JournalWaiting.objects.exists()
    assert JournalDigest.objects.count() == 30


def test_the_columns_of_a_dataset_are_journaled_though_they_come_in_at_once(convener):
    dataset = made.dataset()
    permissions.grant(convener, dataset.holder, Role.STEWARD)
    category = made.category().code
    specs = [
        FieldSpec(f"column_{n}", FieldType.TEXT, category, FieldSensitivity.QUASI) for n in range(3)
    ]
    columns = catalogue.define_fields(dataset=dataset, fields=specs, **hand(convener))
    assert not JournalWaiting.objects.exists()
    for column in columns:
        (row,) = rows(column)
        assert covered(row).type == EntryType.JOURNAL_CHANGED
        assert row.changes["name"] == [None, column.name]


def verify():
    sequence()
    out = StringIO()
    call_command("verify_log", stdout=out)
    return out.getvalue()


@pytest.fixture
def told(convener):
    """A real deed's row in the journal, under the signed log."""
    body = organisations.create(name="River", kind=OrganisationKind.HEALTH, **hand(convener))
    assert f"{LogEntry.objects.count()} journal rows" in verify()
    return rows(body)[0]


@pytest.mark.parametrize(
    "change",
    [
        {"changes": {"name": [None, "Delta"]}},
        {"actor": "usr-other"},
        {"object_pk": "7"},
        {"action": 2},
        {"timestamp": made.START},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_real_deeds_row_that_was_changed_is_named(told, change):
    with triggers_lifted():
        LogEntry.objects.filter(pk=told.pk).update(**change)
    entry = covered(told)
    with pytest.raises(CommandError, match=f"journal row {told.pk}: it no longer says what entry"):
        verify()
    assert entry.seq is not None


def test_a_real_deeds_row_that_was_taken_away_is_named(told):
    seq = covered(told).seq
    with triggers_lifted():
        JournalDigest.objects.filter(pk=told.pk).delete()
        LogEntry.objects.filter(pk=told.pk).delete()
    with pytest.raises(CommandError, match=f"entry {seq}: the journal row it covers is gone"):
        verify()


def test_a_row_slipped_into_the_journal_is_named(told):
    with triggers_lifted():
        told.pk = None
        told.save(force_insert=True)
        JournalWaiting.objects.all().delete()
    with pytest.raises(CommandError, match="no entry covers it"):
        verify()
