"""Backups in tests: who opens them, and whether this machine has the tools for them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pyrage import x25519

from audit.vocabulary import Via
from common.keyring import BACKUPS, KeyRing
from governance.queries import noes
from release.actions import backups

OPENER = x25519.Identity.generate()


@pytest.fixture
def backups_can_be_made(tmp_path: Path) -> Iterator[Path]:
    """Gives the file of the private key. What a restore replaced is no business of the next test."""
    if connection.vendor == "postgresql" and not shutil.which("pg_dump"):
        pytest.skip("needs pg_dump and pg_restore, which are not here")
    KeyRing(settings.SAYSO_KEYS).add_backup_recipient(str(OPENER.to_public()))
    file = tmp_path / "keys" / "opener"
    file.parent.mkdir()
    file.write_text(f"# opens backups\n{OPENER}\n")
    yield file
    (settings.SAYSO_KEYS / BACKUPS).unlink(missing_ok=True)
    noes._views.clear()


def restored(folder: Path) -> backups.Backup:
    return backups.restore(
        folder=folder, identities=[OPENER], at=timezone.now(), via=Via.COMMAND, replace=True
    )
