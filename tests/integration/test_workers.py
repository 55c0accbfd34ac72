"""The clock through Redis: real words to a real worker, and what happens where they are lost."""

import ast
import base64
import inspect
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import psutil
import pytest
import redis
from django.conf import settings as of_django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection, transaction

from audit.models import Entry
from audit.vocabulary import EntryType
from common.acting import CLOCK, actor
from common.errors import NotReady
from config import beats
from oversight import tasks as checking
from release import broker, tasks
from release.engine.seats import seat
from release.management import processes
from release.models import Beat, Release
from release.queries import figures
from release.vocabulary import ReleaseState
from tests.faults.servers import Impossible, Redis
from tests.redises import NOBODY, forget, silent
from tests.worlds import World, lasting_world

pytestmark = pytest.mark.database
PEOPLE = 3


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), lasting_world(PEOPLE, each=1) as found:
        yield found


@pytest.fixture(autouse=True)
def apart() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.fixture(scope="module")
def redis_address() -> Iterator[str]:
    """A Redis of these tests' own: others' words would wake the worker."""
    server = Redis()
    try:
        server.start()
    except Impossible as reason:
        pytest.skip(str(reason))
    yield server.address
    server.stop()


@pytest.fixture
def queue(settings, redis_address) -> Iterator[redis.Redis]:
    """Redis with empty queues, which this process tells of what waits."""
    settings.REDIS_URL = redis_address
    forget()  # another test's Redis is another one
    client = redis.Redis.from_url(redis_address)
    client.flushdb()
    yield client
    client.close()
    forget()


