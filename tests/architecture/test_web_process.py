"""A web process hands over sealed parts and never loads what opens and computes on them."""

import os
import subprocess
import sys

import pytest

from release.management import processes
from tests.architecture.source import BASE

LOAD = """
import sys
import config.wsgi
from django.urls import get_resolver
assert get_resolver().url_patterns
print(*sorted({name.partition(".")[0] for name in sys.modules}))
print(*sorted(name for name in sys.modules if name.startswith("release.engine.")))
"""


@pytest.fixture(scope="module")
def loaded() -> list[set[str]]:
    ended = subprocess.run(
        [sys.executable, "-c", LOAD],
        cwd=BASE,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [set(line.split()) for line in (ended.stdout + "\n\n").split("\n")[:2]]


def test_the_doors_are_loaded(loaded):
    assert {"portal", "desk", "api", "rest_framework"} <= loaded[0]


@pytest.mark.parametrize("heavy", ["duckdb", "ibis", "pyarrow", "pandas", "rich"])
def test_a_web_process_never_loads_the_engine(loaded, heavy):
    assert heavy not in loaded[0]
    assert loaded[1] == set()


def test_make_run_starts_what_the_list_says():
    assert set(processes.DEMONSTRATION) <= set(processes.PROCESSES)
    source = (BASE / "release" / "management" / "commands" / "demo.py").read_text("utf-8")
    assert "processes.command(name" in source
    assert "gunicorn" not in source
