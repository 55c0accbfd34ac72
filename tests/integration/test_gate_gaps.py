"""A no, or the end of a yes, in each gap of the line: nothing of hers leaves after it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from threading import Thread
from typing import Any

import numpy as np
import pytest
from django.db import connection, connections, transaction
from django.db.models import Model
from django.utils import timezone

from audit.models import Entry
from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType
from common.errors import NotPermitted, Void
from common.planned import Reading, side_by_side
from consent.models import Consent
from consent.queries.keys import tags_of
from governance.actions import memberships, people, scopes
from governance.models import User
from governance.vocabulary import Role, UserKind
from release.actions import answers, handing, preparing
from release.models import Download, Release
from release.queries import facts
from release.queries.standing import used
from release.rules import timing
from release.rules.packed import unpack
from release.vocabulary import DownloadPart, Ground, ReleaseState, VoidGround
from tests.append_only import triggers_lifted
from tests.gate import Later, before, drained, part_of, part_streams
from tests.sheets import numbers
from tests.worlds import World, hand, lasting_world

pytestmark = pytest.mark.database
PEOPLE = 60


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), lasting_world(PEOPLE, each=1, part_rows=6) as found:
        found.fresh = iter(numbers(PEOPLE))
        yield found


@pytest.fixture
def her(world) -> Iterator[str]:
    """A client whom no other test has touched; afterwards she shares nothing any more."""
    number = next(world.fresh)
    yield number
    if Consent.objects.filter(subject=world.subject(number), ended_at__isnull=True).exists():
        world.no(number)


@pytest.fixture
def later(monkeypatch) -> Later:
    """Time that passes at once, as if the heartbeats of a lease had gone on in it."""
    monkeypatch.setattr(timing, "LEASE", timedelta(days=1))
    return Later(monkeypatch)


def holds(world: World, release: Release, number: str) -> bool:
    return world.subject(number).slot in used(release).tolist()


def void_after(world: World, release: Release, ground: VoidGround) -> Release:
    """Nothing of the package can be fetched any more; gives the release that replaces it."""
    for part, piece in [(DownloadPart.PACKAGE, {}), (DownloadPart.PART, {"number": 1})]:
        with pytest.raises(Void):
            world.hand_over(release, part, **piece)
    release.refresh_from_db()
    assert release.void_ground == ground
    return Release.objects.get(replaces=release)


# --- while it is prepared -------------------------------------------------------------------------

STEPS = [
    (facts, "gather_facts"),  # between epochs and facts
    (preparing, "decide"),  # between facts and decision
    (preparing, "_write"),  # between decision and writing
    (preparing, "_catch_up"),  # between writing and catching up
    (preparing, "_commit"),  # between writing and commit
]


@pytest.mark.parametrize(("place", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_no_while_a_package_is_prepared_keeps_her_out(world, her, monkeypatch, place, step):
    taken = before(monkeypatch, place, step, lambda: world.no(her))
    release = world.prepare()
    assert taken
    assert release.state == ReleaseState.PREPARED
    assert not holds(world, release, her)
    assert her not in world.received(release)


def test_without_the_catching_up_and_the_last_look_the_same_no_is_missed(world, her, monkeypatch):
    """The test above bites: with nothing looking for noes she is in the package."""
    monkeypatch.setattr(preparing, "_apply_moves", lambda _: [])
    before(monkeypatch, preparing, "_commit", lambda: world.no(her))
    assert holds(world, world.prepare(), her)


def people_root(release: Release) -> bytes:
    """The root over the parts' people, made anew from who is in each part."""
    nonce = bytes(release.entry.nonce)
    return subjects_root(
        subjects_root(tags_of(release.holder.ref, unpack(part.slots).tolist(), nonce))
        for part in release.parts.order_by("number")
    )


def test_the_entry_stands_on_exactly_the_people_inside_also_after_a_part_was_written_again(
    world, her, monkeypatch
):
    made = []
    monkeypatch.setattr(
        preparing.subject_keys, "tags_of", lambda *given: made.append(given) or tags_of(*given)
    )
    taken = before(monkeypatch, preparing, "_commit", lambda: world.no(her))
    release = world.prepare()
    assert taken
    assert bytes(release.entry.subjects_root) == people_root(release)
    # Under the lock no tag is made anew: a part that was written again has fewer people, not others.
    assert len(made) == release.version.parts.count()


def test_tags_are_given_only_to_those_for_whom_they_were_made():
    known = preparing.Tagged(np.array([2, 5, 9], np.int32), b"a" * 32 + b"b" * 32 + b"c" * 32)
    assert known.of(np.array([2, 9], np.int32)) == [b"a" * 32, b"c" * 32]
    assert known.of(np.array([], np.int32)) == []
    for stranger in ([1], [2, 6], [9, 10], [2, 5, 9, 11]):
        assert known.of(np.array(stranger, np.int32)) is None


