"""A copy of the database and of the data folder without the keys holds no row and no client number."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.db import connection
from pyrage import x25519

from common.errors import BadInput, NotReady
from common.keyring import KeyRing
from release.models import ReleasePart, StoredPart
from release.storage import seal, store, unseal
from tests.sheets import canary, rows
from tests.worlds import World, load, small_world

pytestmark = pytest.mark.django_db(transaction=True)
NUMBERS = ["otter-70411", "otter-70412", "otter-70413"]


@pytest.fixture
def world() -> World:
    """A world where everything has happened: loaded, said, prepared, sent, stopped, refused."""
    world = small_world(1, each=1)
    clinic = world.another("Clinic", NUMBERS, each=3)
    for number in NUMBERS[:2]:
        world.yes(number, at=clinic)
    world.fetch(world.prepare(clinic))
    with pytest.raises(BadInput):  # a file with a bad row: what was wrong is reported
        load(clinic, world, [*rows(NUMBERS), "otter-70413,,31/02,18-24,otter-70413,x,y"], 100)
    return world


def stored_files() -> Iterator[bytes]:
    """Everything in the data folder, sealed or not."""
    for path in Path(settings.SAYSO_DATA).rglob("*"):
        if path.is_file():
            yield path.read_bytes()


def database() -> bytes:
    """Everything in the database: the files themselves on SQLite, every table's dump elsewhere."""
    if connection.vendor == "sqlite":
        name = Path(str(connection.settings_dict["NAME"]))
        found = [name, Path(f"{name}-wal")]
        return b"".join(path.read_bytes() for path in found if path.exists())
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        dumped: list[bytes] = []
        for table in tables:
            with cursor.cursor.copy(f'COPY "{table}" TO STDOUT') as copied:
                dumped.extend(bytes(piece) for piece in copied)
    return b"".join(dumped)


def spelled(text: str) -> set[bytes]:
    """A word as it may lie in a file: plain, or in the hexadecimal signs of a dump."""
    return {text.encode(), text.encode().hex().encode(), text.encode("utf-16-le")}


def told(data: bytes) -> set[str]:
    secrets = [*NUMBERS, *(canary(number) for number in NUMBERS), "-violet", "otter-704"]
    return {text for text in secrets if any(each in data for each in spelled(text))}


def test_no_client_number_and_no_cell_lies_in_the_database(world):
    data = database()
    assert b"river-cases" in data  # what is no secret is found
    assert not told(data)


def test_no_client_number_and_no_cell_lies_in_the_data_folder(world):
    files = list(stored_files())
    assert len(files) >= 2
    assert not set().union(*(told(data) for data in files))


def test_a_cell_in_clear_would_be_seen(world):
    store().put("packages/planted.txt", canary(NUMBERS[0]).encode())
    assert set().union(*(told(data) for data in stored_files()))
    store().delete("packages/planted.txt")


def test_without_the_key_folder_no_part_opens(world, settings, tmp_path):
    holder = world.home.organisation.ref
    part = StoredPart.objects.filter(version__dataset=world.home.dataset)[0]
    settings.DEMO, keys = False, settings.SAYSO_KEYS
    settings.SAYSO_KEYS = tmp_path / "elsewhere"
    with pytest.raises(NotReady, match="not in the key folder"):
        KeyRing(settings.SAYSO_KEYS).identity(holder)
    with pytest.raises(NotReady, match="does not open"):
        unseal(store().open(part.name), x25519.Identity.generate())
    waiting = world.ask()
    with pytest.raises(NotReady):
        world.run(waiting)
    settings.SAYSO_KEYS = keys
    assert world.received(world.run(waiting)) == {"c-1"}


def test_one_organisations_key_opens_nothing_of_another(world):
    ring = KeyRing(settings.SAYSO_KEYS)
    clinic = StoredPart.objects.exclude(version__dataset=world.home.dataset)[0]
    with pytest.raises(NotReady):
        unseal(store().open(clinic.name), ring.identity(world.home.organisation.ref))
    assert unseal(
        store().open(clinic.name), ring.identity(clinic.version.dataset.holder.ref)
    ).startswith(b"PAR1")


def test_the_holder_cannot_open_what_was_sealed_to_the_recipient(world):
    part = ReleasePart.objects.exclude(release__holder=world.home.organisation)[0]
    ring = KeyRing(settings.SAYSO_KEYS)
    with pytest.raises(NotReady):
        unseal(store().open(part.name), ring.identity(part.release.holder.ref))
    left = pq.read_table(io.BytesIO(unseal(store().open(part.name), world.identity)))
    assert canary(NUMBERS[0]) in str(left.to_pylist())
    assert unseal(seal(b"x", [world.identity.to_public()]), world.identity) == b"x"


@pytest.fixture(autouse=True)
def clean_store() -> None:
    """What other tests stored is not looked at here."""
    shutil.rmtree(settings.SAYSO_DATA, ignore_errors=True)
    Path(settings.SAYSO_DATA).mkdir(parents=True)
