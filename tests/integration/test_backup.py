"""A backup is whole and holds no key; what is restored from it lets nothing leave that was ended."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pyrage
import pytest
from django.conf import settings as live
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pyrage import x25519

from audit.models import Entry
from audit.tlog.notes import Signer, parse_note
from audit.vocabulary import EntryType, Via
from common.errors import BadInput, NotPermitted, NotReady, RuleBroken, Void
from common.keyring import BACKUPS
from consent.actions import replaying, stops
from consent.actions.replaying import replay
from governance.storage import noes_file
from release.actions import backups, resealing
from release.engine import databases
from release.models import Release, StoredPart
from release.queries import readiness
from release.queries.standing import used
from release.storage import store, undisturbed
from release.tasks import tick
from release.vocabulary import ReleaseState
from tests.backups import OPENER, restored
from tests.integration.test_gate_noes import HER, NOES
from tests.lengths import thirds
from tests.sheets import numbers
from tests.worlds import World, hand, small_world

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("backups_can_be_made"),
]


@pytest.fixture
def world() -> World:
    return small_world(4, each=1, part_rows=2)


def made(world: World, folder: Path) -> backups.Backup:
    return backups.make(folder=folder, **hand(world.chair))


def code(deed: Callable[[], object]) -> str:
    with pytest.raises(NotReady) as refusal:
        deed()
    return refusal.value.code


def test_a_backup_holds_the_database_and_the_parts_and_no_key_and_no_file_of_noes(world, tmp_path):
    world.no(HER)
    backup = made(world, tmp_path / "one")
    files = {path.relative_to(tmp_path / "one").as_posix() for path in (tmp_path / "one").rglob("*") if path.is_file()}  # fmt: skip
    parts = {f"data/{name}" for name in StoredPart.objects.values_list("name", flat=True)}
    assert files == {"manifest.json", databases.FILES[connection.vendor]} | parts
    assert set(backup.parts) == {name.removeprefix("data/") for name in parts}
    everything = b"".join((tmp_path / "one" / name).read_bytes() for name in files)
    for key in live.SAYSO_KEYS.iterdir():
        secret = key.read_bytes().strip()
        assert not secret or secret not in everything
    assert {path.name for path in tmp_path.iterdir()} == {"one", "keys"}
    assert Entry.objects.filter(type=EntryType.LOG_EXPORTED, resource=backup.ref).exists()
    with pytest.raises(BadInput):
        made(world, tmp_path / "one")
    with pytest.raises(BadInput):
        made(world, live.SAYSO_DATA / "inside")
    with pytest.raises(NotPermitted):
        backups.make(folder=tmp_path / "two", **hand(world.home.warden))
    with undisturbed():
        assert code(lambda: made(world, tmp_path / "two")) == "undisturbed"


def test_what_is_restored_is_what_was_there_and_everything_goes_on(world, tmp_path):
    made(world, tmp_path / "one")
    world.yes("c-1")  # something that the restore forgets, and that is no no
    shutil.rmtree(live.SAYSO_DATA / "parts")
    (tmp_path / "noes").write_bytes(noes_file().path.read_bytes())
    backup = restored(tmp_path / "one")
    assert Entry.objects.filter(type=EntryType.FINDING_OPENED, resource=backup.ref).exists()
    assert all(store().exists(name) for name in backup.parts)
    replay(**hand(world.chair))
    assert readiness.shut() is None
    assert readiness.without_keys() == []
    out = StringIO()
    call_command("verify_log", stdout=out, stderr=out)
    assert "The log holds" in out.getvalue()
    assert len(world.received(world.prepare())) >= 3


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no manifest": lambda f: (f / "manifest.json").unlink(),
    "a part is missing": lambda f: next((f / "data").rglob("*.age")).unlink(),
    "a part was changed": lambda f: next((f / "data").rglob("*.age")).write_bytes(b"other"),
    "the database was changed": lambda f: longer(next(f.glob("database.*"))),
    "a name that leads elsewhere": lambda f: rewritten(f, parts={"../../keys/x": "0" * 64}),
    "another kind of database": lambda f: rewritten(f, vendor="oracle"),
    "a later kind of backup": lambda f: rewritten(f, version=2),
    "no checkpoint": lambda f: rewritten(f, checkpoint="none"),
    "no lock": lambda f: rewritten(f, lock="no base64"),
    "another backup's lock": lambda f: rewritten(f, ref="backup/0000000000000000"),
    "a log that somebody else signed": lambda f: resigned(f),
}


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def resigned(folder: Path) -> None:
    path = folder / "manifest.json"
    note = json.loads(path.read_text())["checkpoint"]
    other = Signer(live.LOG_ORIGIN, b"o" * 32)
    rewritten(folder, checkpoint=other.sign(replace(parse_note(note), signatures=())).render())


def rewritten(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_backup_that_is_not_whole_changes_nothing(world, tmp_path, damage):
    made(world, tmp_path / "one")
    last = Entry.objects.order_by("-pk").values_list("pk", flat=True)[0]
    DAMAGES[damage](tmp_path / "one")
    with pytest.raises(BadInput):
        restored(tmp_path / "one")
    assert Entry.objects.order_by("-pk").values_list("pk", flat=True)[0] == last


def test_a_database_that_holds_something_is_not_replaced_by_mistake(
    world, tmp_path, backups_can_be_made
):
    made(world, tmp_path / "one")
    with pytest.raises(RuleBroken):
        backups.restore(
            folder=tmp_path / "one", identities=[OPENER], at=timezone.now(), via=Via.COMMAND
        )
    with pytest.raises(CommandError, match="--replace"):
        call_command("restore", str(tmp_path / "one"), "--identity", str(backups_can_be_made))


def test_a_part_that_is_missing_makes_no_backup(world, tmp_path):
    store().delete(StoredPart.objects.all()[0].name)
    assert code(lambda: made(world, tmp_path / "one")) == "part_changed"
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_the_database_lies_in_no_backup_in_clear_and_opens_with_its_key_only(world, tmp_path):
    title = world.home.dataset.title.encode()
    before = {path.name for path in database_folder().iterdir()}
    made(world, tmp_path / "one")
    sealed = (tmp_path / "one" / databases.FILES[connection.vendor]).read_bytes()
    assert sealed.startswith(b"age-encryption.org/v1")
    assert title not in sealed
    assert title in pyrage.decrypt(sealed, [OPENER]) or connection.vendor == "postgresql"
    assert {path.name for path in database_folder().iterdir()} == before
    last = Entry.objects.count()
    with pytest.raises(BadInput) as refusal:
        backups.restore(
            folder=tmp_path / "one",
            identities=[x25519.Identity.generate()],
            at=timezone.now(),
            via=Via.COMMAND,
            replace=True,
        )
    assert refusal.value.code == "backup_key"
    assert Entry.objects.count() == last


def database_folder() -> Path:
    """Where SQLite's file lies; on PostgreSQL some folder that stays as it is."""
    if connection.vendor == "sqlite":
        return Path(str(connection.settings_dict["NAME"])).parent
    return Path(live.SAYSO_KEYS)


