"""Whether every no that was ever said is known here: the database against the file of noes."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from django.db import connection
from django.db.models import QuerySet

from common.errors import NotReady
from common.planned import AS_NEEDED, DECODERS, Planned, Reading, Rows, number
from governance.models import KeptNo, ScopeMove
from governance.storage import View, noes_file

CHUNK = 5000
UNFILED, OTHER, NEWEST, LAST = "unfiled", "other", "newest", "last"
# Two stretches of the index beside the present file's, instead of a look at every row.
COMPARED = Planned(
    """
SELECT 'unfiled', id, mark FROM governance_keptno WHERE filed_in = ''
UNION ALL SELECT * FROM (SELECT 'other', id, mark FROM governance_keptno
    WHERE filed_in > '' AND filed_in < %(file)s LIMIT 1) AS before
UNION ALL SELECT * FROM (SELECT 'other', id, mark FROM governance_keptno
    WHERE filed_in > '' AND filed_in > %(file)s LIMIT 1) AS after
UNION ALL SELECT * FROM (SELECT 'newest', id, mark FROM governance_keptno
    WHERE filed_in = %(file)s AND filed_in <> '' ORDER BY id DESC LIMIT 1) AS newest
UNION ALL SELECT 'last', id, mark FROM governance_keptno WHERE mark = %(last)s
""",
    {"postgresql": {}, "sqlite": {}},
    {"file": AS_NEEDED, "last": AS_NEEDED},
)
_views: dict[tuple[Path, str], View] = {}  # what this process has read of which file
_turn = threading.RLock()  # threads of one process share a view: one at a time reads on


@dataclass(frozen=True)
class Reckoning:
    """`unknown`: marks in the file that this database has forgotten; `unfiled`: keys of noes that
    stand in the database only; `elsewhere`: noes were filed in a file that is not there any more."""

    file: str
    unknown: tuple[bytes, ...]
    unfiled: tuple[int, ...]
    elsewhere: bool
    damaged: int


def view() -> View:
    """What this process knows of the file, up to now. Raises NotReady where it cannot be read."""
    file = noes_file()
    with _turn:
        found = _views.setdefault((file.path, str(connection.settings_dict["NAME"])), View())
        file.refresh(found)
    return found


def about(slot: int) -> QuerySet[KeptNo]:
    """The noes that name this person: they were said at the instants at which her epochs moved."""
    moved = ScopeMove.objects.filter(slot=slot).values("moved_at")
    return KeptNo.objects.filter(said_at__in=moved).order_by("pk")


def reckoning() -> Reckoning:
    """Compare both. Raises NotReady where the file cannot be read."""
    return _comparing().now()


def against() -> NotReady | None:
    """Why nothing may leave now for the sake of forgotten noes; None: nothing is against it."""
    try:
        return asking().now()
    except NotReady as reason:
        return reason


def asking() -> Reading[NotReady | None]:
    """The same, to be asked beside other things. Raises NotReady where the file cannot be read."""
    return _comparing().then(_against)


def _against(found: Reckoning) -> NotReady | None:
    if found.unknown:
        return NotReady(
            "restored",
            f"This database has forgotten {len(found.unknown)} noes: it was restored from an older "
            "copy. Run `manage.py replay_noes`.",
        )
    if found.elsewhere:
        return NotReady(
            "noes_missing",
            "The file of noes is not the one this database wrote to, or a piece of it is gone. Put "
            "it back; if it is lost, see `manage.py replay_noes --help`.",
        )
    if found.damaged:
        return NotReady(
            "noes_damaged",
            f"{found.damaged} lines of the file of noes are damaged. Put a whole copy back; if "
            "there is none, see `manage.py replay_noes --help`.",
        )
    if found.unfiled:
        return NotReady(
            "noes_unwritable",
            "The file of noes cannot be written. Every no is obeyed; nothing leaves until it can.",
        )
    return None


def _comparing() -> Reading[Reckoning]:
    """What the database has of the file, in one statement: it is asked before anything leaves."""
    with _turn:
        seen = view()
        file = seen.file
        if seen.known == len(seen.marks):  # mostly; it takes no walk through all of them
            last = next(reversed(seen.marks), b"")
        else:
            last = next(islice(seen.marks, seen.known - 1, None)) if seen.known else b""

    def meaning(vendor: str, rows: Rows) -> Reckoning:
        with _turn:
            # Another thread may have read on meanwhile. Another file is compared from its beginning.
            return _compared(seen, vendor, rows) if seen.file == file else reckoning()

    return Reading(COMPARED, [file, last], meaning)


def _compared(seen: View, vendor: str, rows: Rows) -> Reckoning:
    found: dict[str, list[tuple[int, bytes]]] = {
        name: [] for name in (UNFILED, OTHER, NEWEST, LAST)
    }
    for name, pk, mark in rows:
        found[DECODERS[vendor].text(name)].append((number(pk), bytes(mark)))
    unfiled = [pk for pk, mark in found[UNFILED] if mark not in seen.marks]
    newest = [mark for _, mark in found[NEWEST]]
    return Reckoning(
        file=seen.file,
        unknown=_unknown(seen, last_held=bool(found[LAST])),
        unfiled=tuple(sorted(unfiled)),
        elsewhere=bool(found[OTHER]) or not set(newest) <= seen.marks.keys(),
        damaged=seen.damaged,
    )


def _unknown(seen: View, *, last_held: bool) -> tuple[bytes, ...]:
    if not last_held:
        seen.known = 0  # another database than before stands here
    if seen.known == len(seen.marks):
        return ()
    marks = list(seen.marks)
    missing: list[bytes] = []
    for start in range(seen.known, len(marks), CHUNK):
        chunk = marks[start : start + CHUNK]
        held = _held(chunk)
        missing += [mark for mark in chunk if mark not in held]
    if not missing:
        seen.known = len(marks)
    return tuple(missing)


def _held(marks: Sequence[bytes]) -> set[bytes]:
    found = KeptNo.objects.filter(mark__in=marks).values_list("mark", flat=True)
    return {bytes(mark) for mark in found}
