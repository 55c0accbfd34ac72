"""Loads that are refused, break off, meet each other; and the real file, cell by cell."""

import csv
import gzip
import io
import os
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Barrier

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections

from audit.vocabulary import Via
from common.errors import BadInput, NotPermitted, NotReady, RuleBroken
from common.keyring import KeyRing
from consent.actions import subjects
from consent.models import Subject, SubjectKey
from governance.actions import catalogue
from governance.actions.standard import SHIPPED
from governance.models import Field
from release import storage
from release.actions import versions
from release.actions.loading.limits import Limits
from release.management.demo.rows import write_cases
from release.models import DatasetVersion, Presence, StoredPart
from tests.integration import loading_world
from tests.integration.loading_world import HEADER, MAPPING, World, parts, rows, stored

pytestmark = pytest.mark.django_db
BASE_DIR = Path(settings.BASE_DIR)


@pytest.fixture
def world(tmp_path, settings):
    settings.SAYSO_DATA = tmp_path / "data"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    given = tmp_path / "given"
    given.mkdir()
    return loading_world.build(given)


def file_of(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines, ""]).encode()


def nothing_loaded() -> bool:
    return not (
        DatasetVersion.objects.exists()
        or StoredPart.objects.exists()
        or Presence.objects.exists()
        or Subject.objects.exists()
        or Field.objects.exists()
    )


def test_only_a_steward_of_the_holder_loads(world: World):
    with pytest.raises(NotPermitted):
        world.load(file_of("N-1,2024-02-29,w,a,x,1,1,,"), by=world.chair)
    assert nothing_loaded()
    assert stored() == []


def test_a_mapping_that_contradicts_the_fields_is_refused(world: World):
    world.load(file_of("N-1,2024-02-29,w,a,x,1,1,,"))
    other = MAPPING.replace("{share}", "0").replace('type = "decimal"', 'type = "text"')
    with pytest.raises(RuleBroken) as refused:
        world.load(file_of("N-1,2024-02-29,w,a,x,1,1,,"), mapping=other)
    assert "size is already there as decimal" in refused.value.message
    assert DatasetVersion.objects.count() == 1


def test_a_mapping_with_an_unknown_category_is_refused_before_the_file_is_read(world: World):
    other = MAPPING.replace("{share}", "0").replace("case-steps", "case-stories")
    with pytest.raises(BadInput, match="no data category case-stories"):
        world.load(file_of("N-1,2024-02-29,w,a,x,1,1,,"), mapping=other)


def test_a_retired_dataset_takes_no_file(world: World):
    type(world.dataset).objects.filter(pk=world.dataset.pk).update(state="retired")
    world.dataset.refresh_from_db()
    with pytest.raises(RuleBroken, match="retired"):
        world.load(file_of("N-1,2024-02-29,w,a,x,1,1,,"))


def test_without_the_holders_key_nothing_is_loaded(world: World, settings, tmp_path):
    settings.DEMO = False
    settings.SAYSO_KEYS = tmp_path / "no-keys"
    with pytest.raises(NotReady):
        world.load(file_of("N-1,2024-02-29,w,a,x,1,1,,"))
    assert nothing_loaded()
    assert stored() == []


def test_a_disk_that_takes_nothing_leaves_nothing_half_loaded(world: World, monkeypatch):
    real = storage.LocalStore.put

    def full(self, name, data, *, lasting=True):
        if name.startswith("parts/") and name.endswith("2.age"):
            raise NotReady("storage_unwritable", "The data folder cannot take this now.")
        return real(self, name, data, lasting=lasting)

    monkeypatch.setattr(storage.LocalStore, "put", full)
    lines = [f"N-{n},2024-02-01,w,a,x,1,1,," for n in range(100)]
    with pytest.raises(NotReady):
        world.load(file_of(*lines), limits=Limits(part_rows=20))
    assert stored() == []
    assert not DatasetVersion.objects.exists()


def test_a_load_that_broke_off_leaves_only_sealed_leftovers_and_the_sweep_takes_them(
    world: World, monkeypatch
):
    # As after a crash: nobody cleans up, and the transaction never came.
    monkeypatch.setattr(versions._Load, "clean", lambda self: None)
    monkeypatch.setattr(versions._Load, "_commit", broken_off)
    lines = [f"N-{n},2024-02-01,songbird,a,x,1,1,," for n in range(300)]
    small = Limits(batch_rows=50, staging_bytes=4000, bucket_bytes=4000, buckets=3)
    with pytest.raises(ConnectionError):
        world.load(file_of(*lines), limits=small)
    monkeypatch.undo()
    left = stored()
    assert any(name.startswith("parts/") for name in left)
    assert any(name.startswith("staging/") for name in left)
    kept = world.load(file_of("N-1,2024-02-29,w,a,x,1,1,,"), at=world.at).version
    assert versions.sweep_staging(at=world.at + timedelta(hours=23)) == 0
    assert len(stored()) == len(left) + 1
    assert versions.sweep_staging(at=world.at + timedelta(hours=25)) == 1
    assert stored() == [kept.parts.get().name]