def test_where_nobody_is_named_to_open_it_there_is_no_backup(world, tmp_path):
    path = live.SAYSO_KEYS / BACKUPS
    for text in ("", "# nobody\n"):
        path.write_text(text)
        assert code(lambda: made(world, tmp_path / "one")) == "backup_key_missing"
    path.write_text("age1nobody\n")
    assert code(lambda: made(world, tmp_path / "one")) == "key_unreadable"
    path.unlink()
    assert code(lambda: made(world, tmp_path / "one")) == "backup_key_missing"
    out = StringIO()
    call_command("makekeys", "--backup", str(tmp_path / "opener"), stdout=out)
    identity = (tmp_path / "opener").read_text().strip()
    assert identity not in out.getvalue()
    assert identity not in path.read_text()
    assert (tmp_path / "opener").stat().st_mode & 0o077 == 0
    made(world, tmp_path / "one")
    key = ["--identity", str(tmp_path / "opener")]
    call_command("restore", str(tmp_path / "one"), *key, "--replace", stdout=out)
    for wrong in (tmp_path / "opener", live.SAYSO_KEYS / "opener", tmp_path / "none" / "x" / "y"):
        if wrong.parent.exists():
            with pytest.raises(CommandError):
                call_command("makekeys", "--backup", str(wrong), stdout=out)
    for wrong in (tmp_path / "nowhere", path):  # no file, and a file of public keys
        with pytest.raises(CommandError, match="no age private key"):
            call_command("restore", str(tmp_path / "one"), "--identity", str(wrong), "--replace")


