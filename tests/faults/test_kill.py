"""kill −9 at each step: no package without an entry, no entry lost, the next tick goes on by itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from audit.models import Entry
from release.models import Download, Release, ReleasePart
from release.storage import store
from release.tasks import tick
from release.vocabulary import ReleaseState
from tests.gate import Later
from tests.sheets import numbers
from tests.worlds import World, lasting_world

pytestmark = pytest.mark.database
# The steps of tests/faults/child.py, which sets Django up by itself and so is not imported here.
PREPARING = [
    "before staging",
    "while a part is written",
    "between two parts",
    "after staging",
    "before the commit",
    "after the commit",
]
HANDING = [
    "before handing over",
    "before the permit commits",
    "after the permit",
    "while the log signs",
    "after the log signed",
    "between two parts of a stream",
]
PEOPLE = 12


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), lasting_world(PEOPLE, each=1, part_rows=4) as found:
        yield found


def address() -> str:
    """The test database as the child's DATABASE_URL."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    place = f"{found['HOST'] or '127.0.0.1'}:{found['PORT'] or 5432}"
    login = found["USER"] + (f":{found['PASSWORD']}" if found["PASSWORD"] else "")
    return f"postgres://{login}@{place}/{found['NAME']}"


def environment() -> dict[str, str]:
    """That of a process which works in the test database."""
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SAYSO_DEMO": "1",
        "SAYSO_DATA": str(settings.SAYSO_DATA),
        "SAYSO_KEYS": str(settings.SAYSO_KEYS),
        "SAYSO_NOES": str(settings.SAYSO_NOES),
        "SAYSO_LOG_ORIGIN": settings.LOG_ORIGIN,
        "SAYSO_SECRET_KEY": settings.SECRET_KEY,
        "DATABASE_URL": address(),
    }


def killed(step: str, *whose: str) -> bytes:
    """Let a child die at the step; gives the bytes it had sent before."""
    connection.close()
    child = subprocess.run(
        [sys.executable, "-m", "tests.faults.child", step, *whose],
        cwd=settings.BASE_DIR,
        env=environment(),
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    return child.stdout


def nothing_without_an_entry() -> None:
    """What the database itself must say at any instant, also right after a crash."""
    for answered in Release.objects.exclude(state=ReleaseState.WAITING):
        assert answered.entry_id is not None
    assert Download.objects.filter(entry__isnull=True).count() == 0
    names = set(ReleasePart.objects.values_list("name", flat=True))
    assert all(store().exists(name) for name in names)


def well_again(world: World, release: Release, patch: pytest.MonkeyPatch) -> None:
    """Three minutes later one tick has answered, numbered and swept, and the package is whole."""
    later = Later(patch)
    later.pass_(minutes=3)
    tick(later.now())
    release.refresh_from_db()
    assert release.state == ReleaseState.PREPARED
    assert not Entry.objects.filter(seq__isnull=True).exists()
    assert set(store().names("packages")) == set(ReleasePart.objects.values_list("name", flat=True))
    assert world.received(release) == set(numbers(PEOPLE))
    tick(later.now() + timedelta(days=2))
    assert not list(settings.SAYSO_DATA.rglob(".draft-*"))
    out = StringIO()
    call_command("verify_log", stdout=out, stderr=out)


@pytest.mark.parametrize("step", PREPARING)
def test_a_release_killed_while_it_is_prepared_is_prepared_by_the_next_tick(
    world, step, monkeypatch
):
    waiting = world.ask()
    asked = Entry.objects.count()
    assert killed(step, waiting.ref, world.requester.ref) == b""
    nothing_without_an_entry()
    waiting.refresh_from_db()
    committed = step == "after the commit"
    assert waiting.state == (ReleaseState.PREPARED if committed else ReleaseState.WAITING)
    assert Entry.objects.count() == asked + committed
    well_again(world, waiting, monkeypatch)


@pytest.mark.parametrize("step", HANDING)
def test_a_hand_over_that_is_killed_leaves_its_entry_and_can_be_made_again(
    world, step, monkeypatch
):
    release = world.prepare()
    before = Entry.objects.count()
    sent = killed(step, release.ref, world.requester.ref)
    nothing_without_an_entry()
    given = Download.objects.filter(release=release).count()
    early = step in ("before handing over", "before the permit commits")
    assert given == (0 if early else 1)
    assert Entry.objects.count() == before + given
    if sent:  # bytes have left: then their entry stands under a signed checkpoint
        assert Entry.objects.get(pk=Download.objects.get(release=release).entry_id).seq is not None
    assert bool(sent) == (step == "between two parts of a stream")
    well_again(world, release, monkeypatch)


@pytest.mark.django_db
def test_the_steps_are_those_of_the_child():
    child = (settings.BASE_DIR / "tests" / "faults" / "child.py").read_text(encoding="utf-8")
    assert all(f'"{step}"' in child for step in [*PREPARING, *HANDING])
