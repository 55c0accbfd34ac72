"""A log to test with: its own key folder, and short ways to write into it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from audit.actions import record, sequence
from audit.models import Entry

AT = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def log_keys(settings, tmp_path):
    """A key folder of the test's own, so that no test signs with the demonstration's key."""
    settings.SAYSO_KEYS = tmp_path / "keys"
    settings.LOG_ORIGIN = "log.example/test"
    settings.DEMO = True
    return settings.SAYSO_KEYS


def happened(number=0, **fields):
    """One entry, committed and waiting."""
    given: dict[str, Any] = {"type": "release:asked", "actor": "usr-aaaaa", "via": "desk", "at": AT}
    with transaction.atomic():
        return record(**(given | {"resource": f"rel-{number}"} | fields))


def log_of(*sizes):
    """A log with a checkpoint at each of these sizes."""
    for size in sizes:
        for number in range(Entry.objects.count(), size):
            happened(number)
        sequence()
