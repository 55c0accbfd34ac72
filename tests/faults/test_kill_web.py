"""kill −9 of the web's worker right before a commit, and between the commit and the answer: the server
starts another, whoever asked sends the same again, and it has been done once."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType
from consent.models import Consent, ConsentEvent, Subject
from consent.vocabulary import Happening
from governance.models import AccessRequest, KeptNo
from release import tasks
from release.models import Release
from release.vocabulary import ReleaseState
from tests.factories import governance as made
from tests.faults.servers import free_port
from tests.faults.test_kill import environment
from tests.integration import api_world
from tests.integration.api_world import CLIENTS, World

pytestmark = [pytest.mark.database, pytest.mark.timeout(180)]
ASKING = ["before the asking commits", "after the asking committed"]
STOPPING = ["before the no commits", "after the no committed"]
PATIENCE = 60.0  # seconds, on a machine that has other things to do
PRESSED = "a" * 32  # what the page and its cookie hold against forged forms


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), api_world.committed() as found:
        yield found


@contextmanager
def served(step: str, folder: Path) -> Iterator[int]:
    """The real server on a free port; its first worker dies at the step."""
    connection.close()
    port = free_port()
    own = {
        "SAYSO_BIND": f"127.0.0.1:{port}",
        "SAYSO_WEB_WORKERS": "1",
        "SAYSO_METRICS": str(folder / "metrics"),
        "TESTS_STEP": step,
        "TESTS_DIED": str(folder / "died"),
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "python:config.gunicorn", "tests.faults.web"],
            cwd=settings.BASE_DIR,
            env=environment() | own,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        answers(port)
        yield port
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def answers(port: int) -> None:
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE).close()
        except OSError:
            assert time.monotonic() < ends, "the server never answered"
            time.sleep(0.05)
        else:
            return


def sent(port: int, path: str, body: str, headers: dict[str, str]) -> tuple[int, Any, bytes]:
    """One request, once. Raises OSError or HTTPException where no answer comes."""
    way = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        way.request("POST", path, body.encode(), headers)
        answer = way.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        way.close()


def dies(port: int, folder: Path, path: str, body: str, headers: dict[str, str]) -> None:
    """Not one byte of an answer comes, and the step is where it fell."""
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        sent(port, path, body, headers)
    assert (folder / "died").exists()


def of_kind(kind: EntryType) -> int:
    return Entry.objects.filter(type=kind).count()


@pytest.mark.parametrize("step", ASKING)
def test_an_asking_whose_answer_died_with_the_web_and_that_is_sent_again_is_one_release(
    world: World, tmp_path: Path, step: str
) -> None:
    wanted: AccessRequest = world.approved()
    releases, entries = Release.objects.count(), of_kind(EntryType.RELEASE_ASKED)
    path = f"/api/requests/{wanted.ref}/releases/"
    headers = {
        "Authorization": f"Bearer {world.delta.secret}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"lost {step}".replace(" ", "-"),
    }
    committed = step.startswith("after")
    with served(step, tmp_path) as port:
        dies(port, tmp_path, path, "{}", headers)
        assert Release.objects.count() == releases + committed
        assert of_kind(EntryType.RELEASE_ASKED) == entries + committed
        for time_again in range(2):
            status, told, body = sent(port, path, "{}", headers)
            assert status == 202
            assert told.get("Idempotency-Replayed") == ("true" if committed or time_again else None)
            assert json.loads(body)["ref"] == Release.objects.get(request=wanted).ref
    assert Release.objects.count() == releases + 1
    assert of_kind(EntryType.RELEASE_ASKED) == entries + 1
    tasks.run_releases(timezone.now())
    assert Release.objects.get(request=wanted).state == ReleaseState.PREPARED


@pytest.mark.parametrize("step", STOPPING)
def test_a_stop_whose_answer_died_with_the_web_counts_and_is_said_once(
    world: World, tmp_path: Path, step: str
) -> None:
    """Between its commit and its answer it counts already: what lay ready is void."""
    number = CLIENTS[STOPPING.index(step)]
    consent = world.consent_of(number)
    her = made.user(username=f"quiet-harbour-{STOPPING.index(step)}", kind="survivor")
    Subject.objects.filter(pk=consent.subject_id).update(account=her)
    ready = world.prepared(world.approved())
    browser = Client()
    browser.force_login(her, backend="django.contrib.auth.backends.ModelBackend")
    cookies = {name: each.value for name, each in browser.cookies.items()} | {"csrftoken": PRESSED}
    headers = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    path, form = reverse("portal:stop", args=[consent.ref]), f"csrfmiddlewaretoken={PRESSED}"
    noes, kept = of_kind(EntryType.CONSENT_WITHDRAWN), KeptNo.objects.count()
    committed = step.startswith("after")

    def said() -> int:
        events = ConsentEvent.objects.filter(consent=consent, happening=Happening.WITHDRAWN).count()
        assert of_kind(EntryType.CONSENT_WITHDRAWN) == noes + events
        assert KeptNo.objects.count() == kept + events
        assert (Consent.objects.get(pk=consent.pk).ended_at is not None) == bool(events)
        return events

    with served(step, tmp_path) as port:
        dies(port, tmp_path, path, form, headers)
        assert said() == committed
        if committed:
            answer = world.delta.client().get(f"/api/releases/{ready.ref}/package/")
            assert answer.status_code == 410
        status, told, _ = sent(port, path, form, headers)
        assert (status, told["Location"]) == (302, reverse("portal:done", args=[consent.ref]))
    assert said() == 1
    answer = world.delta.client().get(f"/api/releases/{ready.ref}/package/")
    assert answer.status_code == 410


@pytest.mark.django_db
def test_the_steps_are_those_of_the_entrance() -> None:
    text = (settings.BASE_DIR / "tests" / "faults" / "web.py").read_text(encoding="utf-8")
    assert all(f'"{step}": lambda' in text for step in [*ASKING, *STOPPING])
