"""kill −9 at each step of a rotation: nothing is lost, and doing it again ends it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from audit.models import Entry
from audit.vocabulary import EntryType
from consent.models import Subject
from consent.queries import keys
from governance.actions import details as writing
from governance.queries import details, noes
from governance.storage import noes_file
from release.models import StoredPart
from release.storage import store
from tests.faults.test_kill import address
from tests.lengths import some
from tests.sheets import numbers
from tests.worlds import World, lasting_world

pytestmark = pytest.mark.database
PEOPLE = 4


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    with django_db_blocker.unblock(), lasting_world(PEOPLE, each=1, part_rows=2) as found:
        yield found


def killed(step: str, count: int, *command: str) -> str:
    """Let a child die at the step of this command."""
    connection.close()
    child = subprocess.run(
        [sys.executable, "-m", "tests.faults.keeper", step, str(count), *command],
        cwd=settings.BASE_DIR,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SAYSO_DEMO": "1",
            "SAYSO_DATA": str(settings.SAYSO_DATA),
            "SAYSO_KEYS": str(settings.SAYSO_KEYS),
            "SAYSO_NOES": str(settings.SAYSO_NOES),
            "DATABASE_URL": address(),
        },
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    return child.stdout.decode()


WRAPPING = [
    ("before:common.keysources.create", 1),
    ("after:common.keysources.create", 1),
    ("before:common.keysources.replace", 1),
    ("after:common.keysources.replace", 1),
    ("before:governance.actions.trail.record", 1),
    ("after:governance.actions.trail.record", 1),
    ("before:common.keysources.FileSource.adopt", 1),
    ("after:common.keysources.FileSource.adopt", 1),
]
SEALING = [
    ("before:common.keysources.replace", 1),
    ("after:common.keysources.replace", 1),
    ("before:release.storage.LocalStore.put", 1),
    ("after:release.storage.LocalStore.put", 1),
    ("after:release.actions.resealing._seal_anew", 1),
    ("before:release.actions.resealing._write_entry", 1),
    ("after:release.actions.resealing._write_entry", 1),
    ("after:release.storage.LocalStore.delete", 1),
    ("before:common.keysources.replace", 2),
    ("after:common.keysources.replace", 2),
]
LOG = [
    ("before:common.keysources.replace", 1),
    ("after:common.keysources.replace", 1),
    ("after:governance.actions.rotated.written_once", 1),
    ("after:audit.actions.sequencing._write_numbers", 1),
    ("before:common.keysources.replace", 2),
    ("after:common.keysources.replace", 2),
]
ROOT = [
    ("before:common.keysources.replace", 1),
    ("after:common.keysources.replace", 1),
    ("before:consent.queries.keys.wrapped_anew", 1),
    ("after:consent.queries.keys.wrapped_anew", 1),
    ("before:governance.actions.rotated.written_once", 1),
    ("after:governance.actions.rotated.written_once", 1),
    ("after:common.keysources.replace", 2),
]
STAFF = [
    ("before:common.keysources.replace", 1),
    ("after:common.keysources.replace", 1),
    ("before:governance.actions.details._wrap_anew", 1),
    ("after:governance.actions.details._wrap_anew", 1),
    ("before:governance.actions.rotated.written_once", 1),
    ("after:governance.actions.rotated.written_once", 1),
    ("after:common.keysources.replace", 2),
]
NOES = [
    ("after:common.keysources.replace", 1),
    ("after:common.keysources.replace", 2),
    ("before:governance.storage._copy_anew", 2),
    ("after:governance.storage._copy_anew", 2),
    ("before:governance.actions.rotated.written_once", 1),
    ("after:governance.actions.rotated.written_once", 1),
    ("after:common.keysources.replace", 3),
]


def whole(world: World) -> None:
    """Everything opens, everything is signed, and nothing of the rotation is left over."""
    assert world.received(world.prepare()) == set(numbers(PEOPLE))
    out = StringIO()
    call_command("verify_log", stdout=out, stderr=out)
    assert "The log holds" in out.getvalue()


def once(reason: str, count: int) -> None:
    found = Entry.objects.filter(type=EntryType.KEY_ROTATED, reason=reason)
    resources = list(found.values_list("resource", flat=True))
    assert len(resources) == len(set(resources)) >= count


@pytest.mark.parametrize(("step", "count"), some(WRAPPING), ids=str)
@pytest.mark.parametrize("whose", ["home", "service"])
def test_a_wrapping_key_killed_while_it_is_rotated(world, whose, step, count):
    command = ["rotate_key", "wrapping", "--by", "north-hazel-7"]
    name = world.home.organisation.ref if whose == "home" else "service"
    if whose == "home":
        command += ["--organisation", name]
    before = Entry.objects.filter(type=EntryType.KEY_ROTATED, reason="wrapping").count()
    killed(step, count, *command)
    whole(world)
    call_command(*command, stdout=StringIO())
    once("wrapping", before + 1)
    assert not (keys.ring().folder / f"{name}.kek.next").exists()
    whole(world)


@pytest.mark.parametrize(("step", "count"), some(SEALING), ids=str)
def test_an_identity_killed_while_it_is_rotated(world, step, count):
    home = world.home.organisation
    command = ["rotate_key", "sealing", "--organisation", home.ref, "--by", "river-birch-1"]
    before = Entry.objects.filter(type=EntryType.KEY_ROTATED, reason="sealing").count()
    killed(step, count, *command)
    whole(world)
    call_command(*command, stdout=StringIO())
    once("sealing", before + 1)
    assert len(keys.ring().identities(home.ref)) == 1
    assert len(list(store().names(f"parts/{world.home.dataset.ref}"))) == StoredPart.objects.count()
    whole(world)


@pytest.mark.parametrize(("step", "count"), some(LOG), ids=str)
def test_the_logs_key_killed_while_it_is_rotated(world, step, count):
    before = len(keys.ring().log_past())
    entries = Entry.objects.filter(type=EntryType.KEY_ROTATED, reason="log").count()
    command = ["rotate_key", "log", "--by", "north-hazel-7"]
    killed(step, count, *command)
    whole(world)
    call_command(*command, stdout=StringIO())
    assert keys.ring().log_next() is None
    assert len(keys.ring().log_past()) > before
    once("log", entries + 1)
    whole(world)


@pytest.mark.parametrize(("step", "count"), some(ROOT), ids=str)
def test_a_root_killed_while_it_is_rotated(world, step, count):
    home = world.home.organisation
    people = Subject.objects.order_by("slot")
    own = [keys.own_key(person) for person in people.all()]
    command = ["rotate_key", "root", "--organisation", home.ref, "--by", "river-birch-1"]
    before = Entry.objects.filter(type=EntryType.KEY_ROTATED, reason="root").count()
    killed(step, count, *command)
    assert [keys.own_key(person) for person in people.all()] == own
    whole(world)
    call_command(*command, stdout=StringIO())
    once("root", before + 1)
    assert len(keys.ring().derived_all(home.ref, keys.SUBJECT_WRAP)) == 1
    assert [keys.own_key(person) for person in people.all()] == own
    whole(world)


@pytest.mark.parametrize(("step", "count"), some(NOES), ids=str)
def test_the_identity_of_the_file_of_noes_killed_while_it_is_rotated(world, step, count):
    world.no("c-1")
    world.yes("c-1")
    before = Entry.objects.filter(type=EntryType.KEY_ROTATED, reason="noes").count()
    seen = noes.view()
    told = len(list(noes_file().opened(list(seen.marks), seen, keys.ring().noes_identities())))
    command = ["rotate_key", "noes", "--by", "north-hazel-7"]
    killed(step, count, *command)
    whole(world)
    call_command(*command, stdout=StringIO())
    once("noes", before + 1)
    seen, identities = noes.view(), keys.ring().noes_identities()
    assert len(identities) == 1
    assert len(list(noes_file().opened(list(seen.marks), seen, identities))) == told
    assert not list(noes_file().folder.glob("*.draft"))
    whole(world)


@pytest.mark.django_db
def test_rotations_are_tried_against_a_test_database():
    assert "test" in str(connection.settings_dict["NAME"])


@pytest.mark.parametrize(("step", "count"), some(STAFF), ids=str)
def test_what_wraps_the_data_keys_of_staff_killed_while_it_is_rotated(world, step, count):
    command = ["rotate_key", "staff", "--by", "north-hazel-7"]
    before = Entry.objects.filter(type=EntryType.KEY_ROTATED, reason="staff").count()
    with transaction.atomic():
        own = writing._own(world.member)
    killed(step, count, *command)
    assert details.data_key(world.member) == own
    call_command(*command, stdout=StringIO())
    once("staff", before + 1)
    assert details.data_key(world.member) == own
    assert len(keys.ring().staff_wraps()) == 1
