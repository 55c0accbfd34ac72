"""Which triggers the migrations make, read from the migrations themselves, and which are there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import getmodule, getsource
from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython

Trigger = tuple[str, str]  # table, name
MADE = re.compile(r'CREATE TRIGGER "?(\w+)"?\s+(?:BEFORE|AFTER)\s.*?\sON\s+"?(\w+)"?', re.DOTALL)
THERE = {
    "postgresql": "SELECT c.relname, t.tgname, t.tgenabled <> 'D' FROM pg_trigger t "
    "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE NOT t.tgisinternal AND n.nspname = current_schema()",
    "sqlite": "SELECT tbl_name, name, 1 FROM sqlite_master WHERE type = 'trigger'",
}


class Recorder:
    """Stands where a schema editor stands and only writes down what it is told."""

    def __init__(self, vendor: str) -> None:
        self.vendor = vendor
        self.connection = self
        self.said: list[str] = []

    def execute(self, statement: object, params: Any = None) -> None:
        self.said.append(str(statement))

    def fetchall(self) -> list[tuple[str]]:
        """Nothing is there to be put aside and back."""
        return []

    @contextmanager
    def cursor(self) -> Iterator["Recorder"]:
        yield self


def wanted(vendor: str) -> set[Trigger]:
    """Every trigger that the migrations of ours make on this kind of database."""
    recorder = Recorder(vendor)
    loader = MigrationLoader(None, ignore_no_migrations=True)
    for _, migration in sorted(loader.disk_migrations.items()):
        for step in migration.operations:
            if not isinstance(step, RunPython):
                continue
            module = getmodule(step.code)
            if module is not None and "CREATE TRIGGER" in getsource(module):
                forwards: Any = step.code
                forwards(None, recorder)
    return {(table, name) for said in recorder.said for name, table in MADE.findall(said)}


def there() -> dict[Trigger, bool]:
    """Every trigger that is there, and whether it is at work."""
    with connection.cursor() as cursor:
        cursor.execute(THERE[connection.vendor])
        return {(table, name): bool(works) for table, name, works in cursor.fetchall()}