@pytest.mark.parametrize(("place", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_yes_that_ends_while_a_package_is_prepared_keeps_her_out(
    world, her, monkeypatch, later, place, step
):
    world.yes(her, ends=timezone.now() + timedelta(seconds=100))
    assert holds(world, world.prepare(), her)
    taken = before(monkeypatch, place, step, lambda: later.pass_(minutes=2))
    release = world.prepare()
    assert taken
    assert not holds(world, release, her)


def test_a_yes_that_ends_within_the_time_of_writing_is_left_out(world, her):
    world.yes(her, ends=timezone.now() + timedelta(seconds=30))
    assert not holds(world, world.prepare(), her)


def test_a_machine_slower_than_the_estimate_gets_done_at_a_further_attempt(
    world, monkeypatch, later
):
    tries = []

    def slow(running, work, commit=preparing._commit):
        tries.append(work.until)
        later.pass_(seconds=100)  # longer than the first attempt gives itself
        return commit(running, work)

    monkeypatch.setattr(preparing, "_commit", slow)
    assert world.prepare().state == ReleaseState.PREPARED
    assert len(tries) == 2


def test_a_no_during_the_commit_waits_for_it_and_voids_the_package(world, her, monkeypatch):
    """The commit holds the locks: the no is acknowledged after it, so it must find the package void."""
    done: list[bool] = []

    def say_no() -> None:
        world.no(her)
        done.append(True)
        connections.close_all()

    thread = Thread(target=say_no)

    def at_commit() -> None:
        thread.start()
        thread.join(timeout=0.5)
        assert not done

    before(monkeypatch, answers, "record", at_commit)
    release = world.prepare()
    thread.join(timeout=30)
    assert done
    assert holds(world, release, her)
    void_after(world, release, VoidGround.PERSON_SAID_NO)


def test_a_newer_yes_that_ends_sooner_shortens_the_package(world, her, monkeypatch):
    soon = timezone.now() + timedelta(hours=3)
    before(monkeypatch, preparing, "_commit", lambda: world.yes(her, ends=soon))
    release = world.prepare()
    assert holds(world, release, her)
    assert release.good_until == soon


def test_what_cannot_be_written_again_in_time_is_left_out_whole(world, her, monkeypatch):
    monkeypatch.setattr(timing, "LOCKED_MOST", -1.0)
    before(monkeypatch, preparing, "_commit", lambda: world.no(her))
    release = world.prepare()
    assert release.state == ReleaseState.PREPARED
    assert not holds(world, release, her)
    assert release.grounds[Ground.CHANGED_WHILE_WRITTEN] >= 2  # her neighbours in the part as well
    assert her not in world.received(release)


def test_a_package_is_never_prepared_inside_a_transaction(world):
    waiting = world.ask()
    with transaction.atomic(), pytest.raises(RuntimeError, match="outside any transaction"):
        world.run(waiting)
    assert world.run(waiting).state == ReleaseState.PREPARED


def test_who_is_overtaken_by_another_worker_takes_its_answer(world, monkeypatch):
    waiting = world.ask()

    def overtaken() -> None:
        monkeypatch.undo()
        waiting.lease.delete()
        world.run(waiting, worker="another")

    before(monkeypatch, preparing, "_commit", overtaken)
    answered = world.run(waiting, worker="slow")
    assert answered.state == ReleaseState.PREPARED
    assert list(world.fetch(answered)[:2]) == list(b"PK")


# --- after it was prepared ------------------------------------------------------------------------


def test_a_no_between_commit_and_handing_over_voids_the_package(world, her):
    release = world.prepare()
    world.no(her)
    again = world.run(void_after(world, release, VoidGround.PERSON_SAID_NO))
    assert her not in world.received(again)


def test_a_no_before_a_second_download_voids_the_package(world, her):
    release = world.prepare()
    assert her in world.received(release)
    world.no(her)
    void_after(world, release, VoidGround.PERSON_SAID_NO)


def test_a_no_between_the_permit_and_the_first_byte_stops_her_part(world, her, monkeypatch):
    release = world.prepare()
    piece = part_of(world, release, her)
    before(monkeypatch, handing, "settle", lambda: world.no(her))
    handed = world.hand_over(release, DownloadPart.PART, number=piece.number)
    with pytest.raises(Void):
        drained(handed)


def test_a_no_between_two_parts_stops_the_stream_before_hers(world, her):
    release = world.prepare()
    assert release.parts.count() > 2
    mine = part_of(world, release, her)
    while mine.number == 1:  # parts lie in random order; hers must not be the first
        release = world.prepare()
        mine = part_of(world, release, her)
    stream = part_streams(world.hand_over(release))
    sent = [next(stream)[0]]
    assert sent == ["manifest.json"]
    while "part-00001" not in sent[-1]:
        sent.append(next(stream)[0])
    world.no(her)
    with pytest.raises(Void):
        sent.extend(name for name, _ in stream)
    assert not any(f"part-{mine.number:05d}" in name for name in sent)
    void_after(world, release, VoidGround.PERSON_SAID_NO)


def test_a_no_between_two_ranges_ends_with_nothing_more(world, her):
    release = world.prepare()
    piece = part_of(world, release, her)
    first = world.hand_over(release, DownloadPart.PART, number=piece.number, first=0, last=9)
    assert len(drained(first)) == 10
    world.no(her)
    with pytest.raises(Void):
        world.hand_over(release, DownloadPart.PART, number=piece.number, first=10, last=19)
    void_after(world, release, VoidGround.PERSON_SAID_NO)


def test_somebody_elses_no_lets_the_parts_without_her_go_on(world, her):
    release = world.prepare()
    mine = part_of(world, release, her)
    other = next(part for part in release.parts.all() if part.number != mine.number)
    handed = world.hand_over(release, DownloadPart.PART, number=other.number)
    world.no(her)
    assert len(drained(handed)) == other.size


# --- the end of a yes, a request, an agreement, after it was prepared ----------------------------


def test_a_yes_that_ended_before_handing_over_voids_the_package(world, her, later):
    world.yes(her, ends=timezone.now() + timedelta(minutes=30))
    release = world.prepare()
    assert her in world.received(release)
    later.pass_(minutes=31)
    again = world.run(void_after(world, release, VoidGround.CONSENT_ENDED))
    assert her not in world.received(again)


def test_a_yes_that_ends_between_two_ranges_ends_with_nothing_more(world, her, later):
    world.yes(her, ends=timezone.now() + timedelta(minutes=30))
    release = world.prepare()
    number = part_of(world, release, her).number
    assert drained(world.hand_over(release, DownloadPart.PART, number=number, first=0, last=4))
    later.pass_(minutes=31)
    void_after(world, release, VoidGround.CONSENT_ENDED)


def test_a_yes_that_ends_between_the_permit_and_her_part_stops_it(world, her, later):
    world.yes(her, ends=timezone.now() + timedelta(minutes=5))
    release = world.prepare()
    number = part_of(world, release, her).number
    handed = world.hand_over(release, DownloadPart.PART, number=number)
    later.pass_(minutes=6)
    with pytest.raises(Void):
        drained(handed)


def test_a_newer_yes_that_ends_between_the_permit_and_her_part_stops_it(world, her, later):
    release = world.prepare()
    world.yes(her, ends=timezone.now() + timedelta(minutes=5))
    handed = world.hand_over(release, DownloadPart.PART, number=part_of(world, release, her).number)
    later.pass_(minutes=6)
    with pytest.raises(Void):
        drained(handed)


def test_a_newer_yes_to_fewer_days_of_record_voids_the_package(world, her):
    release = world.prepare()
    world.yes(her, record_until=date(2024, 1, 1))
    void_after(world, release, VoidGround.PERSON_SAID_NO)


def test_it_does_so_where_the_door_that_took_her_first_yes_has_a_clock_that_is_ahead(world, her):
    world.no(her)
    now = timezone.now()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: now + timedelta(seconds=55))
        first = world.yes(her, signed_at=now)
    release = world.prepare()
    assert first.recorded_at > release.answered_at
    assert holds(world, release, her)
    world.yes(her, record_until=date(2024, 1, 1))
    void_after(world, release, VoidGround.PERSON_SAID_NO)


def test_a_newer_yes_to_no_less_leaves_the_package_good(world, her):
    release = world.prepare()
    world.yes(her)
    assert her in world.received(release)


@pytest.mark.parametrize("model", ["request", "agreement"])
def test_a_stream_stops_where_its_request_or_agreement_runs_out(world, later, model):
    release = world.prepare()
    row = release.request if model == "request" else release.request.agreement
    with moved_end(row, timezone.now() + timedelta(minutes=5)):
        release = world.prepare()
        handed = world.hand_over(release, DownloadPart.PART, number=1)
        later.pass_(minutes=6)
        with pytest.raises(Void):
            drained(handed)


@contextmanager
def moved_end(row: Model, ends: datetime) -> Iterator[None]:
    """A row that no deed can change has another end inside, and its own again afterwards."""
    rows = type(row).objects.filter(pk=row.pk)
    before_that = row.ends
    with triggers_lifted():
        rows.update(ends=ends)
    yield
    with triggers_lifted():
        rows.update(ends=before_that)


def test_a_stream_is_cut_after_fifteen_minutes_within_a_part_too(world, later, monkeypatch):
    monkeypatch.setattr(handing, "PIECE", 100)
    release = world.prepare()
    handed = world.hand_over(release, DownloadPart.PART, number=1)
    assert len(next(handed.chunks)) == 100
    later.pass_(minutes=16)
    with pytest.raises(Void):
        next(handed.chunks)
    release.refresh_from_db()
    assert release.voided_at is None  # slow is no reason to void it: it may be fetched again


def test_who_reads_a_part_slowly_gets_nothing_more_once_somebody_in_it_has_said_no(
    world, her, monkeypatch
):
    monkeypatch.setattr(handing, "PIECE", 100)
    monkeypatch.setattr(timing, "LOOK_AGAIN", 0.0)
    release = world.prepare()
    part = next(
        each for each in release.parts.all() if world.subject(her).slot in unpack(each.slots)
    )
    handed = world.hand_over(release, DownloadPart.PART, number=part.number)
    assert len(next(handed.chunks)) == 100
    world.no(her)
    with pytest.raises(Void):
        next(handed.chunks)
    release.refresh_from_db()
    assert release.void_ground == VoidGround.PERSON_SAID_NO


def test_who_is_shut_out_while_a_part_is_sent_gets_nothing_more_of_it(world, monkeypatch):
    """No epoch moves then: whoever comes is asked about as well."""
    monkeypatch.setattr(handing, "PIECE", 100)
    monkeypatch.setattr(timing, "LOOK_AGAIN", 0.0)
    handed = world.hand_over(world.prepare(), DownloadPart.PART, number=1)
    assert len(next(handed.chunks)) == 100
    shut = User.objects.filter(pk=world.requester.pk)
    shut.update(shut_at=timezone.now())
    try:
        with pytest.raises(Void):
            next(handed.chunks)
    finally:
        shut.update(shut_at=None)


def test_a_role_that_ends_between_the_question_and_the_permit_gets_nothing(world, monkeypatch):
    """She who asked may still ask; he who fetches may no more."""
    release = world.prepare()
    admin = hand(world.recipient_admin)
    other = people.create_user(username="delta-sorrel-3", kind=UserKind.STAFF, **admin)
    membership = memberships.grant(
        user=other, organisation=world.recipient, role=Role.REQUESTER, **admin
    )
    before(
        monkeypatch,
        handing,
        "_permit",
        lambda: memberships.end(membership=membership, **hand(world.recipient_admin)),
    )
    with pytest.raises(NotPermitted):
        handing.hand_over(release=release, part=DownloadPart.PACKAGE, **hand(other))
    assert not Download.objects.filter(release=release).exists()
    assert Entry.objects.filter(type=EntryType.DOWNLOAD_REFUSED, actor=other.ref).exists()
    assert world.fetch(release)


# --- the ground it stands on ----------------------------------------------------------------------


@pytest.mark.postgresql_only
def test_every_connection_reads_what_is_committed_at_each_statement(world):
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        assert cursor.fetchone() == ("read committed",)


@pytest.mark.postgresql_only
def test_the_lock_is_taken_in_one_statement_and_the_facts_are_read_in_later_ones(
    world, monkeypatch
):
    release = world.prepare()
    said: list[str] = []

    def listen(execute: Callable, sql: str, params: object, many: bool, context: object) -> object:
        said.append(sql)
        return execute(sql, params, many, context)

    def sent(*readings: Reading[Any]) -> Iterator[Any]:
        said.extend(each.statement.sql["postgresql"] for each in readings)
        return side_by_side(*readings)

    monkeypatch.setattr(scopes, "side_by_side", sent)
    with connection.execute_wrapper(listen):
        world.fetch(release)
    locks = [at for at, sql in enumerate(said) if "pg_advisory_xact_lock_shared" in sql]
    assert len(locks) >= 2
    assert all(said[at].strip().upper().startswith("SELECT PG_ADVISORY") for at in locks)
    assert all("FROM" not in said[at].upper() for at in locks)
    after = said[locks[1] + 1 :]
    assert "clock_timestamp" in after[0]
    assert any("governance_accessrequest" in sql for sql in after)


@pytest.mark.django_db
def test_no_request_is_one_long_transaction():
    assert connection.settings_dict["ATOMIC_REQUESTS"] is False
