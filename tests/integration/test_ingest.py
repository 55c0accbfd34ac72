"""Files become sealed versions, whole or not at all."""

import csv
import io
from collections import defaultdict
from datetime import date
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from django.conf import settings

from audit.models import Entry
from common.errors import BadInput
from consent.actions import subjects
from consent.models import Subject, SubjectKey
from governance.models import CategoryField, Field
from release import storage
from release.actions.loading.limits import Limits
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


def test_a_file_becomes_sealed_rows_without_a_client_number(world: World):
    loading = world.load(
        file_of(
            "N-1,2024-02-29,=SUM(A1),a,x;z,-5,1.5,2020-01-31,yes",
            "N-2,2024-03-01,,,,,,,",
            'N-1,2024-01-01,"two\nlines, ñ",b,y,0,2,,0',
        )
    )
    found = rows(loading.version)
    slots = slots_of(world)
    assert loading.new
    assert loading.report == ""
    assert (loading.version.rows, loading.version.people, loading.version.rejected) == (3, 2, 0)
    assert [row["_slot"] for row in found] == sorted(row["_slot"] for row in found)
    mine = [row for row in found if row["_slot"] == slots["N-1"]]
    assert mine == [
        {
            "_slot": slots["N-1"],
            "_recorded": date(2024, 1, 1),
            "words": "two\nlines, ñ",
            "kind": "b",
            "many": "y",
            "count": 0,
            "size": 2.0,
            "since": None,
            "open": False,
        },
        {
            "_slot": slots["N-1"],
            "_recorded": date(2024, 2, 29),
            "words": "=SUM(A1)",
            "kind": "a",
            "many": "x;z",
            "count": -5,
            "size": 1.5,
            "since": date(2020, 1, 31),
            "open": True,
        },
    ]
    (other,) = (row for row in found if row["_slot"] == slots["N-2"])
    assert {key for key, value in other.items() if value is not None} == {"_slot", "_recorded"}
    assert parts(loading.version)[0].schema.field("_slot").type == pa.int32()


def slots_of(world: World) -> dict[str, int]:
    key = subjects.digest_key(world.holder)
    digests = {subjects.client_digest(key, f"N-{n}"): f"N-{n}" for n in range(1, 10)}
    known = SubjectKey.objects.filter(holder=world.holder, digest__in=list(digests))
    return {digests[bytes(each.digest)]: each.subject_id for each in known}


def test_a_load_is_on_record_with_its_entry_its_digests_and_its_columns(world: World):
    data = file_of("N-1,2024-02-29,w,a,x,1,1,,")
    version = world.load(data).version
    entry = version.entry
    assert entry.type == "dataset:ingested"
    assert entry.resource == f"{world.dataset.ref}/{version.ref}"
    assert entry.actor == world.steward.ref
    assert version.source_sha256 == sha256(data).hexdigest()
    assert {column.field.name for column in version.columns.all()} == set(HEADER.split(",")[2:])
    part = version.parts.get()
    assert storage.Stored(part.size, part.sha256) == storage.Stored(
        len(sealed := storage.store().open(part.name)),
        sha256(sealed).hexdigest(),
    )
    assert CategoryField.objects.filter(name="kind", version__category__code="about-me").exists()


def test_the_same_file_under_the_same_mapping_changes_nothing(world: World):
    data = file_of("N-1,2024-02-29,w,a,x,1,1,,")
    first = world.load(data)
    before = (stored(), Entry.objects.count(), Subject.objects.count())
    again = world.load(data)
    assert (again.new, again.version) == (False, first.version)
    assert (stored(), Entry.objects.count(), Subject.objects.count()) == before
    assert DatasetVersion.objects.count() == 1


def test_a_former_file_sent_again_is_gone_back_to_as_a_version_of_its_own(world: World):
    former, newer = file_of("N-1,2024-02-29,w,a,x,1,1,,"), file_of("N-1,2024-02-29,v,a,x,1,1,,")
    world.load(former)
    world.load(newer)
    back = world.load(former)
    assert (back.new, back.version.number) == (True, 3)
    assert rows(back.version)[0]["words"] == "w"
    assert not world.load(former).new


def test_another_file_is_the_next_version_and_the_older_parts_stay(world: World):
    first = world.load(file_of("N-1,2024-02-29,w,a,x,1,1,,")).version
    second = world.load(file_of("N-1,2024-02-29,v,a,x,1,1,,")).version
    assert (first.number, second.number) == (1, 2)
    assert rows(first)[0]["words"] == "w"
    assert rows(second)[0]["words"] == "v"
    assert rows(first)[0]["_slot"] == rows(second)[0]["_slot"]


def test_further_people_of_a_row_stand_beside_it_and_are_present(world: World):
    mapping = MAPPING.replace("{share}", "0").replace('["client"]', '["client", "other"]')
    version = world.load(
        f"{HEADER},other\nN-1,2024-02-29,w,,,,,,,N-2\nN-3,2024-02-29,v,,,,,,,\n".encode(),
        mapping=mapping,
    ).version
    slots = slots_of(world)
    assert {(row["_slot"], row["_slot2"]) for row in rows(version)} == {
        (slots["N-1"], slots["N-2"]),
        (slots["N-3"], None),
    }
    assert version.people_per_row == 2
    assert version.people == 3
    assert present(version) == set(slots.values())


