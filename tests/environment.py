"""The environment tests run in, set before Django reads it (pytest loads this file with `-p`).

Everything of the operator's own environment that Sayso would read is taken away, so that no test
ever touches real keys, data or a real database. `DATABASE_URL` is kept where given: Django makes
its own test database beside the named one.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.memory import place

ROOT = "TESTS_FOLDER"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


def prepare() -> Path:
    """Folders of this process: a worker's lie inside those of the process that started it."""
    parent = os.environ.get(ROOT) if WORKER else None
    folder = (
        Path(parent) / WORKER
        if parent
        else Path(tempfile.mkdtemp(prefix="sayso-tests-", dir=place()))
    )
    if not WORKER:
        os.environ[ROOT] = str(folder)
    for name in [name for name in os.environ if name.startswith("SAYSO_")]:
        del os.environ[name]
    for name in ("data", "keys"):
        (folder / name).mkdir(parents=True, mode=0o700)
    os.environ["SAYSO_DEMO"] = "1"
    os.environ["SAYSO_DATA"] = str(folder / "data")
    os.environ["SAYSO_KEYS"] = str(folder / "keys")
    os.environ["REDIS_URL"] = ""
    given = os.environ.get("DATABASE_URL", "")
    if not given or given.startswith(f"sqlite:///{parent}"):
        os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'sayso.sqlite3'}"
    return folder


FOLDER = prepare()


def pytest_unconfigure(config: pytest.Config) -> None:
    """The process that made the folders takes them away."""
    if not WORKER:
        shutil.rmtree(FOLDER, ignore_errors=True)
