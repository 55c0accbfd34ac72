"""A consented release against a plain copy of the same output size.

The floor reads the same plain parts and writes one plain file of the same rows, cells and bytes:
people chosen and cells emptied by a cheap filter, person keys already in the input.
Goals: plain in and out ≤ 1.10× (1.15× is the floor of what is acceptable), peak memory ≤ 1.2×;
sealed in and out ≤ 1.30×. Equality: the consented outputs hold the same rows, none without a yes,
no cell of a closed group.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyrage
from pyrage import x25519

from bench.measure import interleaved, verdict
from governance.vocabulary import FieldType, PackageFormat
from release.actions.loading.limits import LIMITS
from release.actions.loading.writing import parquet
from release.engine.parts import Engine, Keys, Limits, Source
from release.engine.plan import PERSON, Shape, compiled
from release.engine.rows import person_keys
from release.rules.decide import Column, People
from release.storage import LocalStore, Store, Stored, seal

PART = LIMITS.part_rows
PERSON_KEY = b"k" * 32
ROWS_A_PERSON = 10
GROUPS = 4
COLUMNS = 12
WORKERS = 2


def run(*, rows: int, repeat: int) -> bool:
    """Measure at `rows` rows × 12 columns; gives whether every goal was met."""
    with _world(rows) as world:
        made = interleaved(
            f"release {rows:,} rows",
            {
                "floor: one native copy": world.native,
                "consented: plain": world.plain,
                "consented: sealed": world.sealed,
            },
            repeat=repeat,
            floor="floor: one native copy",
        )
        plain, sealed = made["consented: plain"], made["consented: sealed"]
        floor = made["floor: one native copy"]
        name = f"release {rows:,} rows"
        return all(
            [
                verdict(name, "plain in and out", plain["ratio"], 1.10),
                verdict(
                    name, "peak memory, plain", round(plain["peak_mb"] / floor["peak_mb"], 3), 1.2
                ),
                verdict(name, "sealed in and out", sealed["ratio"], 1.30),
            ]
        )


class World:
    """Parts as plain and as sealed files, and 60 % of the people with a yes in force."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.folder = folder
        self.identity = x25519.Identity.generate()
        self.recipient = x25519.Identity.generate()
        self.rows = rows
        rng = np.random.default_rng(7)
        people = rows // ROWS_A_PERSON
        self.slots = np.arange(people, dtype=np.int32)
        yes = rng.random(people) < 0.6
        groups = rng.integers(1, 1 << GROUPS, people).astype(np.int64)
        self.people = People(
            self.slots[yes], groups[yes], np.full(int(yes.sum()), 30_000, dtype=np.int32)
        )
        self.cut = float(np.mean(yes))
        self.shape = Shape(
            columns=tuple(Column(f"c{at}", at % GROUPS) for at in range(COLUMNS)),
            types=(FieldType.INTEGER,) * 6 + (FieldType.TEXT,) * 3 + (FieldType.DECIMAL,) * 3,
            people_per_row=1,
            format=PackageFormat.PARQUET,
        )
        compiled(self.shape)  # once in the life of a process
        self.sources: list[Source] = []
        self.files: list[str] = []
        store = LocalStore(folder / "data")
        for number, start in enumerate(range(0, rows, PART)):
            self._part(store, rng, number, start, min(PART, rows - start))

    def _part(
        self, store: LocalStore, rng: np.random.Generator, number: int, start: int, count: int
    ) -> None:
        words = np.array([f"word-{each:03d}" for each in range(200)])
        table = {
            "_slot": pa.array(np.repeat(self.slots, ROWS_A_PERSON)[start : start + count]),
            "_recorded": pa.array(np.full(count, 19_000, dtype=np.int32)).cast(pa.date32()),
        }
        for at, kind in enumerate(self.shape.types):
            if kind is FieldType.INTEGER:
                table[f"c{at}"] = pa.array(rng.integers(0, 100_000, count))
            elif kind is FieldType.TEXT:
                table[f"c{at}"] = pa.array(words[rng.integers(0, 200, count)].astype(object))
            else:
                table[f"c{at}"] = pa.array(rng.random(count))
        name = f"parts/{number}.age"
        stored = store.put(
            name, seal(parquet(pa.table(table)), [self.identity.to_public()]), lasting=False
        )
        table[PERSON] = person_keys(PERSON_KEY, table["_slot"].to_numpy())
        path = self.folder / f"plain-{number}.parquet"
        path.write_bytes(parquet(pa.table(table)))
        self.files.append(str(path))
        self.sources.append(Source(number, name, stored.sha256))

    def native(self) -> Callable[[], str]:
        out = self._out("native")
        connection = duckdb.connect(config={"threads": WORKERS})
        connection.execute("SET preserve_insertion_order = false")
        shares = [float(np.mean(self.people.groups >> group & 1)) * 1000 for group in range(GROUPS)]
        cells = ", ".join(
            f"CASE WHEN hash(_slot + {column.group}) % 1000 < {int(shares[column.group])}"
            f" THEN {column.name} END AS {column.name}"
            for column in self.shape.columns
        )
        connection.execute(
            f"COPY (SELECT {PERSON}, {cells} FROM read_parquet({self.files})"
            f" WHERE hash(_slot) % 1000 < {int(self.cut * 1000)})"
            f" TO '{out / 'all.parquet'}' (FORMAT PARQUET)"
        )
        connection.close()
        return lambda: self._weighed("floor", out, "floor")

    def plain(self) -> Callable[[], str]:
        """The engine over plain parts, plain out: sealing apart, all it does."""
        out = self._out("plain")
        store = LocalStore(out)
        with PlainEngine(**self._settings(store)) as engine:
            self._write(engine)
        return lambda: self._weighed(
            "plain", out, self._digest([path.read_bytes() for path in _files(out)])
        )

    def sealed(self) -> Callable[[], str]:
        """The engine itself: sealed parts in, sealed package out."""
        out = self._out("sealed")
        store = LocalStore(out)
        with Engine(**self._settings(LinkedStore(self.folder / "data", store))) as engine:
            self._write(engine)
        return lambda: self._weighed(
            "sealed",
            out,
            self._digest(
                [pyrage.decrypt(path.read_bytes(), [self.recipient]) for path in _files(out)]
            ),
        )

    def _settings(self, store: Store) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "keys": Keys(self.identity, PERSON_KEY, self.recipient.to_public()),
            "limits": Limits(1024, WORKERS),
            "store": store,
            "folder": "package",
        }

    def _write(self, engine: Engine) -> None:
        sources = self.sources
        if isinstance(engine, PlainEngine):
            sources = [
                Source(each.number, file, "")
                for each, file in zip(sources, self.files, strict=True)
            ]
        for _ in engine.write(sources, self.people, lambda source: f"{source.number}.age"):
            pass

    def _weighed(self, name: str, out: Path, digest: str) -> str:
        size = sum(path.stat().st_size for path in _files(out))
        print(json.dumps({"section": "release", "variant": name, "output_bytes": size}))
        return digest

    def _digest(self, files: list[bytes]) -> str:
        """The same for the same rows; raises where a row or a cell left without a yes."""
        allowed = dict(zip(self.people.slots.tolist(), self.people.groups.tolist(), strict=True))
        total = 0
        columns = [column.name for column in self.shape.columns]
        connection = duckdb.connect()
        keys = pa.table(
            {
                PERSON: person_keys(PERSON_KEY, self.people.slots),
                "groups": self.people.groups,
            }
        )
        connection.register("people", keys)
        for data in files:
            table = pq.read_table(pa.BufferReader(data))
            connection.register("released", table)
            foreign = connection.execute(
                "SELECT count(*) FROM released ANTI JOIN people USING (person)"
            ).fetchall()
            leaks = connection.execute(
                "SELECT "
                + " + ".join(
                    f"count(*) FILTER (released.{column.name} IS NOT NULL"
                    f" AND people.groups & {1 << column.group} = 0)"
                    for column in self.shape.columns
                )
                + " FROM released JOIN people USING (person)"
            ).fetchall()
            if foreign != [(0,)] or leaks != [(0,)]:
                raise AssertionError("a row or a cell left without a yes")
            mixed = connection.execute(
                f"SELECT sum(hash(person, {', '.join(columns)})::HUGEINT) FROM released"
            ).fetchall()
            total += int(mixed[0][0] or 0)
            connection.unregister("released")
        if len(allowed) != len(self.people.slots):
            raise AssertionError("a person counts twice")
        return sha256(str(total).encode()).hexdigest()

    def _out(self, name: str) -> Path:
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path


class PlainEngine(Engine):
    """The engine without sealing: a source's name is the path of a plain part."""

    def _clear(self, source: Source) -> bytes:
        return Path(source.name).read_bytes()

    def _keep(self, path: str, data: bytes) -> Stored:
        return self._store.put(path, data, lasting=False)


@dataclass(frozen=True)
class LinkedStore:
    """Reads what was loaded and writes beside it."""

    loaded: Path
    out: LocalStore

    def open(self, name: str) -> bytes:
        return LocalStore(self.loaded).open(name)

    def put(self, name: str, data: bytes, *, lasting: bool = True) -> Stored:
        return self.out.put(name, data, lasting=lasting)

    def settle(self, name: str) -> None:
        self.out.settle(name)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@contextmanager
def _world(rows: int) -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="bench-release-"))
    try:
        yield World(folder, rows)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