def present(version: DatasetVersion) -> set[int]:
    found = set()
    for chunk in Presence.objects.filter(version=version):
        bits = bytes(chunk.bits)
        assert len(bits) == 1024
        found |= {chunk.block << 13 | bit for bit in range(8192) if bits[bit >> 3] & 1 << (bit & 7)}
    return found


def test_a_person_is_never_cut_between_parts_whatever_the_buckets(world: World):
    lines = [f"N-{n % 70},2024-02-{1 + n % 28:02d},word {n},a,x,{n},,," for n in range(3000)]
    limits = Limits(
        batch_rows=250, staging_bytes=20_000, bucket_bytes=20_000, part_rows=200, buckets=5
    )
    version = world.load(file_of(*lines), limits=limits).version
    found = parts(version)
    home = defaultdict(set)
    for number, part in enumerate(found):
        slots = part.column("_slot").to_pylist()
        assert slots == sorted(slots)
        assert part.num_rows <= 250
        for slot in slots:
            home[slot].add(number)
    assert len(found) > 5
    assert len(home) == 70
    assert all(len(numbers) == 1 for numbers in home.values())
    assert sorted(row["words"] for row in rows(version)) == sorted(f"word {n}" for n in range(3000))
    for part in found:  # within one person by day, and within a day in the file's order
        keys = [(row["_slot"], row["_recorded"], row["count"]) for row in part.to_pylist()]
        assert keys == sorted(keys)


def test_a_part_that_would_be_too_large_is_divided_between_people(world: World):
    noise = np.random.default_rng(7)
    lines = [f"N-{n // 3},2024-02-01,{noise.bytes(200).hex()},a,x,{n},,," for n in range(300)]
    version = world.load(file_of(*lines), limits=Limits(part_bytes=20_000)).version
    assert version.parts.count() > 3
    assert max(version.parts.values_list("size", flat=True)) <= 20_000
    assert version.rows == len(rows(version)) == 300


def test_bad_rows_below_the_share_are_left_out_and_reported_without_their_values(world: World):
    lines = [f"N-{n},2024-02-01,w,a,x,1,1,," for n in range(97)]
    bad = [
        "N-canary-1,31/02/2024,w,a,x,1,1,,",
        'N-canary-2,2024-02-01,"two\nlines",canary,x,canary,1,,',
        "N-canary-3,2024-02-01,w",
    ]
    loading = world.load(file_of(*lines, *bad), share=0.03)
    assert (loading.version.rows, loading.version.rejected) == (97, 3)
    report = storage.store().open(loading.report).decode()
    assert list(csv.reader(io.StringIO(report))) == [
        ["line", "column", "problem", "hint"],
        ["99", "day", "not a day", "write it as YYYY-MM-DD, for example 2024-02-29"],
        ["100", "kind", "not on the list", "one of: a, b"],
        ["100", "count", "not a whole number", "digits only, with a minus sign where needed"],
        [
            "102",
            "",
            "wrong number of cells",
            "put quotes around cells that hold a delimiter or a line end",
        ],
    ]
    assert SubjectKey.objects.count() == 97


def test_above_the_share_nothing_is_loaded_and_the_report_says_why(world: World):
    lines = [f"N-{n},2024-02-01,w,a,x,1,1,," for n in range(96)] + ["N-1,x,w,a,x,1,1,,"] * 4
    with pytest.raises(BadInput) as refused:
        world.load(file_of(*lines), share=0.03)
    assert refused.value.code == "too_many_bad_rows"
    assert "4 of 100 rows" in refused.value.message
    (report,) = stored()
    assert report.startswith("reports/")
    assert report in refused.value.message
    assert storage.store().open(report).count(b"not a day") == 4
    assert nothing_loaded()
    entry = Entry.objects.get(type="dataset:rejected")
    assert (entry.decision, entry.reason) == ("refused", "too_many_bad_rows")


def nothing_loaded() -> bool:
    return not (
        DatasetVersion.objects.exists()
        or StoredPart.objects.exists()
        or Presence.objects.exists()
        or Subject.objects.exists()
        or Field.objects.exists()
    )


def test_a_long_report_says_how_many_more_there_are(world: World):
    lines = ["N-1,x,w,a,x,1,1,,"] * 30
    with pytest.raises(BadInput):
        world.load(file_of(*lines), limits=Limits(report_lines=10, batch_rows=7))
    report = storage.store().open(stored()[0]).decode().splitlines()
    assert len(report) == 12
    assert report[-1] == ",,and 20 more,correct these first"


def test_no_plaintext_lies_anywhere_during_or_after_a_load(world: World, tmp_path, monkeypatch):
    """The canary and the client number are looked for each time the load tells how far it is."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    lines = [f"N-canary-{n},2024-02-01,songbird {n} over the water,a,x,1,1,," for n in range(900)]
    looked = []

    def look(*_progress: object) -> None:
        folders = (Path(settings.SAYSO_DATA), temporary)
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        looked.append(len(files))
        for path in files:
            try:
                data = path.read_bytes()
            except FileNotFoundError:  # a draft that has its name by now
                continue
            assert b"songbird" not in data
            assert b"N-canary" not in data

    limits = Limits(batch_rows=100, staging_bytes=8000, bucket_bytes=8000, buckets=4)
    version = world.load(file_of(*lines), limits=limits, progress=look).version
    look()
    assert max(looked) > 10  # staging was written, and was looked at
    assert version.rows == 900
    assert not any(name.startswith("staging/") for name in stored())
    assert not any(
        b"N-canary" in bytes(value) for value in SubjectKey.objects.values_list("digest", flat=True)
    )