def broken_off(*_given: object) -> None:
    raise ConnectionError("the machine stopped")


def test_a_sweep_keeps_the_parts_of_a_version_that_was_recorded_after_all(
    world: World, monkeypatch
):
    monkeypatch.setattr(versions._Load, "clean", lambda self: None)
    version = world.load(file_of("N-1,2024-02-29,w,a,x,1,1,,")).version
    assert versions.sweep_staging(at=world.at + timedelta(days=2)) == 1
    assert stored() == [version.parts.get().name]
    assert rows(version)[0]["words"] == "w"


def test_gzip_and_parquet_give_the_same_rows_as_csv(world: World):
    lines = (
        "N-1,2024-02-29,ñ =1+1,a,x;z,-5,1.5,2020-01-31,true",
        "N-2,2024-03-01,,,,,,,",
        "N-3,2024-03-02,w,b,y,9007199254740993,0.1,,false",
    )
    plain = world.load(file_of(*lines)).version
    packed = world.load(gzip.compress(file_of(*lines))).version
    table = pa.table(
        {
            "client": ["N-1", "N-2", "N-3"],
            "day": pa.array([date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 2)]),
            "words": ["ñ =1+1", None, "w"],
            "kind": pa.array(["a", None, "b"]).dictionary_encode(),
            "many": pa.array([["x", "z"], None, ["y"]]),
            "count": pa.array([-5, None, 9007199254740993], pa.int64()),
            "size": pa.array([1.5, None, 0.1]),
            "since": pa.array([datetime(2020, 1, 31), None, None], pa.timestamp("us")),  # noqa: DTZ001 - a day
            "open": pa.array([True, None, False]),
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=2)
    mapping = 'format = "parquet"\n' + MAPPING.replace("{share}", "0")
    columnar = world.load(buffer.getvalue(), mapping=mapping).version
    assert rows(plain) == rows(packed) == rows(columnar)
    assert len(rows(plain)) == 3


def test_the_command_loads_says_what_it_did_and_says_so_when_it_was_done_before(
    world: World, capsys
):
    path, mapping = world.folder / "cases.csv", world.folder / "mapping.toml"
    path.write_bytes(file_of("N-1,2024-02-29,w,a,x,1,1,,", "N-2,x,w,a,x,1,1,,"))
    mapping.write_text(MAPPING.replace("{share}", "0.5"))
    words = ["ingest", "cases", str(path), "--mapping", str(mapping), "--by", "river-maple-41"]
    call_command(*words)
    told = capsys.readouterr().out
    assert "1 rows about 1 people, 1 rows refused" in told
    assert str(settings.SAYSO_DATA) in told
    call_command(*words)
    assert "Nothing changed" in capsys.readouterr().out
    with pytest.raises(CommandError, match="may not look after"):
        call_command(*words[:-1], "north-hazel-7")
    with pytest.raises(CommandError, match="no dataset"):
        call_command("ingest", "houses", *words[2:])


def test_the_real_file_is_loaded_cell_by_cell(world: World, real_input):
    path = real_input / "ctdc" / "north_america.csv"
    if not path.is_file():
        pytest.skip("needs the CTDC North America file, which is not here")
    text = (BASE_DIR / "docs" / "mappings" / "ctdc-north-america.toml").read_text()
    version = world.load_file(path, mapping=text).version
    assert (version.rows, version.people, version.rejected) == (91_043, 91_043, 0)
    assert {20_000 <= part.rows <= 50_000 for part in version.parts.all()} == {True}
    assert max(version.parts.values_list("size", flat=True)) <= 8_000_000

    name_of = {each["column"]: each["name"] for each in tomllib.loads(text)["field"]}
    with path.open(encoding="utf-8", newline="") as file:
        header, *expected = csv.reader(file)
    key = subjects.digest_key(world.holder)
    slot_of = {
        bytes(digest): slot
        for digest, slot in SubjectKey.objects.values_list("digest", "subject_id").iterator()
    }
    scope = f"row:{world.dataset.ref}"
    slots = [
        slot_of[subjects.client_digest(key, str(n), scope)] for n in range(1, len(expected) + 1)
    ]
    found = pa.concat_tables(parts(version))
    order = np.argsort(found.column("_slot").to_numpy())
    wanted = np.argsort(np.array(slots))
    assert np.array_equal(found.column("_slot").to_numpy()[order], np.array(slots)[wanted])
    assert set(found.column("_recorded").to_pylist()) == {date(2025, 1, 1)}
    for place, column in enumerate(header):
        loaded = found.column(name_of[column]).to_numpy(zero_copy_only=False)[order]
        given = np.array([row[place] for row in expected], dtype=object)[wanted]
        assert np.array_equal(loaded, given)


