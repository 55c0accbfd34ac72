"""A backup is made and restored: the database, sealed, and the sealed parts; never a key, never the
noes.

Both are whole or not at all and may be broken off anywhere. What a restore has forgotten, the file
of noes holds: the gate stays shut until it has been said again (`consent.actions.replaying`).
"""

import base64
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from pyrage import x25519

from audit import queries as log
from audit.actions import settle
from audit.tlog.checkpoints import open_checkpoint, read_checkpoint
from audit.tlog.texts import Malformed, Unproven
from audit.vocabulary import EntryType, Via
from common.errors import BadInput, NotReady, RuleBroken
from governance import permissions
from governance.actions import trail
from governance.models import Organisation, User
from release.engine import databases
from release.models import DatasetVersion
from release.queries import versions
from release.storage import seal, store, undisturbed, unseal

MANIFEST = "manifest.json"
DATA = "data"


@dataclass(frozen=True)
class Backup:
    """What lies in a backup's folder. `parts`: name in the store → SHA-256. `lock`: the reference,
    sealed as the database is, to tell the right private key from a wrong one (base64)."""

    ref: str
    made_at: str
    vendor: str
    database: str
    checkpoint: str
    lock: str
    parts: dict[str, str]


def make(*, folder: Path, by: User, at: datetime, via: Via) -> Backup:
    """Copy the database and every sealed part into a new folder; others go on meanwhile.

    Raises NotPermitted unless `by` convenes; BadInput where the folder is there already or lies
    inside the data folder; NotReady where nobody is named to open it, or something cannot be copied:
    then the folder is not there.
    """
    permissions.check_can_convene(by)
    recipients = log.key_ring().backup_recipients()
    folder = folder.resolve()
    if folder.exists() or settings.SAYSO_DATA in [folder, *folder.parents]:
        raise BadInput("backup_folder", "Name a new folder, outside the data folder.")
    with undisturbed():
        draft = _draft(folder)
        try:
            backup = _copied(draft, recipients, by=by, at=at, via=via)
            draft.rename(folder)
            _force(folder.parent)
        except OSError as error:
            raise NotReady("backup_failed", "The folder cannot take the backup.") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return backup


def restore(
    *,
    folder: Path,
    identities: Sequence[x25519.Identity],
    at: datetime,
    via: Via,
    replace: bool = False,
) -> Backup:
    """The database and the parts are again what this backup holds; nothing leaves until checked.

    Nobody is asked who does it: on a new machine nobody is known yet. Nothing else may have the
    database open. `identities`: what opens the database in it. Raises BadInput where the backup is
    not whole, not of this installation's log, or opens with none of them; RuleBroken where the database
    holds something and `replace` is not said; NotReady where something cannot be written: doing it
    again ends it.
    """
    backup = _checked(folder, identities)
    if not replace and _holds_something():
        raise RuleBroken(
            "database_not_empty",
            "The database holds something. To put the backup in its place, say so: --replace.",
        )
    with undisturbed():
        for name, digest in backup.parts.items():
            if not (store().exists(name) and sha256(store().open(name)).hexdigest() == digest):
                store().put(name, (folder / DATA / name).read_bytes())
        databases.replace_by(folder / databases.FILES[backup.vendor], identities)
    head = read_checkpoint(backup.checkpoint)
    if log.log_size() < head.size or log.root_at(head.size) != head.root:
        raise NotReady("log_inconsistent", "The restored log is not the one of the backup.")
    with transaction.atomic():
        trail.record(
            type=EntryType.FINDING_OPENED,
            by=None,
            at=at,
            via=via,
            resource=backup.ref,
            reason="restored",
        )
    return backup


def _copied(
    draft: Path, recipients: Sequence[x25519.Recipient], *, by: User, at: datetime, via: Via
) -> Backup:
    ref = f"backup/{secrets.token_hex(8)}"
    with transaction.atomic():
        entry = trail.record(
            type=EntryType.LOG_EXPORTED, by=by, at=at, via=via, resource=ref, reason="backup"
        )
    checkpoint = settle(entry=entry)  # the copy's log reaches at least this one
    database = draft / databases.FILES[connection.vendor]
    databases.copy_to(database, recipients)
    _force(database)
    # After the database: no part that it names is missing. Parts go only while keys are rotated.
    parts = dict(_parts(draft / DATA))
    backup = Backup(
        ref=ref,
        made_at=at.isoformat(),
        vendor=connection.vendor,
        database=_digest(database),
        checkpoint=checkpoint.note,
        lock=base64.b64encode(seal(ref.encode(), recipients)).decode("ascii"),
        parts=parts,
    )
    manifest = draft / MANIFEST
    manifest.write_text(json.dumps({"version": 1, **vars(backup)}, indent=1), encoding="utf-8")
    _force(manifest)
    _force(draft)
    return backup


def _parts(target: Path) -> Iterator[tuple[str, str]]:
    for version in DatasetVersion.objects.order_by("pk"):
        for _number, name, digest in versions.sources(version):
            try:
                data = store().open(name)
            except FileNotFoundError:
                data = b""
            if sha256(data).hexdigest() != digest:
                raise NotReady(
                    "part_changed", f"The sealed part {name} is missing or not what was loaded."
                )
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(data)
            _force(path)
            yield name, digest


def _checked(folder: Path, identities: Sequence[x25519.Identity]) -> Backup:
    """The backup's own word on itself, once all of it has been compared."""
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        version = found.pop("version")
        backup = Backup(**found)
        lock = base64.b64decode(backup.lock, validate=True)
        paths = {name: store().path(name) for name in backup.parts}  # no name leads elsewhere
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput("backup_unreadable", "This folder holds no backup of ours.") from error
    if version != 1 or backup.vendor != connection.vendor:
        raise BadInput(
            "backup_other", "This backup is of another kind of database than DATABASE_URL names."
        )
    _check_log(backup.checkpoint)
    try:
        opens = unseal(lock, *identities) == backup.ref.encode()
    except NotReady:
        opens = False
    if not opens:
        raise BadInput("backup_key", "This key does not open this backup. Bring the right one.")
    wanted = {folder / DATA / name: backup.parts[name] for name in paths}
    wanted[folder / databases.FILES[backup.vendor]] = backup.database
    for path, digest in wanted.items():
        if not path.is_file() or _digest(path) != digest:
            raise BadInput(
                "backup_damaged", f"The backup is not whole: {path.name} is missing or changed."
            )
    return backup


def _check_log(checkpoint: str) -> None:
    """Whoever can write to the folder could put another database there, but not sign its log."""
    try:
        open_checkpoint(checkpoint, origin=settings.LOG_ORIGIN, verifiers=log.log_verifiers())
    except (Malformed, Unproven) as error:
        raise BadInput(
            "backup_unsigned", "The backup's log is not signed by the keys that are here."
        ) from error


def _holds_something() -> bool:
    tables = connection.introspection.table_names()
    return Organisation._meta.db_table in tables and Organisation.objects.exists()


def _draft(folder: Path) -> Path:
    """A folder beside; what a backup that was broken off left under this name goes."""
    for left in folder.parent.glob(f".{folder.name}.draft-*"):
        shutil.rmtree(left, ignore_errors=True)
    draft = folder.with_name(f".{folder.name}.draft-{secrets.token_hex(4)}")
    try:
        draft.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise NotReady("backup_failed", "The folder cannot take the backup.") from error
    return draft


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _force(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
