"""The file of noes beside a test database: what a test's rollback or flush forgets, it forgets too."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from governance.queries import noes
from governance.storage import noes_file

_lasting: list[None] = []  # one for each world that outlives a test


@contextmanager
def kept_for_long() -> Iterator[None]:
    """A world of several tests: its noes stay as long as it does."""
    _lasting.append(None)
    try:
        yield
    finally:
        _lasting.pop()


def forget_noes() -> None:
    """The database has been emptied: its file goes with it."""
    noes_file().path.unlink(missing_ok=True)
    noes._views.clear()


@pytest.fixture(autouse=True)
def file_of_noes_belongs_to_the_database(request: pytest.FixtureRequest) -> Iterator[None]:
    path = noes_file().path
    before = path.stat().st_size if path.exists() else 0
    yield
    marked = request.node.get_closest_marker("django_db")
    own = not _lasting and {"db", "transactional_db"} & {*request.fixturenames}
    if (marked or own) and path.exists():
        if before:
            os.truncate(path, before)
            noes._views.clear()
        else:
            forget_noes()
