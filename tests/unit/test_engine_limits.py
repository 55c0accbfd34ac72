"""The engine against a plain-Python reading of the same rows, and where its memory ends."""

import tempfile
import threading
from datetime import timedelta
from functools import reduce
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import NotReady
from governance.vocabulary import FieldType
from release.engine.parts import Limits
from release.engine.rows import person_keys
from release.storage import LocalStore
from tests.sealed import DAY, Bench, Line, people, shape

COLUMNS = (("a", 0, FieldType.TEXT), ("b", 1, FieldType.INTEGER), ("c", 2, FieldType.TEXT))
ALONE = ((COLUMNS[0][0], 0, FieldType.TEXT),)
SLOTS = st.integers(min_value=0, max_value=7)
DAYS = st.sampled_from([None, DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)])
WORDS = st.tuples(st.integers(0, 7), st.sampled_from([DAY - timedelta(days=1), DAY]))


WHOLE = st.integers(-(2**63), 2**63 - 1)
CELLS = st.tuples(st.sampled_from(["x", "", None]), st.none() | WHOLE, st.just("z"))


@st.composite
def small_worlds(draw):
    """How many people a row may name, rows, and what each person opened until which day."""
    width = draw(st.integers(1, 3))
    others = st.lists(st.none() | SLOTS, min_size=width - 1, max_size=width - 1)
    named = st.builds(lambda first, rest: (first, *rest), SLOTS, others)
    lines = draw(st.lists(st.builds(Line, named, CELLS, DAYS), min_size=1, max_size=60))
    return width, lines, draw(st.dictionaries(SLOTS, WORDS))


def reading(lines, words, called):
    """What must leave, who is in it with what, and whose rows were in time: row by row."""
    rows, inside, in_time = [], {}, set()
    for line in lines:
        opened = {}
        for slot in {slot for slot in line.people if slot is not None}:
            groups, until = words.get(slot, (0, None))
            opened[slot] = groups if until and line.day and line.day <= until else 0
        both = reduce(int.__and__, opened.values())
        in_time |= {slot for slot, groups in opened.items() if groups}
        if both:
            cells = (
                cell if both >> group & 1 else None
                for cell, (_, group, _) in zip(line.cells, COLUMNS, strict=True)
            )
            rows.append((called[line.people[0]], *cells))
            for slot in opened:
                inside[slot] = inside.get(slot, 0) | both
    return rows, inside, in_time


@settings(max_examples=60, deadline=None)
@given(world=small_worlds())
def test_the_engine_says_what_a_plain_reading_of_every_row_says(world):
    width, lines, words = world
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        who = people(words)
        called = dict(
            zip(who.slots.tolist(), person_keys(bench.key, who.slots).to_pylist(), strict=True)
        )
        written = bench.run(shape(*COLUMNS, people_per_row=width), lines, who)
        rows, inside, in_time = reading(lines, words, called)
        assert sorted(bench.rows(written), key=repr) == sorted(rows, key=repr)
        if written is None:
            assert not rows
            assert not in_time
            return
        assert written.rows == len(rows)
        assert written.slots.tolist() == sorted(inside)
        assert written.groups.tolist() == [inside[slot] for slot in sorted(inside)]
        assert written.in_period.tolist() == sorted(in_time)


CANARY = "canary-of-one-row"
MANY = [Line((slot,), (f"{CANARY}-{slot:06d}" + "x" * 80,)) for slot in range(40_000)]
EVERYBODY = people(dict.fromkeys(range(40_000), 1))


class Listing(threading.Thread):
    """Reads every file under some folders over and over, and keeps those that show a row."""

    def __init__(self, *folders: Path) -> None:
        super().__init__()
        self.folders = folders
        self.seen: set[str] = set()
        self.clear: set[str] = set()
        self.over = threading.Event()

    def run(self) -> None:
        while True:
            last = self.over.is_set()
            for folder in self.folders:
                for path in folder.rglob("*"):
                    self._look(path)
            if last:
                return

    def _look(self, path: Path) -> None:
        try:
            data = path.read_bytes()
        except OSError:
            return
        self.seen.add(path.name)
        if CANARY.encode() in data or b"PAR1" in data:
            self.clear.add(path.name)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty working folder and an empty temporary folder, and nothing else to write to."""
    temporary, working = tmp_path / "tmp", tmp_path / "cwd"
    for folder in (temporary, working):
        folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.chdir(working)
    return temporary, working


def test_no_row_lies_in_clear_on_any_disk_while_a_part_is_written(tmp_path, elsewhere):
    bench = Bench(tmp_path / "store")
    made = shape(*ALONE)
    source = bench.part(made, MANY)
    looking = Listing(*elsewhere, bench.folder)
    looking.start()
    try:
        (written,) = bench.write(made, [source], EVERYBODY)
    finally:
        looking.over.set()
        looking.join()
    assert CANARY.encode() in bench.clear(written)
    assert Path(source.name).name in looking.seen  # it did look
    assert looking.clear == set()
    assert [each for folder in elsewhere for each in folder.rglob("*")] == []


class Watching(LocalStore):
    """A folder that lists other folders at the moment a sealed part is put into it."""

    def put(self, name, data, *, lasting=True):
        beside = [path for path in Path.cwd().parent.rglob("*") if path.is_file()]
        assert [path.name for path in beside if path.suffix != ".age"] == []
        return super().put(name, data, lasting=lasting)


def test_at_the_moment_of_sealing_nothing_lies_beside_the_store(tmp_path, elsewhere):
    bench = Bench(tmp_path / "store")
    made = shape(*ALONE)
    source = bench.part(made, MANY[:10])
    (written,) = bench.write(made, [source], EVERYBODY, store=Watching(bench.folder))
    assert written.rows == 10


@pytest.mark.parametrize("megabytes", [8, 64])
def test_where_memory_ends_the_release_is_refused_and_nothing_spills(
    tmp_path, elsewhere, megabytes
):
    """The larger limit is one at which a spill to the disk would have saved the release."""
    bench = Bench(tmp_path / "store")
    made = shape(*ALONE)
    lines = [Line((slot,), (f"{CANARY}-{slot:06d}" + "x" * 80,)) for slot in range(150_000)]
    source = bench.part(made, lines)
    looking = Listing(*elsewhere)
    looking.start()
    try:
        with pytest.raises(NotReady) as refusal:
            bench.write(
                made,
                [source],
                people(dict.fromkeys(range(150_000), 1)),
                limits=Limits(megabytes, 1),
            )
    finally:
        looking.over.set()
        looking.join()
    assert refusal.value.code == "engine_memory"
    assert looking.seen == set()
    assert [each for folder in elsewhere for each in folder.rglob("*")] == []
    assert list(bench.store.names("packages")) == []


def test_one_long_word_in_many_rows_is_weighed_written_out(tmp_path):
    """A list of words holds it once; what leaves would hold it in every row."""
    bench = Bench(tmp_path)
    made = shape(*ALONE)
    long, short = "x" * 100_000, "y"
    source = bench.part(made, [Line((slot,), (long,)) for slot in range(500)])
    everybody = people(dict.fromkeys(range(500), 1))
    with pytest.raises(NotReady) as refusal:
        bench.write(made, [source], everybody, limits=Limits(64, 1))
    assert refusal.value.code == "engine_memory"
    # The same longest word, but in one row only: its real weight counts.
    lines = [Line((slot,), (short if slot else long,)) for slot in range(500)]
    (written,) = bench.write(made, [bench.part(made, lines)], everybody, limits=Limits(64, 1))
    assert written.rows == 500
