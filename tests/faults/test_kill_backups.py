"""kill −9 at each step of a backup and of a restore: whole or not at all, and done again it ends."""

import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from common.errors import NotReady
from consent.actions.replaying import replay
from governance.queries import noes
from release.actions import backups
from release.queries import readiness
from tests.backups import restored
from tests.faults.test_kill_keys import killed
from tests.lengths import some
from tests.sheets import numbers
from tests.worlds import World, hand, small_world

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("backups_can_be_made"),
]
PEOPLE = 4


@pytest.fixture
def world() -> World:
    return small_world(PEOPLE, each=1, part_rows=2)


BACKUP = [
    ("after:governance.actions.trail.record", 1),
    ("before:release.engine.databases.copy_to", 1),
    ("after:release.engine.databases.seal_stream", 1),
    ("after:release.engine.databases.copy_to", 1),
    ("after:release.storage.LocalStore.open", 1),
    ("after:release.actions.backups._copied", 1),
    ("before:release.actions.backups._force", 5),
]
RESTORE = [
    ("after:release.actions.backups._checked", 1),
    ("after:release.storage.LocalStore.put", 1),
    ("before:release.engine.databases.replace_by", 1),
    ("after:release.engine.databases.replace_by", 1),
    ("before:governance.actions.trail.record", 1),
]
ON_SQLITE = [
    ("after:release.engine.databases.unseal_stream", 1),
    ("before:pathlib.Path.rename", 3),  # two parts come first, then the database
    ("after:pathlib.Path.rename", 3),
]


@pytest.mark.parametrize(("step", "count"), some(BACKUP), ids=str)
def test_a_backup_killed_at_any_step_is_no_backup_and_the_next_one_is(world, tmp_path, step, count):
    folder = tmp_path / "one"
    command = ["backup", str(folder), "--by", "north-hazel-7"]
    killed(step, count, *command)
    if folder.exists():  # it was whole already
        restored(folder)
        shutil.rmtree(folder)
    call_command(*command, stdout=StringIO())
    assert {path.name for path in tmp_path.iterdir()} == {"one", "keys"}
    restored(folder)
    assert world.received(world.prepare()) == set(numbers(PEOPLE))


@pytest.mark.parametrize(("step", "count"), some([*RESTORE, *ON_SQLITE]), ids=str)
def test_a_restore_killed_at_any_step_lets_nothing_leave_that_was_ended(
    world, tmp_path, settings, backups_can_be_made, step, count
):
    if (step, count) in ON_SQLITE and connection.vendor != "sqlite":
        pytest.skip("needs SQLite; this run is on PostgreSQL")
    folder: Path = tmp_path / "one"
    backups.make(folder=folder, **hand(world.chair))
    world.no("c-1")
    shutil.rmtree(settings.SAYSO_DATA / "parts")
    command = ["restore", str(folder), "--identity", str(backups_can_be_made), "--replace"]
    killed(step, count, *command)
    noes._views.clear()
    shut = readiness.shut()
    if shut is not None:
        assert shut.code == "restored"
        with pytest.raises(NotReady):
            world.run(world.ask())
    call_command(*command, stdout=StringIO())
    assert readiness.shut().code == "restored"
    assert replay(**hand(world.chair)).said == 1
    assert world.received(world.prepare()) == set(numbers(PEOPLE)) - {"c-1"}
    noes._views.clear()