def database() -> str:
    """The test database as a worker's DATABASE_URL."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    place = f"{found['HOST'] or '127.0.0.1'}:{found['PORT'] or 5432}"
    login = found["USER"] + (f":{found['PASSWORD']}" if found["PASSWORD"] else "")
    return f"postgres://{login}@{place}/{found['NAME']}"


def environment(address: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "SAYSO_DEMO": "1",
        "SAYSO_DATA": str(of_django.SAYSO_DATA),
        "SAYSO_KEYS": str(of_django.SAYSO_KEYS),
        "DATABASE_URL": database(),
        "REDIS_URL": address,
    }


@contextmanager
def worker(address: str, log: Path) -> Iterator[psutil.Process]:
    """A worker as the list of processes starts it, without any beat."""
    with log.open("wb") as file:
        started = subprocess.Popen(
            processes.command("worker", sys.executable),
            cwd=of_django.BASE_DIR,
            env=environment(address),
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        yield psutil.Process(started.pid)
    finally:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def soon(found: object, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not found():  # type: ignore[operator]
        assert time.monotonic() < until, "not in time"
        time.sleep(0.1)


def prepared(release: Release) -> bool:
    release.refresh_from_db()
    return release.state == ReleaseState.PREPARED


def answers(release: Release) -> int:
    return Entry.objects.filter(resource=release.ref, type=EntryType.DATASET_RELEASED).count()


# --- words ----------------------------------------------------------------------------------------


def test_a_word_goes_out_after_the_commit_and_says_a_key_and_nothing_else(world, queue):
    with transaction.atomic():
        asked = world.ask()
        assert broker.lengths() == {broker.RELEASES: 0, broker.HOUSE: 0}
    assert broker.lengths() == {broker.RELEASES: 1, broker.HOUSE: 0}
    word = json.loads(queue.lindex(broker.RELEASES, 0))
    assert word["content-type"] == "application/json"
    assert json.loads(base64.b64decode(word["body"]))[:2] == [[asked.pk], {}]
    assert word["headers"]["task"] == broker.ANSWER
    assert word["headers"]["argsrepr"] == f"[{asked.pk}]"
    said = queue.lindex(broker.RELEASES, 0).decode()
    for name in (asked.ref, world.requester.username, world.recipient.name, world.requester.ref):
        assert name not in said


def test_what_is_rolled_back_is_told_to_nobody(world, queue):
    with transaction.atomic():
        world.ask()
        transaction.set_rollback(True)
    assert broker.lengths() == {broker.RELEASES: 0, broker.HOUSE: 0}


def test_without_redis_nothing_is_said_and_nothing_is_missing(world, settings):
    settings.REDIS_URL = ""
    asked = world.ask()
    assert (broker.wake(asked.pk), broker.lengths()) == (False, None)
    tasks.run_releases(asked.asked_at)
    assert prepared(asked)


def test_a_redis_that_is_away_or_silent_holds_up_nobody(world, settings):
    with silent() as mute:
        for address in (NOBODY, mute):
            forget()
            settings.REDIS_URL = address
            began = time.monotonic()
            asked = world.ask()
            assert time.monotonic() - began < 3
            assert asked.state == ReleaseState.WAITING
            assert broker.lengths() is None


def test_the_clock_wakes_workers_for_what_nobody_is_at_and_not_for_more_than_there_is_room(
    world, queue, monkeypatch
):
    tasks.tick(world.ask().asked_at)  # what other tests have left waiting
    asked = [world.ask() for _ in range(3)]
    queue.flushdb()  # the words are lost
    tasks.dispatch()
    words = [json.loads(word) for word in queue.lrange(broker.RELEASES, 0, -1)]
    assert {word["headers"]["argsrepr"] for word in words} == {f"[{one.pk}]" for one in asked}
    monkeypatch.setattr(tasks, "ROOM", 4)
    tasks.dispatch()
    assert queue.llen(broker.RELEASES) == 4


# --- tasks ----------------------------------------------------------------------------------------


def test_a_word_said_three_times_is_one_answer(world):
    asked = world.ask()
    for _ in range(3):
        tasks.release(asked.pk)
    assert prepared(asked)
    assert answers(asked) == 1
    tasks.release(0)  # a row that is not there


def test_a_task_acts_as_the_clock(world, monkeypatch):
    acted = []
    monkeypatch.setattr(tasks.keeping, "remake", lambda at: acted.append(actor()))
    tasks.remake()
    assert acted == [CLOCK]


class Nothing(int):
    """What a deed answers that had nothing to do, whether it counts or lists."""

    def __len__(self):
        return 0


def deeds_of(tick):
    """Every deed that a tick calls, as its source says: where its name is looked up, and the name."""
    module = sys.modules[tick.__module__]
    (function,) = ast.parse(inspect.getsource(tick)).body
    called = [node.func for part in function.body for node in ast.walk(part) if isinstance(node, ast.Call)]  # fmt: skip
    for each in called:
        place = getattr(module, each.value.id) if isinstance(each, ast.Attribute) else module
        name = each.attr if isinstance(each, ast.Attribute) else each.id
        if name == "tick":
            yield from deeds_of(place.tick)
        elif name not in {"len", "worker_name"}:
            yield place, name


def test_every_deed_of_the_clock_is_on_the_timetable(world, monkeypatch):
    """What `tick` does in one process the tasks do in several: each is asked for by the beat. A
    release is answered by whom `dispatch` wakes."""
    done: list[str] = []
    asked, woken = world.ask(), []
    monkeypatch.setattr(broker, "wake", lambda key: woken.append(key) or True)
    monkeypatch.setattr(broker, "lengths", lambda: {broker.RELEASES: 0, broker.HOUSE: 0})
    deeds = list(deeds_of(checking.tick))
    for place, name in deeds:
        told = f"{place.__name__}.{name}"
        monkeypatch.setattr(place, name, lambda *_, told=told, **__: done.append(told) or Nothing())
    checking.tick(asked.asked_at)
    in_one = set(done)
    assert len(in_one) == len(deeds) >= 17
    done.clear()
    for task in checking.SCHEDULE:
        task()
    assert set(done) == in_one - {"release.tasks.run_releases"}
    assert asked.pk in woken
    assert set(broker.app.conf.beat_schedule) == {task.name for task in checking.SCHEDULE}
    ours = {name for name in broker.app.tasks if name.startswith("clock.")}
    assert ours == {broker.ANSWER, *broker.app.conf.beat_schedule}


def test_a_word_of_the_beat_does_not_outlive_the_next_one():
    for entry in broker.app.conf.beat_schedule.values():
        assert entry["options"]["expires"] <= entry["schedule"] + 1


# --- footing --------------------------------------------------------------------------------------


def refuses() -> None:
    raise NotReady("database_owner", "It is connected as an owner of its tables.")


def test_a_worker_does_not_start_without_redis_or_on_bad_footing(settings, monkeypatch):
    settings.REDIS_URL = ""
    with pytest.raises(ImproperlyConfigured, match="Without Redis"):
        beats.look()
    settings.REDIS_URL = NOBODY
    monkeypatch.setattr(beats.footing, "check", refuses)
    with pytest.raises(ImproperlyConfigured, match="owner of its tables"):
        beats.look()


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_the_command_itself_refuses(name):
    ended = subprocess.run(
        processes.command(name, sys.executable),
        cwd=of_django.BASE_DIR,
        env={**os.environ, "SAYSO_DEMO": "1", "REDIS_URL": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode != 0
    assert "manage.py work" in ended.stdout + ended.stderr


def test_a_child_on_bad_footing_does_nothing(world, monkeypatch):
    asked = world.ask()
    monkeypatch.setattr(tasks.OfTheClock, "sure", 0)
    with monkeypatch.context() as bad:
        bad.setattr(tasks.footing, "check", refuses)
        tasks.release(asked.pk)
        assert not prepared(asked)
    tasks.release(asked.pk)
    assert prepared(asked)
    assert tasks.OfTheClock.sure == os.getpid()


# --- a real worker --------------------------------------------------------------------------------


def test_a_worker_answers_what_it_is_told_of_and_tells_again_what_a_killed_child_had(
    world, queue, redis_address, tmp_path
):
    connection.close()
    with worker(redis_address, tmp_path / "log") as parent:
        first = world.ask()
        soon(lambda: prepared(first))  # nobody but the word after the commit told it
        with seat(of_django.SAYSO_DATA / "seats", 1), seat_two():
            held = world.ask()
            soon(lambda: queue.hlen("unacked") == 1 and not queue.llen(broker.RELEASES))
            time.sleep(0.5)
            children = parent.children()
            assert children
            for child in children:  # one of them waits for a seat with the word in its hands
                child.kill()
            soon(lambda: {one.pid for one in parent.children()}.isdisjoint(c.pid for c in children))
        soon(lambda: prepared(held))
        assert [answers(first), answers(held)] == [1, 1]
        soon(lambda: queue.hlen("unacked") == 0)
    assert "cannot be answered" not in (tmp_path / "log").read_text()


@contextmanager
def seat_two() -> Iterator[None]:
    """The second seat as well, so that no worker gets one."""
    with seat(of_django.SAYSO_DATA / "seats", 2):
        yield


# --- what the operator sees -----------------------------------------------------------------------


def test_figures_and_the_doctor_tell_of_queues_and_workers(world, queue):
    Beat.objects.all().delete()
    asked = world.ask()
    queue.delete(broker.RELEASES)  # a word may be lost; here one must lie there
    assert any(broker.wake(asked.pk) for _ in range(5))
    found = figures.figures()
    assert found.queues == {broker.RELEASES: 1, broker.HOUSE: 0}
    assert (found.beat, found.worker_beat) == (-1.0, -1.0)
    assert doctor("workers").startswith("look: None has ever run. 1 words wait")
    tasks.dispatch()
    assert 0 <= figures.figures().worker_beat < 60
    assert doctor("workers").startswith("ok: They go round.")


def doctor(check: str) -> str:
    out = StringIO()
    with pytest.raises(SystemExit):  # it is a demonstration
        call_command("doctor", "--json", "--url", "http://127.0.0.1:9", stdout=out)
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    return next(f"{one['level']}: {one['says']}" for one in found if one["check"] == check)


@pytest.mark.django_db
def test_figures_without_redis_name_no_queue(settings):
    settings.REDIS_URL = ""
    assert figures.figures().queues == {}
