"""Loading a CSV against DuckDB's own conversion of the same file to Parquet.

Ours reads, checks types, code lists and ranges, digests client numbers, sorts by person, seals, and
enrols everybody (a tenth as many people as rows, all new). Goals: at most twice the floor's time;
peak memory that does not grow with the file. Equality: as many rows, each column's content, and
each person's rows together, whatever their order.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from bench.measure import verdict

ROWS_A_PERSON = 10
CODES = {"gender": 6, "status": 4, "referral": 12, "language": 40, "citizenship": 120}
COLUMNS: dict[str, str] = {
    "client": "'N-' || lpad((hash(i, 0) % {people})::VARCHAR, 8, '0')",
    "recorded_on": "DATE '2015-01-01' + (hash(i, 1) % 3650)::INTEGER",
    **{
        name: f"'{name}-' || (hash(i, '{name}') % {count})::VARCHAR"
        for name, count in CODES.items()
    },
    "needs": "CASE hash(i, 2) % 4 WHEN 0 THEN '' WHEN 1 THEN 'food' WHEN 2 THEN 'food;home' "
    "ELSE 'home;law' END",
    "children": "hash(i, 3) % 9",
    "age": "hash(i, 4) % 90",
    "visits": "hash(i, 5) % 1000",
    "case_number": "hash(i, 6) % 100000000",
    "amount": "(hash(i, 7) % 100000) / 100",
    "score": "(hash(i, 8) % 10000) / 7",
    "since": "DATE '1990-01-01' + (hash(i, 9) % 12000)::INTEGER",
    "closed_on": "CASE WHEN hash(i, 10) % 3 = 0 THEN NULL "
    "ELSE DATE '2015-01-01' + (hash(i, 11) % 3650)::INTEGER END",
    "open": "hash(i, 12) % 2 = 0",
    "interpreter": "hash(i, 13) % 7 = 0",
    "city": "'Town ' || (hash(i, 14) % 2000)::VARCHAR",
    "reference": "'R' || hash(i, 15)::VARCHAR",
}
KINDS = {
    **dict.fromkeys(CODES, "code"),
    "needs": "codes",
    **dict.fromkeys(("children", "age", "visits", "case_number"), "integer"),
    **dict.fromkeys(("amount", "score"), "decimal"),
    **dict.fromkeys(("since", "closed_on"), "date"),
    **dict.fromkeys(("open", "interpreter"), "boolean"),
    **dict.fromkeys(("city", "reference"), "text"),
}
TYPES = {"integer": "BIGINT", "decimal": "DOUBLE", "date": "DATE", "boolean": "BOOLEAN"}
MOST_GROWTH = 1.25


def run(*, rows: int, repeat: int) -> bool:
    """Measure at `rows` rows × 20 columns, and memory at a tenth as many."""
    small, large = _measured(max(1000, rows // 10), 1), _measured(rows, max(1, repeat // 2))
    name = f"ingest {rows:,} rows x {len(COLUMNS)} columns"
    growth = round(large["peak_mb"] / small["peak_mb"], 3)
    return all(
        [
            verdict(name, "time beside DuckDB's conversion", large["ratio"], 2.0),
            verdict(name, "memory beside a tenth of the rows", growth, MOST_GROWTH),
        ]
    )


def _measured(rows: int, repeat: int) -> dict[str, float]:
    ratios, loads = [], []
    with _folder() as folder:
        path = folder / "cases.csv"
        _write(path, rows)
        (folder / "mapping.toml").write_text(_mapping())
        expected = _digests(f"read_csv('{path}', header = true, columns = {_types()})", "client")
        for turn in range(repeat):
            first = _floor(path, folder)
            load = _load(folder, turn)
            floor = min(first, _floor(path, folder), key=lambda each: each["seconds"])
            if load["digests"] != expected:
                raise AssertionError("what was loaded is not what the file holds")
            loads.append(load)
            ratios.append(load["seconds"] / floor["seconds"])
            line = {key: value for key, value in load.items() if key != "digests"}
            line |= {"floor_s": floor["seconds"], "floor_cpu": floor["cpu"]}
            print(json.dumps({"section": "ingest", "rows": rows, **line}), flush=True)
    return {
        "ratio": round(statistics.median(ratios), 3),
        "peak_mb": statistics.median(load["peak_mb"] for load in loads),
    }


def _floor(path: Path, folder: Path) -> dict[str, Any]:
    return _child("floor", str(path), str(folder / "floor.parquet"), environment={})


def _load(folder: Path, turn: int) -> dict[str, Any]:
    world = folder / f"world-{turn}"
    environment = {
        "SAYSO_DEMO": "1",
        "DATABASE_URL": f"sqlite:///{world}/sayso.sqlite3",
        "SAYSO_DATA": str(world / "data"),
        "SAYSO_KEYS": str(world / "keys"),
    }
    world.mkdir()
    try:
        _child("world", environment=environment)
        found = _child("load", str(folder), environment=environment)
        table = world / "opened.parquet"
        _child("open", str(table), environment=environment)
        found["digests"] = _digests(f"read_parquet('{table}')", "_slot")
        return found
    finally:
        shutil.rmtree(world)


def _child(*words: str, environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.ingest_worker", *words],
        env={**os.environ, **environment},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _write(path: Path, rows: int) -> None:
    people = max(1, rows // ROWS_A_PERSON)
    made = ", ".join(
        f"{how.replace('{people}', str(people))} AS {name}" for name, how in COLUMNS.items()
    )
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT {made} FROM range({rows}) t(i)) TO '{path}' (HEADER, DELIMITER ',')"
        )


def _types() -> str:
    listed = {name: TYPES.get(KINDS.get(name, ""), "VARCHAR") for name in COLUMNS}
    listed["recorded_on"] = "DATE"
    return "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in listed.items()) + "}"


def _digests(source: str, person: str) -> dict[str, str]:
    """Rows, each column's content, and each person's rows together; no order counts."""
    cells = {
        name: f"coalesce(hash(nullif({name}::VARCHAR, '')), 0)" for name in [*KINDS, "recorded_on"]
    }
    day = "recorded_on" if person == "client" else "_recorded AS recorded_on"
    sums = ", ".join(f"sum({cell})::VARCHAR AS {name}" for name, cell in cells.items())
    whole = " + ".join(f"{cell}::HUGEINT * {at}" for at, cell in enumerate(cells.values(), 1))
    with duckdb.connect() as connection:
        read = f"(SELECT {person} AS person, {day}, * EXCLUDE ({person}, {day.split()[0]}) FROM {source})"
        columns = connection.execute(f"SELECT count(*)::VARCHAR AS rows, {sums} FROM {read}")
        names = [each[0] for each in columns.description or []]
        found = dict(zip(names, columns.fetchone() or (), strict=True))
        together = connection.execute(
            f"SELECT sum(hash(h))::VARCHAR FROM (SELECT sum(hash({whole}))::VARCHAR AS h "
            f"FROM {read} GROUP BY person)"
        )
        found["people"] = (together.fetchone() or ("",))[0]
    return found


def _mapping() -> str:
    lines = ['[person]\ncolumns = ["client"]\n[record]\ndate = "recorded_on"\n']
    for name, kind in KINDS.items():
        codes = {
            **{each: [f"{each}-{at}" for at in range(count)] for each, count in CODES.items()},
            "needs": ["food", "home", "law"],
        }
        lines.append(
            f'[[field]]\ncolumn = "{name}"\nname = "{name}"\ntype = "{kind}"\n'
            + (f"codes = {json.dumps(codes[name])}\n" if name in codes else "")
            + ("minimum = 0\n" if kind == "integer" else "")
            + 'category = "about-me"\nsensitivity = "quasi"\n'
        )
    return "".join(lines)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="bench-ingest-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
