"""Log down, keys missing, disk full, memory short: the answer is "not now", and no byte is out."""

import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from audit.models import Entry
from common.errors import NotReady
from release import storage
from release.models import Download, Release, ReleasePart
from release.storage import store
from release.tasks import tick
from release.vocabulary import ReleaseState
from tests.append_only import triggers_lifted
from tests.gate import Later
from tests.sheets import canary, numbers
from tests.worlds import World, lasting_world

pytestmark = pytest.mark.database
PEOPLE = 6
MOST_FETCHED = 500


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), lasting_world(PEOPLE, each=1, part_rows=2) as found:
        yield found


@contextmanager
def log_down() -> Iterator[None]:
    """The database refuses every new entry, as on a broken disk."""
    sqlite = (
        "CREATE TRIGGER log_down BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'I/O'); END"
    )
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(sqlite)
        else:
            cursor.execute(
                "ALTER TABLE audit_entry ADD CONSTRAINT log_down CHECK (false) NOT VALID"
            )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("DROP TRIGGER log_down")
            else:
                cursor.execute("ALTER TABLE audit_entry DROP CONSTRAINT log_down")


@contextmanager
def without(name: str) -> Iterator[None]:
    """One file of the key ring is away, on an installation that makes no keys by itself."""
    path = Path(settings.SAYSO_KEYS) / name
    away = path.with_name(f"{name}.away")
    path.rename(away)
    was, settings.DEMO = settings.DEMO, False
    try:
        yield
    finally:
        settings.DEMO = was
        away.rename(path)


@contextmanager
def disk_full() -> Iterator[None]:
    """The system itself takes no more than 64 bytes into any new file of the store."""
    real = storage._write

    def full(*given: object, **named: object) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
        try:
            real(*given, **named)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "_write", full)
        patch.setattr(settings, "ENGINE_WORKERS", 1)
        yield


@contextmanager
def memory_short() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "ENGINE_MEMORY_MB", 1)
        patch.setattr(settings, "ENGINE_WORKERS", 1)
        yield


def key_of_holder(world: World, ending: str) -> str:
    return f"{world.home.organisation.ref}.{ending}"


