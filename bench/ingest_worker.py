"""The processes of bench/ingest.py: the floor; a world; one load; what was loaded, opened."""

import io
import json
import os
import sys
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SAYSO_DEMO", "1")


def floor(source: str, target: str) -> dict[str, float]:
    """DuckDB's own conversion, with its own choice of types and threads."""
    import duckdb  # noqa: PLC0415 - only this process needs it, and only it is measured for it

    connection = duckdb.connect()
    began, cpu = time.perf_counter(), time.process_time()
    connection.execute(f"COPY (FROM read_csv('{source}')) TO '{target}' (FORMAT parquet)")
    return {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}


def world() -> dict[str, float]:
    """An organisation with one empty dataset and its steward."""
    django.setup()
    from bench import ingest_world  # noqa: PLC0415 - Django must be set up first

    ingest_world.build()
    return {}


def load(folder: str) -> dict[str, float]:
    """The timed load."""
    django.setup()
    from bench import ingest_world  # noqa: PLC0415 - Django must be set up first

    before = _peak_mb()
    began, cpu = time.perf_counter(), time.process_time()
    ingest_world.load(Path(folder))
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "peak_mb": _peak_mb(),
        "before_mb": before,
        "load": os.getloadavg()[0],
    }


def _peak_mb() -> float:
    """Of this process alone: what `getrusage` tells begins with the size of the one that forked it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def opened(target: str) -> dict[str, float]:
    """The rows of the version in clear, for the equality check: made-up rows in a folder of ours."""
    django.setup()
    import pyarrow.parquet as pq  # noqa: PLC0415

    from bench import ingest_world  # noqa: PLC0415 - Django must be set up first

    writer = None
    for part in ingest_world.parts():
        table = pq.read_table(io.BytesIO(part))
        writer = writer or pq.ParquetWriter(target, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return {}


DEEDS = {"floor": floor, "world": world, "load": load, "open": opened}

if __name__ == "__main__":
    print(json.dumps(DEEDS[sys.argv[1]](*sys.argv[2:])))
