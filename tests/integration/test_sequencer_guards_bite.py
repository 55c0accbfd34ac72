"""What keeps two sequencers, a held entry and a late commit from harming the log: each taken away."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.db.models import Max, QuerySet

from audit.actions import entries, record, sequence, sequencing
from audit.models import Checkpoint, Entry, JournalDigest, JournalWaiting, Node
from common.errors import NotReady
from common.planned import Planned
from tests.append_only import triggers_lifted
from tests.factories.audit import journal_row
from tests.integration.audit_log import AT, happened, log_keys  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("log_keys")]
LONG = 20  # seconds; nothing here takes as long unless it is broken


def side_by_side(*works: Callable[[], Any]) -> list[Any]:
    """What each gave or raised, each with a connection of its own."""
    found: list[Any] = [None] * len(works)

    def run(place: int) -> None:
        try:
            found[place] = works[place]()
        except Exception as error:  # noqa: BLE001 - handed to the test
            found[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG * 2)
    return found


@pytest.fixture
def together(monkeypatch):
    """Two sequencers go on only when both have read the tree, or when one waits in vain."""
    both, real = threading.Barrier(2, timeout=2), sequencing._checked_edge

    def met():
        edge = real()
        with suppress(threading.BrokenBarrierError):
            both.wait()
        return edge

    monkeypatch.setattr(sequencing, "_checked_edge", met)


def two_sequencers(before: Callable[[], None] = lambda: None) -> list[Any]:
    for number in range(4):
        happened(number)

    def work():
        before()
        return sequence(limit=2)

    return side_by_side(work, work)


def numbers() -> list[int | None]:
    return list(Entry.objects.order_by("seq").values_list("seq", flat=True))


def holds() -> None:
    call_command("verify_log", stdout=StringIO())


@pytest.mark.postgresql_only
def test_with_the_lock_one_of_two_sequencers_leaves_the_log_to_the_other(together):
    assert sorted(two_sequencers()) == [0, 2]
    assert sequence() == 2
    assert numbers() == [0, 1, 2, 3]
    holds()


@pytest.fixture
def unlocked(monkeypatch):
    monkeypatch.setattr(sequencing, "_alone", lambda: True)


@pytest.mark.postgresql_only
def test_without_the_lock_two_sequencers_give_the_same_numbers_and_one_breaks(together, unlocked):
    found = two_sequencers()
    assert [type(one) for one in found].count(IntegrityError) == 1
    assert 2 in found
    holds()  # the numbers' own constraint is the last guard; the next test takes it away too


UNIQUE = {"audit_entry": "seq", "audit_checkpoint": "size", "audit_node": "level, index"}


@contextmanager
def numbers_may_be_given_twice() -> Iterator[None]:
    """Without the unique constraints on numbers, sizes and nodes, and with them again afterwards."""
    found = []
    with connection.cursor() as cursor:
        for table, names in UNIQUE.items():
            cursor.execute(
                "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
                "WHERE contype = 'u' AND conrelid = %s::regclass",
                [table],
            )
            for name, text in cursor.fetchall():
                if text.replace('"', "") == f"UNIQUE ({names})":
                    found.append((table, name, text))
        assert len(found) == len(UNIQUE)
        for table, name, _ in found:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    try:
        yield
    finally:
        with triggers_lifted():
            for model in (Node, Checkpoint, Entry):
                model.objects.all().delete()
        with connection.cursor() as cursor:
            for table, name, text in found:
                cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}")


@pytest.mark.postgresql_only
def test_without_the_lock_and_the_constraint_the_log_forks(together, unlocked):
    with numbers_may_be_given_twice():
        assert two_sequencers() == [2, 2]
        assert numbers() == [0, 0, 1, 1]
        roots = [bytes(one.root) for one in Checkpoint.objects.filter(size=2)]
        assert len(roots) == len(set(roots)) == 2  # two signed heads of one size: a fork
        with pytest.raises(CommandError, match="does not hold"):
            holds()


@pytest.mark.sqlite_only
def test_with_immediate_transactions_the_second_sequencer_waits_and_goes_on_from_the_first(
    together,
):
    assert two_sequencers() == [2, 2]
    assert numbers() == [0, 1, 2, 3]
    holds()


@pytest.mark.sqlite_only
def test_without_immediate_transactions_the_second_sequencer_breaks(together):
    def deferred():
        connection.ensure_connection()
        connection.transaction_mode = None

    found = two_sequencers(deferred)
    assert [type(one) for one in found].count(NotReady) == 1
    assert 2 in found
    holds()


# --- SKIP LOCKED -----------------------------------------------------------------------------


@contextmanager
def held(*entries: Entry) -> Iterator[None]:
    """Somebody else's open transaction holds these rows."""
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            list(Entry.objects.select_for_update().filter(pk__in=[one.pk for one in entries]))
            taken.set()
            done.wait(LONG)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(LONG)
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.postgresql_only
def test_an_entry_that_somebody_holds_is_left_for_the_next_tick_and_not_missed():
    first, second = happened(1), happened(2)
    with held(first):
        assert sequence() == 1
    assert sequence() == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (second.seq, first.seq) == (0, 1)
    holds()


