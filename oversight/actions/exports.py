"""Taking entries out of the log is a deed: its own entry is signed before a byte is written."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from audit import queries as log
from audit.actions import settle
from audit.rules import spelled_time
from audit.tlog.tree import leaf_hash
from audit.vocabulary import Decision, EntryType, Via
from common.errors import BadInput, NotPermitted, NotReady
from common.inputs import Text, taking
from common.words import sentence as _
from governance.actions import details, trail
from governance.models import User
from oversight.permissions import check_can_export
from oversight.queries import jobs
from oversight.queries.jobs import MANIFEST, NUMBER
from oversight.storage import WRITERS, Row, digest
from oversight.vocabulary import Format

PAGE = 2048


@dataclass(frozen=True)
class Exported:
    """What was written: the entries `first` to `last`, and the number of the export's own entry."""

    folder: Path
    first: int
    last: int
    entry: int


@taking(reason=Text(most=1000, least=1, name=_("Reason")), first=NUMBER, last=NUMBER)
def export(
    *,
    folder: Path,
    format: Format,
    reason: str,
    by: User,
    at: datetime,
    via: Via,
    first: int | None = None,
    last: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Exported:
    """Write the entries `first` to `last` (default: all that are signed) into a new folder.

    One file of entries and `manifest.json`: how many, which, the signed head over them, the SHA-256
    of the file, and the reason as it is sealed beside the export's own entry, which holds its SHA-256.
    The folder is there only once it is whole. Raises NotPermitted unless `by` is an auditor of the
    community or of a funder, which leaves an entry as well; BadInput for a folder that cannot be
    made or entries that are not there; NotReady where the log cannot sign the export's own entry,
    or is not as it was signed.
    """
    chosen = jobs.chosen(first, last)
    try:
        check_can_export(by)
    except NotPermitted:
        _entry(chosen, Decision.REFUSED, format, reason, by=by, at=at, via=via)
        raise
    draft = _draft(folder)
    try:
        entry, sealed = _entry(chosen, Decision.PERMITTED, format, reason, by=by, at=at, via=via)
        head = settle(entry=entry)
        entry.refresh_from_db(fields=["seq"])
        name = f"entries.{format}"
        _write(draft / name, format, chosen, progress)
        manifest = {
            "version": 1,
            "origin": settings.LOG_ORIGIN,
            "format": str(format),
            "exported_at": spelled_time(at),
            "count": len(chosen),
            "first": chosen.start,
            "last": chosen.stop - 1,
            "entry": entry.seq,
            "checkpoint": log.note_with(head),
            "files": [{"name": name, "sha256": digest(draft / name)}],
            "reason": {"sealed": sealed.hex(), "sha256": entry.detail_commit},
        }
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        draft.rename(folder)
    except OSError as error:
        raise NotReady("export_unwritable", _("The folder cannot be written.")) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Exported(folder, chosen.start, chosen.stop - 1, entry.seq)


def _draft(folder: Path) -> Path:
    draft = folder.with_name(f"{folder.name}.part")
    try:
        if folder.exists():
            raise FileExistsError
        draft.mkdir(mode=0o700)
    except OSError as error:
        raise BadInput(
            "folder_exists",
            _("Name a new folder, inside one that is there and can be written."),
            where="folder",
        ) from error
    return draft


@transaction.atomic
def _entry(
    chosen: range,
    decision: Decision,
    format: Format,
    reason: str,
    *,
    by: User,
    at: datetime,
    via: Via,
) -> tuple[Any, bytes]:
    why = details.sealed(by=by, reason=reason)
    entry = trail.record(
        type=EntryType.LOG_EXPORTED,
        by=by,
        at=at,
        via=via,
        resource=f"entries/{chosen.start}-{chosen.stop - 1}",
        decision=decision,
        reason=format.value,
        **why,
    )
    return entry, why["detail"]


def _write(path: Path, format: Format, chosen: range, progress: Callable[[int, int], None]) -> None:
    writer, done = WRITERS[format](path), 0
    try:
        rows = _rows(chosen)
        while page := list(islice(rows, PAGE)):
            writer.write(page)
            done += len(page)
            progress(done, len(chosen))
    finally:
        writer.close()


def _rows(chosen: range) -> Iterator[Row]:
    """Each entry as it was logged: what is not there or was altered ends the export."""
    expected = chosen.start
    for entry in log.entries(chosen.start, chosen.stop):
        leaf = bytes(entry.leaf)
        if entry.seq != expected or leaf_hash(leaf) != bytes(entry.leaf_hash):
            break
        yield {
            **json.loads(leaf),
            "index": expected,
            "leaf": leaf,
            "leaf_hash": bytes(entry.leaf_hash),
        }
        expected += 1
    if expected != chosen.stop:
        raise NotReady(
            "log_inconsistent",
            _(
                "Entry %(number)s is not as it was logged. Run `manage.py verify_log`.",
                number=expected,
            ),
        )
