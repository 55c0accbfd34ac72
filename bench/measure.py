"""Interleaved timing in processes of their own; one JSON line each."""

import json
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import duckdb
import ibis
import pyarrow as pa

Variant = Callable[[], Callable[[], str]]
"""The timed work; what it returns is called afterwards, untimed, and gives a digest."""


def interleaved(
    section: str, variants: Mapping[str, Variant], *, repeat: int, floor: str
) -> dict[str, dict[str, float]]:
    """Run every variant `repeat` times, the order turning, each run a process of its own.

    A variant's check, untimed, gives a digest of what it made; variants whose name begins alike up to a colon must
    agree on it. Prints a JSON line a run and gives the median seconds, ratio to `floor` and peak
    megabytes of each variant.
    """
    names = list(variants)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    peaks: dict[str, list[float]] = {name: [] for name in names}
    digests: dict[str, str] = {}
    for turn in range(repeat):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            found = _apart(variants[name])
            seconds[name].append(found["seconds"])
            peaks[name].append(found["peak_mb"])
            same = name.split(":")[0]
            if digests.setdefault(same, found["digest"]) != found["digest"]:
                raise AssertionError(f"{name} made something else than its like")
            print(json.dumps({"section": section, "variant": name, **found}), flush=True)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    result = {
        name: {
            "median_s": round(medians[name], 4),
            "min_s": round(min(seconds[name]), 4),
            "max_s": round(max(seconds[name]), 4),
            "ratio": round(
                statistics.median(
                    [own / base for own, base in zip(seconds[name], seconds[floor], strict=True)]
                ),
                3,
            ),
            "peak_mb": round(statistics.median(peaks[name]), 1),
        }
        for name in names
    }
    print(json.dumps({"section": section, "floor": floor, "result": result}), flush=True)
    return result


def _apart(variant: Variant) -> dict[str, Any]:
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()

    def work() -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began, cpu = time.perf_counter(), time.process_time()
        check = variant()
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        queue.put(
            {
                "digest": check(),
                "seconds": seconds,
                "cpu": used,
                "peak_mb": peak / 1024,
                "before_mb": before / 1024,
                "load": os.getloadavg()[0],
                "versions": {
                    "duckdb": duckdb.__version__,
                    "ibis": ibis.__version__,
                    "pyarrow": pa.__version__,
                },
            }
        )

    process = context.Process(target=work)
    process.start()
    process.join()  # its answer is small enough to wait in the pipe
    if process.exitcode:
        raise RuntimeError("a variant failed; its error stands above")
    found: dict[str, Any] = queue.get()
    return found


def verdict(section: str, goal: str, ours: float, most: float) -> bool:
    """One line that says goal, figure, met or missed."""
    met = ours <= most
    print(
        json.dumps({"section": section, "goal": goal, "most": most, "ours": ours, "met": met}),
        flush=True,
    )
    return met