def without_skip_locked(monkeypatch) -> None:
    real = QuerySet.select_for_update

    def waiting(self, nowait=False, skip_locked=False, of=(), no_key=False):
        return real(self, nowait=nowait, of=of, no_key=no_key)

    monkeypatch.setattr(QuerySet, "select_for_update", waiting)


@pytest.mark.postgresql_only
def test_without_skip_locked_one_held_entry_stops_the_whole_log(monkeypatch):
    first = happened(1)
    happened(2)
    without_skip_locked(monkeypatch)
    with held(first):
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '300ms'")
        try:
            with pytest.raises(NotReady):
                sequence()
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")
        assert numbers() == [None, None]
    assert sequence() == 2


def late_commit() -> None:
    """An entry is written first and committed last; in between another one is numbered."""
    opened, numbered = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            record(type="release:asked", actor="usr-a", via="desk", at=AT, resource="slow")
            opened.set()
            assert numbered.wait(LONG)

    def quick():
        assert opened.wait(LONG)
        happened("quick")
        try:
            return sequence()
        finally:
            numbered.set()

    assert side_by_side(slow, quick) == [None, 1]


@pytest.mark.postgresql_only
def test_an_entry_that_commits_late_is_not_missed():
    late_commit()
    assert sequence() == 1
    assert Entry.objects.get(resource="slow").seq == 1


@pytest.mark.postgresql_only
def test_taking_what_lies_above_the_last_number_misses_a_late_entry_for_ever(monkeypatch):
    """The simpler sequencer, in place of "whatever has no number"."""

    def above_the_last(limit: int) -> list[tuple[int, bytes, bytes]]:
        last = Entry.objects.filter(seq__isnull=False).aggregate(last=Max("pk"))["last"] or 0
        rows = Entry.objects.filter(pk__gt=last).order_by("pk")
        return list(rows.values_list("pk", "leaf", "leaf_hash")[:limit])

    monkeypatch.setattr(sequencing, "_pending", above_the_last)
    late_commit()
    happened("next")
    assert sequence() == 1
    assert sequence() == 0
    assert Entry.objects.get(resource="slow").seq is None
    holds()  # nothing in the log tells that something is missing


# --- covering the journal --------------------------------------------------------------------


def two_deeds_on_one_waiting_row() -> list[Any]:
    """The first stays open until the second has ended, or for a second at most."""
    row = journal_row()
    assert JournalWaiting.objects.filter(row=row).exists()
    first, second = threading.Event(), threading.Event()

    def deed_that_lasts():
        with transaction.atomic():
            record(type="release:asked", actor="usr-a", via="desk", at=AT, resource="first")
            first.set()
            second.wait(1)

    def deed():
        assert first.wait(LONG)
        try:
            happened("second")
        finally:
            second.set()

    return side_by_side(deed_that_lasts, deed)


@pytest.mark.postgresql_only
def test_two_deeds_that_find_the_same_journal_row_waiting_cover_it_once_and_both_go_on():
    assert two_deeds_on_one_waiting_row() == [None, None]
    assert JournalDigest.objects.count() == 1
    sequence()
    holds()


@pytest.mark.postgresql_only
def test_without_the_rows_lock_two_deeds_cover_one_journal_row_and_one_of_them_breaks(monkeypatch):
    sql = entries.WAITING.statement.sql["sqlite"]  # the same, without a lock
    unlocked = Planned(sql, {"postgresql": {}, "sqlite": {}}, {})
    monkeypatch.setattr(entries, "WAITING", replace(entries.WAITING, statement=unlocked))
    first, second = two_deeds_on_one_waiting_row()
    assert first is None
    assert isinstance(second, IntegrityError)
    assert not Entry.objects.filter(resource="rel-second").exists()
