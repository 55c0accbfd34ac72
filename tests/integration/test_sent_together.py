"""Statements that are sent to PostgreSQL together: each sees what was committed when it begins."""

import os
import socket
import time
from threading import Thread
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection, connections, transaction

from common import planned
from common.errors import NotReady
from common.planned import AS_NEEDED, BIGINT, DECODERS, Planned, Reading, number, side_by_side
from governance.actions import scopes
from governance.models import Scope
from governance.queries import scopes as readings
from governance.queries.scopes import Epochs
from governance.vocabulary import Narrowing
from tests.factories import governance as made

pytestmark = [pytest.mark.django_db(transaction=True)]
WORDS: dict[str, dict[str, str]] = {"postgresql": {}, "sqlite": {}}


def reading(sql: str) -> Reading[list[tuple[Any, ...]]]:
    return Reading(Planned(sql, WORDS, {}), [], lambda _vendor, rows: rows)


HELD = """
SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


def until_held_back(thread: Thread) -> None:
    """Wait until somebody waits for an advisory lock."""
    ends = time.monotonic() + 10
    while time.monotonic() < ends and thread.is_alive():
        with connection.cursor() as cursor:
            cursor.execute(HELD)
            if cursor.fetchone()[0]:
                return


@pytest.mark.postgresql_only
def test_the_moment_is_what_the_locks_waited_for():
    recipient = made.organisation()
    before = readings.epochs(recipient.pk)
    seen: list[Epochs] = []

    def read() -> None:
        try:
            with scopes.steady(recipient=recipient.pk, seconds=20.0) as moment:
                seen.append(moment.of(recipient.pk))
        finally:
            connections.close_all()

    reader = Thread(target=read)
    with scopes.narrowing(act=Narrowing.REQUEST_ENDED, recipients=[recipient.pk]) as moment:
        reader.start()
        until_held_back(reader)
        moved = moment.of(recipient.pk)
    reader.join(20)
    assert seen == [moved]
    assert moved.scope == before.scope + 1


@pytest.mark.postgresql_only
def test_who_waits_too_long_is_told_that_a_no_goes_first_and_nothing_is_left_open():
    recipient = made.organisation()
    told: list[str] = []

    def read() -> None:
        try:
            with scopes.steady(recipient=recipient.pk, seconds=0.05):
                told.append("in")
        except NotReady as reason:
            told.append(reason.code)
        finally:
            connections.close_all()

    with scopes.narrowing(act=Narrowing.REQUEST_ENDED, recipients=[recipient.pk]):
        reader = Thread(target=read)
        reader.start()
        reader.join(20)
    assert told == ["busy"]
    with scopes.steady(recipient=recipient.pk) as moment:
        assert moment.of(recipient.pk).scope == 1


@pytest.mark.postgresql_only
@pytest.mark.parametrize("how", ["alone", "side by side"])
def test_a_server_that_has_gone_is_a_database_that_does_not_answer_and_the_next_goes_on(how):
    """Not an error of its own kind: the doors answer 503 to this, and 500 to what nobody expects."""
    asked = reading("SELECT 1")
    send = {"alone": asked.now, "side by side": lambda: list(side_by_side(asked, asked))}[how]
    send()
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
    with pytest.raises(OperationalError):
        send()
    connection.close_if_unusable_or_obsolete()
    assert send()


def test_a_recipient_whose_scope_never_moved_has_no_row_and_the_epoch_0():
    recipient = made.organisation()
    with scopes.steady(recipient=recipient.pk) as moment:
        assert moment.of(recipient.pk) == Epochs(everyone=moment.everyone, scope=0)
    assert not Scope.objects.filter(recipient=recipient).exists()


@pytest.mark.postgresql_only
def test_the_first_statement_of_a_transaction_is_inside_it():
    made.organisation(name="before")
    rename = Planned(
        "UPDATE governance_organisation SET name = %(name)s RETURNING name",
        WORDS,
        {"name": AS_NEEDED},
    )
    for first in (
        lambda: rename.rows(["after"]),
        lambda: list(
            side_by_side(
                reading("UPDATE governance_organisation SET name = 'after' RETURNING name"),
                reading("SELECT 1"),
            )
        ),
    ):
        with transaction.atomic():
            first()
            transaction.set_rollback(True)
        assert name() == "before"
    with pytest.raises(OperationalError), transaction.atomic():
        list(
            side_by_side(
                reading("SELECT set_config('statement_timeout', '1', true)"),
                reading("SELECT pg_sleep(1)"),
                reading("UPDATE governance_organisation SET name = 'after' RETURNING name"),
            )
        )
    assert name() == "before"


def name() -> str:
    vendor, rows = Planned("SELECT name FROM governance_organisation", WORDS, {}).rows([])
    return DECODERS[vendor].text(rows[0][0])


def test_whatever_is_given_comes_back_as_it_is_stored():
    given: list[Any] = [7, "a word", b"\x00\xff", None]
    made.organisation()
    vendor, rows = Planned(
        "SELECT CAST(%(number)s AS bigint), CAST(%(text)s AS text), {bytes}, CAST(%(none)s AS text)",
        {
            "postgresql": {"bytes": "CAST(%(bytes)s AS bytea)"},
            "sqlite": {"bytes": "%(bytes)s"},
        },
        dict.fromkeys(["number", "text", "bytes", "none"], AS_NEEDED),
    ).rows(given)
    whole, text, raw, none = rows[0]
    assert [number(whole), DECODERS[vendor].text(text), bytes(raw), none] == given


def server_leaves(own: int) -> None:
    """Another connection ends the one of this thread, as a server does that is stopped."""

    def end() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [own])
        connections.close_all()

    thread = Thread(target=end)
    thread.start()
    thread.join(20)


def pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


ONE = Planned("SELECT 1", WORDS, {})


@pytest.mark.postgresql_only
def test_a_server_that_is_gone_is_an_error_of_operation_and_a_new_request_has_a_new_connection():
    """Whichever statement is the first of a request to ask finds a connection that answers."""
    ONE.rows(())
    server_leaves(pid())
    connection.health_check_enabled, connection.health_check_done = True, True
    try:
        with pytest.raises(OperationalError):
            ONE.rows(())
        with pytest.raises(OperationalError), transaction.atomic():
            list(side_by_side(reading("SELECT 1"), reading("SELECT 1")))
        connection.health_check_done = False  # the next request begins
        vendor, rows = ONE.rows(())
        assert (vendor, len(rows)) == ("postgresql", 1)
    finally:
        connection.health_check_enabled = False


def test_what_is_asked_side_by_side_means_what_it_means_alone():
    body = made.organisation(name="River")
    named = Planned(
        "SELECT name FROM governance_organisation WHERE id = %(id)s", WORDS, {"id": BIGINT}
    )
    asked = Reading(named, [body.pk], lambda vendor, rows: DECODERS[vendor].text(rows[0][0]))
    assert list(side_by_side(asked, asked.then(str.upper), asked)) == ["River", "RIVER", "River"]
    assert [asked.now(), asked.then(len).now()] == ["River", 5]


@pytest.mark.postgresql_only
def test_the_first_that_fails_is_told_and_none_after_it_was_run():
    made.organisation(name="before")
    with pytest.raises(DataError):
        list(
            side_by_side(
                reading("SELECT 1 / (SELECT 0)"),
                reading("UPDATE governance_organisation SET name = 'after' RETURNING name"),
            )
        )
    assert name() == "before"
    assert list(side_by_side(reading("SELECT 1"), reading("SELECT 1")))


@pytest.mark.postgresql_only
def test_who_is_broken_off_between_two_answers_leaves_no_answer_to_the_next(monkeypatch):
    """A worker's time limit, or an operator's interrupt."""
    asked = reading("SELECT 1")
    list(side_by_side(asked, asked))

    def interrupted(_server: Any) -> list[Any]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(planned, "_answers", interrupted)
        with pytest.raises(KeyboardInterrupt):
            list(side_by_side(asked, asked))
    assert connection.connection.closed
    connection.close()
    other = reading("SELECT 2")
    assert [number(rows[0][0]) for rows in side_by_side(other, asked)] == [2, 1]