def test_the_demonstrations_cases_are_loaded_cell_by_cell(tmp_path, settings):
    settings.SAYSO_DATA = tmp_path / "data"
    world = loading_world.build(tmp_path, standard=SHIPPED)
    path = tmp_path / "cases.csv"
    numbers = [f"NW-{n:06d}" for n in range(200)]
    generator = np.random.default_rng(41)
    today = date(2026, 11, 1)
    write_cases(rng=generator, path=path, numbers=numbers, rows=1000, today=today)
    demo = BASE_DIR / "release" / "management" / "demo" / "mapping-cases.toml"
    version = world.load_file(path, mapping=demo.read_text()).version
    assert (version.rows, version.people, version.rejected) == (1000, 200, 0)

    key = subjects.digest_key(world.holder)
    slot_of = {bytes(known.digest): known.subject_id for known in SubjectKey.objects.all()}
    person = {n: slot_of[subjects.client_digest(key, n)] for n in numbers} | {"": None}
    fields = tomllib.loads(demo.read_text())["field"]
    with path.open(encoding="utf-8", newline="") as file:
        given = [
            (
                person[row["client_number"]],
                person[row["other_client_number"]],
                row["recorded_on"],
                *[row[field["column"]] for field in fields],
            )
            for row in csv.DictReader(file)
        ]
    loaded = [
        (row["_slot"], row["_slot2"], *["" if value is None else str(value) for value in rest])
        for row in rows(version)
        for rest in [[row["_recorded"], *[row[field["name"]] for field in fields]]]
    ]
    assert Counter(loaded) == Counter(given)


@pytest.mark.django_db(transaction=True)
def test_two_loads_of_one_file_at_once_make_one_version(tmp_path, settings):
    settings.SAYSO_DATA = tmp_path / "data"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    world = loading_world.build(tmp_path)
    path = tmp_path / "cases.csv"
    path.write_bytes(file_of(*[f"N-{n},2024-02-01,w,a,x,{n},1,," for n in range(50)]))
    together = Barrier(2)

    def wait(phase: str, *_progress: int) -> None:
        if phase == versions.READING:
            together.wait(timeout=60)  # both have seen that nothing is loaded yet

    def load(_number: int) -> versions.Loading:
        try:
            loading: versions.Loading = world.load_file(path, progress=wait)
            return loading
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(load, range(2))
    assert {first.new, second.new} == {True, False}
    assert first.version == second.version
    assert stored() == [first.version.parts.get().name]
    assert Subject.objects.count() == len(rows(first.version)) == 50


def test_the_holders_key_and_no_other_opens_the_parts(world: World):
    version = world.load(file_of("N-1,2024-02-29,songbird,a,x,1,1,,")).version
    sealed = storage.store().open(version.parts.get().name)
    ring = KeyRing(settings.SAYSO_KEYS, may_create=True)
    assert sealed.startswith(b"age-encryption.org/v1")
    assert storage.unseal(sealed, ring.identity(world.holder.ref)).startswith(b"PAR1")
    with pytest.raises(NotReady):
        storage.unseal(sealed, ring.identity("org-somebodyelse"))


def test_a_file_that_changes_while_it_is_read_is_refused(world: World):
    path = world.folder / "given.dat"

    def meddle(*_progress: object) -> None:
        os.utime(path, ns=(1, 1))

    with pytest.raises(BadInput, match="changed while it was read"):
        world.load(file_of("N-1,2024-02-29,w,a,x,1,1,,"), progress=meddle)
    assert stored() == []


def test_a_reclassified_field_asks_for_a_mapping_that_says_so(world: World):
    world.load(file_of("N-1,2024-02-29,w,a,x,1,1,,"))
    field = Field.objects.get(dataset=world.dataset, name="open")
    about_me = Field.objects.get(dataset=world.dataset, name="kind").category
    catalogue.reclassify(
        field=field,
        category=about_me,
        field_sensitivity="sensitive",
        narrative=False,
        by=world.steward,
        at=world.at,
        via=Via.COMMAND,
    )
    with pytest.raises(RuleBroken, match="another category"):
        world.load(file_of("N-2,2024-02-29,w,a,x,1,1,,"))
