"""What a machine that watches over the service is told, and that it is told nothing else."""

import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from audit.queries import key_ring
from config import watching
from config.probe import alive
from governance.queries import clock
from governance.storage import noes_file
from release.actions import keeping
from release.models import Beat, Lease
from release.queries import readiness
from release.rules import timing
from release.tasks import tick
from tests.architecture.source import BASE
from tests.factories import audit as log
from tests.factories import release as kept

TOKEN = "a-token-of-forty-signs-for-the-figures-xx"


@pytest.fixture(autouse=True)
def looked_at_anew():
    watching.look.forget()
    yield
    watching.look.forget()


def codes():
    watching.look.forget()
    answer = Client().get("/readyz")
    found = {one["check"]: one["code"] for one in answer.json()["checks"]}
    assert answer.status_code == (200 if answer.json()["ready"] else 503)
    assert answer.json()["ready"] == (set(found.values()) == {"ok"})
    return found


@pytest.fixture
def going(db, settings):
    """An installation whose clock has just gone round."""
    settings.DISK_LEAST_MB = 1
    tick(clock.now())


def test_that_it_lives_is_told_without_the_database():
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"alive\n")


def test_an_installation_that_works_is_ready(going):
    assert codes() == dict.fromkeys(readiness.CHECKS, "ok")


def test_every_check_answers_with_one_sentence(going):
    for one in Client().get("/readyz").json()["checks"]:
        assert one["says"].endswith(".")
        assert set(one) == {"check", "code", "says"}


def test_a_clock_that_never_ran_or_stopped_is_told(going):
    Beat.objects.update(at=clock.now() - timing.BEAT_LATE - timedelta(seconds=1))
    assert codes()["clock"] == "clock_late"
    Beat.objects.all().delete()
    assert codes()["clock"] == "clock_never"


def test_a_clock_that_prepares_a_long_release_is_not_called_late(going):
    Beat.objects.update(at=clock.now() - timing.BEAT_LATE - timedelta(seconds=1))
    lease = kept.lease(until=clock.now() + timing.LEASE)
    assert codes()["clock"] == "ok"
    Lease.objects.filter(pk=lease.pk).update(until=clock.now() - timedelta(seconds=1))
    assert codes()["clock"] == "clock_late"


def test_a_log_that_nobody_numbers_is_told(going):
    log.entry(time=clock.now() - timing.LOG_LATE - timedelta(seconds=1))
    assert codes()["sequencer"] == "sequencer_late"


def test_an_entry_that_has_just_come_is_not_late(going):
    log.entry(time=clock.now())
    assert codes()["sequencer"] == "ok"


def test_a_data_folder_that_takes_nothing_is_told(going, settings, tmp_path):
    settings.SAYSO_DATA = tmp_path / "file"
    settings.SAYSO_DATA.write_text("in the way")
    assert codes()["storage"] == "storage_unwritable"


def test_the_look_at_the_data_folder_leaves_nothing_there(going):
    codes()
    assert not list((settings.SAYSO_DATA / readiness.PROBE).iterdir())


def test_a_database_that_has_forgotten_a_no_is_told(going):
    noes_file().append([(b"m" * 16, b"facts")], key_ring().noes_recipient)
    assert codes()["noes"] == "restored"


def test_keys_that_are_not_there_are_told(going, settings, tmp_path):
    settings.DEMO, settings.SAYSO_KEYS = False, tmp_path
    assert {one.check: one.code for one in readiness.readings()}["keys"] == "key_missing"


def test_keys_that_others_can_read_are_told(going, settings, tmp_path):
    settings.DEMO, settings.SAYSO_KEYS = False, tmp_path
    (tmp_path / "log.ed25519").write_text("x")
    (tmp_path / "log.ed25519").chmod(0o644)
    assert {one.check: one.code for one in readiness.readings()}["keys"] == "key_exposed"


def test_a_full_disk_is_told(going, settings):
    settings.DISK_LEAST_MB = 10**9
    assert codes()["disk"] == "disk_low"


def test_a_database_that_does_not_answer_is_told(going):
    def refuse(execute, sql, params, many, context):
        raise OperationalError("no such host as canary.example")

    with connection.execute_wrapper(refuse):
        found = codes()
    assert found["database"] == found["clock"] == found["sequencer"] == "database_unavailable"
    assert found["storage"] == found["keys"] == "ok"


def test_nothing_told_has_a_path_or_a_name(going, settings, tmp_path):
    settings.DEMO, settings.SAYSO_KEYS = False, tmp_path
    said = repr(readiness.readings())
    for word in (str(tmp_path), str(settings.SAYSO_DATA), os.uname().nodename, " /"):
        assert word not in said


