"""Sequencers side by side, and the commands around the log, on whichever database is set."""

import os
import signal
import subprocess
import sys
import threading
import time
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections, transaction

from audit import queries
from audit.actions import record, sequence, settle
from audit.models import Checkpoint, Entry
from audit.tlog.checkpoints import open_checkpoint
from audit.tlog.notes import parse_verifier
from common.errors import NotReady
from tests.integration.audit_log import AT, happened, log_keys, log_of  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("log_keys")]


def fields(**changed: Any) -> dict[str, Any]:
    return {"type": "release:asked", "actor": "usr-a", "via": "desk", "at": AT} | changed


def in_threads(*works):
    """Run these side by side, each with its own connection; answers what they raised."""
    raised = []

    def run(work):
        try:
            work()
        except Exception as error:  # noqa: BLE001 - handed to the test, which shows it
            raised.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_two_sequencers_and_four_writers_miss_nothing_and_double_nothing():
    writing, each, busy = 4, 25, threading.Event()

    def write(writer):
        for number in range(each):
            happened(f"{writer}-{number}")

    def number_all():
        while not busy.is_set() or Entry.objects.filter(seq__isnull=True).exists():
            sequence(limit=7)

    def write_then_tell():
        assert in_threads(*[lambda writer=one: write(writer) for one in range(writing)]) == []
        busy.set()

    assert in_threads(number_all, number_all, write_then_tell) == []
    assert list(Entry.objects.order_by("seq").values_list("seq", flat=True)) == list(
        range(writing * each)
    )
    sizes = list(Checkpoint.objects.order_by("pk").values_list("size", flat=True))
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == writing * each
    call_command("verify_log", stdout=StringIO())


def test_many_waiters_settle_side_by_side_without_a_sequencer():
    found = []

    def wait(number):
        entry = happened(number)
        found.append((entry.pk, settle(entry=entry, seconds=30).size))

    assert in_threads(*[lambda number=one: wait(number) for one in range(6)]) == []
    assert len(found) == 6
    for pk, size in found:
        assert Entry.objects.filter(pk=pk, seq__lt=size).exists()


@pytest.mark.postgresql_only
def test_a_sequencer_leaves_the_log_to_the_one_that_holds_it():
    happened()
    held, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [0x5A59534F4C4F47])
            held.set()
            done.wait(10)

    def ask():
        held.wait(10)
        try:
            assert sequence() == 0
        finally:
            done.set()

    assert in_threads(hold, ask) == []
    assert sequence() == 1


@pytest.mark.postgresql_only
def test_an_entry_whose_deed_is_still_open_is_numbered_after_those_that_committed():
    opened, later, done = threading.Event(), threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            record(**fields(resource="slow"))
            opened.set()
            later.wait(10)
        done.set()

    def quick():
        opened.wait(10)
        happened("quick")
        assert sequence() == 1
        later.set()
        done.wait(10)
        assert sequence() == 1

    assert in_threads(slow, quick) == []
    assert list(Entry.objects.order_by("seq").values_list("resource", flat=True)) == [
        "rel-quick", "slow",
    ]  # fmt: skip


def test_the_key_command_prints_a_key_that_opens_the_head(settings):
    log_of(2)
    out = StringIO()
    call_command("log_key", stdout=out)
    key = parse_verifier(out.getvalue().strip())
    head = queries.latest_checkpoint()
    assert head is not None
    assert open_checkpoint(head.note, origin=settings.LOG_ORIGIN, verifiers=[key]).size == 2


def test_the_key_command_says_what_to_do_without_a_key(settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="Put them back"):
        call_command("log_key")


def test_the_sequencer_process_numbers_what_waits_and_ends_on_sigterm(settings, log_keys):  # noqa: F811
    entry = happened()
    database = connection.settings_dict
    name = database["NAME"]
    address = (
        f"sqlite:///{name}"
        if connection.vendor == "sqlite"
        else f"postgres://{database['USER'] or 'postgres'}@{database['HOST']}"
        f":{database['PORT'] or 5432}/{name}"
    )
    process = subprocess.Popen(
        [sys.executable, "manage.py", "sequencer", "--tick", "5"],
        cwd=django_settings.BASE_DIR,
        env=os.environ
        | {
            "DATABASE_URL": address,
            "SAYSO_KEYS": str(log_keys),
            "SAYSO_LOG_ORIGIN": settings.LOG_ORIGIN,
            "SAYSO_DEMO": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "The sequencer runs.\n"
        for _ in range(200):
            if queries.covered(entry):
                break
            time.sleep(0.05)
        assert queries.covered(entry)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert "has ended" in process.stdout.read()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_sequencer_does_not_start_on_a_log_that_is_not_the_signed_one(settings):
    log_of(2)
    settings.LOG_ORIGIN = "log.example/other"
    with pytest.raises(CommandError, match="not the one of the last checkpoint"):
        call_command("sequencer", stdout=StringIO())


def test_a_tick_longer_than_50_milliseconds_is_refused():
    with pytest.raises(CommandError, match="1 to 50"):
        call_command("sequencer", "--tick", "51")


def test_a_database_that_does_not_answer_makes_the_log_not_ready(monkeypatch):
    happened()

    def broken():
        raise OperationalError("gone")

    monkeypatch.setattr("audit.actions.sequencing._alone", broken)
    with pytest.raises(NotReady) as refusal:
        sequence()
    assert refusal.value.code == "log_unavailable"
