"""Whoever lets data out waits for a no a bounded time; a no waits as long as it must, in its turn."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

import pytest
from django.db import connection, connections, transaction

from common import queues
from common.errors import NotReady
from governance.actions import scopes
from governance.models import Organisation, Scope
from governance.queries.scopes import epochs
from governance.vocabulary import Narrowing
from tests.factories import governance as made

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 20.0
ACT = Narrowing.AGREEMENT_SUSPENDED


@contextmanager
def elsewhere(deed: Callable[[], object], count: int = 1) -> Iterator[list[BaseException]]:
    """The deed in threads, and so on connections, of their own; joined at the end."""
    broken: list[BaseException] = []

    def run() -> None:
        try:
            deed()
        except BaseException as error:  # noqa: BLE001 - shown by the test
            broken.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=run, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    yield broken
    for thread in threads:
        thread.join(timeout=LONG)
    assert not any(thread.is_alive() for thread in threads)


@contextmanager
def a_no_being_said(body: Organisation) -> Iterator[None]:
    """Somebody else has begun a no to this recipient and does not come to its end yet."""
    begun, go = Event(), Event()

    def no() -> None:
        with scopes.narrowing(act=ACT, recipients=[body.pk]):
            begun.set()
            go.wait(timeout=LONG)

    with elsewhere(no) as broken:
        assert begun.wait(timeout=LONG)
        yield
        go.set()
    assert broken == []


def prepared() -> Organisation:
    body = made.organisation()
    scopes.ensure([body.pk])
    return body


def seconds_until_busy(body: Organisation, patience: float) -> float:
    began = time.monotonic()
    with pytest.raises(NotReady) as refusal, scopes.steady(recipient=body.pk, seconds=patience):
        raise AssertionError("nobody comes in while a no is being said")
    assert refusal.value.code == "busy"
    return time.monotonic() - began


@pytest.mark.parametrize("patience", [0.2, 1.0])
def test_who_lets_data_out_waits_for_a_no_as_long_as_asked_and_no_longer(patience):
    body = prepared()
    with a_no_being_said(body):
        assert patience <= seconds_until_busy(body, patience) < patience + 5.0
    with scopes.steady(recipient=body.pk, seconds=patience):
        pass


def test_who_waits_less_long_than_a_no_takes_comes_in_right_after_it():
    body = prepared()
    inside = Event()

    def read() -> None:
        with scopes.steady(recipient=body.pk, seconds=LONG):
            inside.set()

    with ExitStack() as stack:
        with a_no_being_said(body):
            broken = stack.enter_context(elsewhere(read))
            assert not inside.wait(timeout=0.3)
        assert inside.wait(timeout=LONG)
    assert broken == []


def test_a_no_waits_longer_than_anybodys_patience():
    """The one inside stays for longer than those who let data out would wait."""
    body = prepared()
    said = Event()

    def no() -> None:
        with scopes.narrowing(act=ACT, recipients=[body.pk]):
            pass
        said.set()

    with ExitStack() as stack:
        with scopes.steady(recipient=body.pk):
            broken = stack.enter_context(elsewhere(no))
            assert not said.wait(timeout=2.5)
        assert said.wait(timeout=LONG)
    assert broken == []
    assert epochs(body.pk).scope == 1


@pytest.mark.postgresql_only  # SQLite's gate is a file: a stopped process keeps it (docs/operating.md)
@pytest.mark.parametrize("holder", ["lets data out", "says a no"])
def test_who_holds_a_lock_and_is_away_for_long_loses_it_and_the_no_is_said(holder, monkeypatch):
    monkeypatch.setattr(scopes, "HOLDS_STILL", 1)
    monkeypatch.setattr(scopes, "SAYS_NO", 1)
    body = prepared()
    inside, go = Event(), Event()

    def stopped() -> None:
        holding = (
            scopes.steady(recipient=body.pk)
            if holder == "lets data out"
            else scopes.narrowing(act=ACT, recipients=[body.pk])
        )
        with holding:
            inside.set()
            go.wait(timeout=LONG)
            Scope.objects.count()

    with elsewhere(stopped) as broken:
        assert inside.wait(timeout=LONG)
        with scopes.narrowing(act=ACT, recipients=[body.pk]):
            pass
        go.set()
    assert [getattr(error, "code", error) for error in broken] == ["busy"]
    assert epochs(body.pk).scope == 1, "what the stopped one had begun has not happened"


@pytest.mark.sqlite_only
def test_who_gave_up_waiting_never_holds_the_gate_afterwards():
    body = prepared()
    with a_no_being_said(body), elsewhere(lambda: seconds_until_busy(body, 0.1), 8) as broken:
        pass
    assert broken == []
    for _ in range(3):
        with scopes.steady(recipient=body.pk, seconds=5):
            pass
    wait_until(lambda: not any(thread.name == "gate" for thread in threading.enumerate()))


def wait_until(done: Callable[[], bool]) -> None:
    until = time.monotonic() + LONG
    while not done():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.sqlite_only
def test_no_more_wait_in_one_process_than_there_are_places(monkeypatch):
    monkeypatch.setattr(queues, "_places", threading.BoundedSemaphore(2))
    body = prepared()
    with a_no_being_said(body):
        with elsewhere(lambda: seconds_until_busy(body, 2.0), 2) as broken:
            wait_until(lambda: queues._places._value == 0)
            assert seconds_until_busy(body, 2.0) < 0.5
        assert broken == []
    wait_until(lambda: queues._places._value == 2)


@pytest.mark.sqlite_only
def test_who_writes_without_passing_the_gate_is_waited_for_within_the_same_patience():
    body = prepared()
    begun, go = Event(), Event()

    def write() -> None:
        with transaction.atomic():
            Scope.objects.filter(recipient=body).update(epoch=1)
            begun.set()
            go.wait(timeout=LONG)

    with elsewhere(write) as broken:
        assert begun.wait(timeout=LONG)
        assert 0.4 <= seconds_until_busy(body, 0.5) < 1.5
        go.set()
    assert broken == []
    assert patience_of_sqlite() == 30_000


def patience_of_sqlite() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        return int(cursor.fetchone()[0])


@pytest.mark.sqlite_only
def test_a_no_has_no_limit_on_waiting_for_another_writer():
    body = prepared()
    with scopes.narrowing(act=ACT, recipients=[body.pk]):
        assert patience_of_sqlite() == scopes.LONGEST_WAIT
    assert patience_of_sqlite() == 30_000


def test_readers_in_the_queue_get_their_turn_while_noes_keep_coming():
    """Whoever only looked now and then whether the gate is free would find it taken each time."""
    body = prepared()
    over = Event()
    noes: list[float] = []

    def keep_saying_no() -> None:
        while not over.is_set():
            with scopes.narrowing(act=ACT, recipients=[body.pk]):
                time.sleep(0.005)
            noes.append(time.monotonic())

    with elsewhere(keep_saying_no, 4) as broken:
        wait_until(lambda: len(noes) > 8)
        for _ in range(20):
            before = len(noes)
            with scopes.steady(recipient=body.pk, seconds=5):
                passed = len(noes) - before
            assert passed < 40
        over.set()
    assert broken == []


def test_a_no_gets_its_turn_while_readers_keep_coming():
    body = prepared()
    over = Event()
    read: list[float] = []

    def keep_reading() -> None:
        while not over.is_set():
            try:
                with scopes.steady(recipient=body.pk, seconds=0.5):
                    time.sleep(0.005)
                read.append(time.monotonic())
            except NotReady:
                continue

    with elsewhere(keep_reading, 8) as broken:
        try:
            wait_until(lambda: len(read) > 16)
            for _ in range(20):
                before = len(read)
                with scopes.narrowing(act=ACT, recipients=[body.pk]):
                    passed = len(read) - before
                assert passed < 400  # thousands, where it waits for a moment without readers
        finally:
            over.set()
    assert broken == []