@pytest.mark.postgresql_only
def test_without_postgresqls_tools_it_says_what_to_install(world, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code(lambda: made(world, tmp_path / "one")) == "no_database_tool"


def test_the_commands_say_what_they_did_and_why_the_gate_is_shut(
    world, tmp_path, backups_can_be_made
):
    out = StringIO()
    call_command("backup", str(tmp_path / "one"), "--by", "north-hazel-7", stdout=out)
    assert "sealed parts" in out.getvalue()
    world.no(HER)
    key = ["--identity", str(backups_can_be_made)]
    call_command("restore", str(tmp_path / "one"), *key, "--replace", stdout=out)
    assert "The gate is shut. This database has forgotten 1 noes" in out.getvalue()
    call_command("replay_noes", "--by", "north-hazel-7", stdout=out)
    assert "1 noes said again" in out.getvalue()
    assert out.getvalue().rstrip().endswith("The gate is open.")
    with pytest.raises(CommandError, match="no active user"):
        call_command("backup", str(tmp_path / "two"), "--by", "nobody", stdout=out)


# --- the drill ---


def say(world: World, number: str, kind: int) -> None:
    """One of the five ways in which a person says no."""
    deeds: list[Callable[[], object]] = [
        lambda: world.no(number),
        lambda: world.pause(number),
        lambda: world.object(number),
        lambda: world.yes(number, categories=world.categories[:1]),
        lambda: stops.record(
            holder=world.home.organisation, number=number, **hand(world.home.advocate)
        ),
    ]
    deeds[kind]()


def by_command(folder: Path) -> None:
    restored(folder)


def by_hand(folder: Path) -> None:
    """An operator copies the database's file over the present one and tells nobody."""
    name = Path(str(connection.settings_dict["NAME"]))
    connection.close()
    for ending in ("-wal", "-shm"):
        name.with_name(f"{name.name}{ending}").unlink(missing_ok=True)
    sealed = (folder / databases.FILES["sqlite"]).read_bytes()
    name.write_bytes(pyrage.decrypt(sealed, [OPENER]))


@pytest.mark.parametrize("how", [by_command, by_hand], ids=["restore", "copied by hand"])
def test_after_100_later_noes_a_restore_brings_none_of_them_back(tmp_path, how):
    if how is by_hand and connection.vendor != "sqlite":
        pytest.skip("needs SQLite; this run is on PostgreSQL")
    world = small_world(110, each=1, part_rows=20)
    clients = numbers(110)
    before = world.prepare()
    waiting = world.ask()
    made(world, tmp_path / "one")
    gone = clients[:100]
    for place, number in enumerate(gone):
        say(world, number, place % 5)
    slots = {world.subject(number).slot for number in gone}
    assert readiness.shut() is None  # this process has seen all of them in the database
    how(tmp_path / "one")
    # The gate is shut: nothing is prepared, nothing is handed over, and it says why.
    assert slots <= set(used(before).tolist())
    for deed in (lambda: world.hand_over(before), lambda: world.run(waiting)):
        assert code(deed) == "restored"
    assert readiness.shut().code == "restored"
    tick(timezone.now())
    assert Release.objects.get(pk=waiting.pk).state == ReleaseState.WAITING
    done = replay(**hand(world.chair))
    assert done.said == 100
    assert readiness.shut() is None
    assert readiness.without_keys() == []
    with pytest.raises(Void):
        world.fetch(before)
    for release in (world.run(waiting), world.prepare(), *Release.objects.filter(replaces=before)):
        ready = world.run(release) if release.state == ReleaseState.WAITING else release
        assert not slots & set(used(ready).tolist())
        assert world.received(ready) == set(clients[100:])


@pytest.mark.parametrize("act", thirds(NOES), ids=str)
def test_a_no_of_any_kind_after_the_backup_counts_after_the_restore(act, tmp_path):
    world = small_world(2, each=1)
    NOES[act].first(world)
    release = world.prepare()
    made(world, tmp_path / "one")
    NOES[act].say(world)
    restored(tmp_path / "one")
    assert code(lambda: world.hand_over(release)) == "restored"
    done = replay(**hand(world.chair))
    assert (done.said, done.nothing, done.by_hand) == (1, 0, ())
    with pytest.raises((Void, NotPermitted)):
        world.fetch(release)
    if not NOES[act].whole:
        assert world.received(world.prepare()) == {"c-2"}


def test_a_replay_that_is_broken_off_goes_on(world, tmp_path, monkeypatch):
    made(world, tmp_path / "one")
    for number in ("c-1", "c-2", "c-3"):
        world.no(number)
    restored(tmp_path / "one")
    real, taken = replaying._Repeated.repeat, []

    def twice(self, *given):
        taken.append(1)
        if len(taken) == 3:
            raise KeyboardInterrupt
        return real(self, *given)

    monkeypatch.setattr(replaying._Repeated, "repeat", twice)
    with pytest.raises(KeyboardInterrupt):
        replay(**hand(world.chair))
    assert code(lambda: world.run(world.ask())) == "restored"
    monkeypatch.undo()
    assert replay(**hand(world.chair)).said == 1
    assert world.received(world.prepare()) == {"c-4"}


def test_a_backup_from_before_a_rotation_says_that_its_parts_do_not_open(world, tmp_path):
    made(world, tmp_path / "one")
    resealing.renew_identity(organisation=world.home.organisation, **hand(world.home.warden))
    restored(tmp_path / "one")
    replay(**hand(world.chair))
    assert code(lambda: world.run(world.ask())) == "not_opened"