FAULTS: dict[str, tuple[Callable[[World], object], str]] = {
    "the log takes no entry": (lambda _: log_down(), "log_unavailable"),
    "the holder's keys are missing": (
        lambda w: without(key_of_holder(w, "keys")),
        "key_missing",
    ),
    "what wraps the holder's keys is missing": (
        lambda w: without(key_of_holder(w, "kek")),
        "key_missing",
    ),
    "the disk is full": (lambda _: disk_full(), "storage_unwritable"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_release_that_cannot_be_prepared_goes_on_waiting(world, fault, monkeypatch):
    broken, code = FAULTS[fault]
    waiting = world.ask()
    with broken(world), pytest.raises(NotReady) as refusal:
        world.run(waiting)
    assert refusal.value.code == code
    waiting.refresh_from_db()
    assert (waiting.state, waiting.parts.count()) == (ReleaseState.WAITING, 0)
    assert not hasattr(Release.objects.get(pk=waiting.pk), "lease")
    assert not list(store().names(f"packages/{waiting.ref}"))
    Later(monkeypatch).pass_(minutes=3)
    tick(waiting.asked_at)
    waiting.refresh_from_db()
    assert world.received(waiting) == set(numbers(PEOPLE))
    names = set(ReleasePart.objects.values_list("name", flat=True))
    assert set(store().names("packages")) == names  # nothing of the attempt that failed is left


def test_with_the_log_down_nothing_is_handed_over(world):
    release = world.prepare()
    with log_down(), pytest.raises(NotReady) as refusal:
        world.hand_over(release)
    assert refusal.value.code == "log_unavailable"
    assert not Download.objects.filter(release=release).exists()
    assert world.fetch(release)


def test_without_the_signing_key_nothing_is_handed_over(world):
    release = world.prepare()
    with without("service.kek"), pytest.raises(NotReady) as refusal:
        world.hand_over(release)
    assert refusal.value.code == "key_missing"
    assert world.fetch(release)
    assert not Entry.objects.filter(seq__isnull=True).exists()


@contextmanager
def no_room_for_rows() -> Iterator[None]:
    """SQLite may take no page more than it has, which it tells as it tells a full disk."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE filler (data BLOB)")
        while free := cursor.execute("PRAGMA freelist_count").fetchone()[0]:
            size = (free - 1) * cursor.execute("PRAGMA page_size").fetchone()[0]
            cursor.execute("INSERT INTO filler VALUES (zeroblob(%s))", [max(size, 1000)])
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        most = cursor.execute("PRAGMA max_page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA max_page_count = {most}")
            cursor.execute("DROP TABLE filler")


@pytest.mark.sqlite_only
def test_with_the_database_s_disk_full_nothing_is_handed_over(world):
    """The last pages take some more rows; what needs another one is refused, with no byte out."""
    release, handed = world.prepare(), []

    def again_and_again() -> None:
        while len(handed) < MOST_FETCHED:
            handed.append(world.fetch(release))

    with no_room_for_rows(), pytest.raises((NotReady, OperationalError)):
        again_and_again()
    kept = Download.objects.filter(release=release)
    assert kept.count() == len(handed) < MOST_FETCHED
    assert not kept.filter(entry__isnull=True).exists()
    assert world.fetch(release)


def test_with_a_log_that_was_altered_nothing_is_handed_over(world):
    release = world.prepare()
    world.fetch(release)
    last = Entry.objects.order_by("-seq")[0]
    with triggers_lifted():
        Entry.objects.filter(pk=last.pk).update(seq=last.seq + 7)
    with pytest.raises(NotReady) as refusal:
        world.hand_over(release)
    assert refusal.value.code == "log_inconsistent"
    with triggers_lifted():
        Entry.objects.filter(pk=last.pk).update(seq=last.seq)
    assert world.fetch(release)


class Watch:
    """Looks into folders all the while for files that hold a canary in clear."""

    def __init__(self, *folders: Path) -> None:
        self.found: set[str] = set()
        self.looked = 0
        self._folders = folders
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._since = time.time() - 1
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._once()

    def _look(self) -> None:
        while not self._over.is_set():
            self._once()

    def _once(self) -> None:
        self.looked += 1
        for path in self._paths():
            try:
                fresh = path.is_file() and path.stat().st_mtime >= self._since
                if fresh and b"-violet" in path.read_bytes():
                    self.found.add(path.name)
            except OSError:
                continue

    def _paths(self) -> Iterator[Path]:
        # Unlike `rglob`, this goes on where a folder goes away while it is looked into.
        for folder in self._folders:
            for place, _, names in os.walk(folder):
                yield from (Path(place) / name for name in names)


@pytest.fixture
def watched(tmp_path, monkeypatch) -> Iterator[Watch]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path)
    assert gettempdir() == str(tmp_path)
    with Watch(tmp_path, Path(settings.SAYSO_DATA)) as watch:
        yield watch


def test_with_too_little_memory_the_release_waits_and_nothing_lies_in_clear(watched, request):
    world = request.getfixturevalue("world")
    many = [f"otter-{number:05d}" for number in range(4000)]
    large = world.another("Clinic", many, each=10)
    for number in many[:3]:
        world.yes(number, at=large)
    waiting = world.ask(large)
    with memory_short(), pytest.raises(NotReady) as refusal:
        world.run(waiting)
    assert refusal.value.code == "engine_memory"
    waiting.refresh_from_db()
    assert waiting.state == ReleaseState.WAITING
    assert len(world.received(world.run(waiting))) == 3
    assert watched.looked > 1
    assert watched.found <= {"rows.csv"}  # the steward's own file, from which it was loaded


def test_the_watch_sees_a_row_in_clear(watched, tmp_path):
    (tmp_path / "spilled").write_text(canary("c-1"))
    watched._once()
    assert watched.found == {"spilled"}


@pytest.mark.django_db
def test_faults_are_tried_against_a_test_database():
    assert "test" in str(connection.settings_dict["NAME"])