def test_many_askings_cost_one_look(going, django_assert_num_queries):
    Client().get("/readyz")
    with django_assert_num_queries(0):
        assert Client().get("/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_whoever_watches_may_only_read(going, settings, path):
    settings.METRICS_TOKEN = TOKEN
    assert Client().post(path, HTTP_AUTHORIZATION=f"Bearer {TOKEN}").status_code == 405


def test_without_the_token_no_method_tells_that_there_are_figures(going):
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        assert Client().generic(method, "/metrics").status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_whoever_watches_comes_past_the_proxy(going, settings, path):
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get(path).status_code != 301
    assert Client().get("/start/").status_code == 301


# --- the clock's beat -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_each_worker_of_the_clock_has_one_beat():
    at = timezone.now()
    for seconds in (0, 6, 12):
        keeping.beat(worker="one", at=at + timedelta(seconds=seconds))
    keeping.beat(worker="two", at=at)
    assert dict(Beat.objects.values_list("worker", "at")) == {
        "one": at + timedelta(seconds=12),
        "two": at,
    }


@pytest.mark.django_db
def test_a_beat_is_written_once_in_five_seconds_and_after_the_clock_was_put_back():
    at = timezone.now()
    keeping.beat(worker="one", at=at)
    keeping.beat(worker="one", at=at + timedelta(seconds=4))
    assert Beat.objects.get().at == at
    keeping.beat(worker="one", at=at - timedelta(hours=1))
    assert Beat.objects.get().at == at - timedelta(hours=1)


@pytest.mark.django_db
def test_a_worker_silent_for_a_day_is_forgotten():
    at = timezone.now()
    keeping.beat(worker="gone", at=at - timedelta(days=1, seconds=1))
    keeping.beat(worker="here", at=at)
    assert list(Beat.objects.values_list("worker", flat=True)) == ["here"]


# --- figures --------------------------------------------------------------------------------------


def figures(token=TOKEN):
    return Client().get("/metrics", HTTP_AUTHORIZATION=f"Bearer {token}")


@pytest.mark.django_db
def test_figures_are_nowhere_without_the_token(settings):
    settings.METRICS_TOKEN = ""
    assert figures("").status_code == 404
    settings.METRICS_TOKEN = TOKEN
    for wrong in ("", "x" * 40, f"{TOKEN}x", "ü"):
        assert figures(wrong).status_code == 404
    assert Client().get("/metrics").status_code == 404
    assert figures().status_code == 200


def test_figures_say_how_much_there_is(going, settings):
    settings.METRICS_TOKEN = TOKEN
    kept.release(asked_at=clock.now() - timedelta(seconds=90))
    log.entry()
    Client().get("/desk/sign-in/?who=canary")
    said = figures().content.decode()
    values = dict(line.rsplit(" ", 1) for line in said.splitlines() if line[0] != "#")
    assert float(values['sayso_releases{state="waiting"}']) == 1
    assert float(values["sayso_release_waiting_seconds"]) >= 90
    assert float(values["sayso_log_entries_waiting"]) >= 1
    assert 0 <= float(values["sayso_clock_beat_age_seconds"]) < 60
    assert float(values["sayso_disk_free_bytes"]) > 0
    assert "sayso_log_size" in values
    assert float(values['sayso_requests_total{door="desk",method="GET",status="2xx"}']) >= 1
    assert float(values['sayso_request_seconds_count{route="account_login"}']) >= 1
    assert "canary" not in said


LABELS = {"door", "route", "method", "status", "state", "le"}


def test_no_label_can_name_a_person(going, settings):
    settings.METRICS_TOKEN = TOKEN
    Client().get("/details/canary-name/")
    Client().generic("CANARY", "/canary/")
    said = figures().content.decode()
    assert "canary" not in said.lower()
    labels = {
        pair.split("=")[0]
        for line in said.splitlines()
        if "{" in line
        for pair in line[line.index("{") + 1 : line.index("}")].split(",")
    }
    assert labels <= LABELS


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.mark.sqlite_only
def test_figures_of_several_web_processes_are_added_up(
    tmp_path, redis_address, django_db_setup, django_db_blocker
):
    port = free_port()
    with django_db_blocker.unblock(), closing(sqlite3.connect(tmp_path / "own.sqlite3")) as own:
        connection.ensure_connection()
        connection.connection.backup(own)  # tables of its own, as they were made for this test
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'own.sqlite3'}",
        "SAYSO_DATA": str(tmp_path / "data"),
        "SAYSO_KEYS": str(tmp_path / "keys"),
        "SAYSO_METRICS": str(tmp_path / "metrics"),
        "SAYSO_METRICS_TOKEN": TOKEN,
        "SAYSO_BIND": f"127.0.0.1:{port}",
        "SAYSO_WEB_WORKERS": "2",
        "REDIS_URL": redis_address,
    }
    run = {"cwd": BASE, "env": environment}
    with (tmp_path / "said").open("w") as said:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "python:config.gunicorn", "config.wsgi"],
            stderr=said,
            **run,
        )
    try:
        until_alive(port, server)
        assert alive(f"0.0.0.0:{port}", "localhost")
        assert not alive(f"0.0.0.0:{port}", "somebody.else.example")
        before = answered(port)
        for _ in range(40):
            fetch(port, "/start/")
        assert answered(port) == before + 40
        assert len({path.name for path in Path(tmp_path / "metrics").glob("counter_*")}) == 2
    finally:
        server.terminate()
        server.wait(30)
    assert "127.0.0.1" not in "".join(
        line for line in (tmp_path / "said").read_text().splitlines() if "Listening" not in line
    )


def fetch(port, path):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
        return answer.read().decode()


def answered(port):
    wanted = 'sayso_requests_total{door="portal",method="GET",status="2xx"} '
    lines = [line for line in fetch(port, "/metrics").splitlines() if line.startswith(wanted)]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def until_alive(port, server):
    for _ in range(200):
        assert server.poll() is None
        try:
            fetch(port, "/healthz")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the web server does not answer")
