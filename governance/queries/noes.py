"""Whether every no that was ever said is known here: the database against the file of noes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.db.models import Q

from common.errors import NotReady
from governance.models import KeptNo
from governance.storage import View, noes_file

CHUNK = 5000
_views: dict[tuple[Path, str], View] = {}  # what this process has read of which file


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
    found = _views.setdefault((file.path, str(connection.settings_dict["NAME"])), View())
    file.refresh(found)
    return found


def reckoning() -> Reckoning:
    """Compare both. Raises NotReady where the file cannot be read."""
    seen = view()
    unknown = _unknown(seen)
    waiting = KeptNo.objects.filter(filed_in="").values_list("pk", "mark")
    unfiled = tuple(pk for pk, mark in waiting if bytes(mark) not in seen.marks)
    return Reckoning(
        file=seen.file,
        unknown=unknown,
        unfiled=unfiled,
        elsewhere=_elsewhere(seen),
        damaged=seen.damaged,
    )


def against() -> NotReady | None:
    """Why nothing may leave now for the sake of forgotten noes; None: nothing is against it."""
    try:
        found = reckoning()
    except NotReady as reason:
        return reason
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


def _unknown(seen: View) -> tuple[bytes, ...]:
    marks = list(seen.marks)
    if seen.known and not _held(marks[seen.known - 1 : seen.known]):
        seen.known = 0  # another database than before stands here
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


def _elsewhere(seen: View) -> bool:
    # Two stretches of the index beside the present file's, instead of a look at every row.
    other = Q(filed_in__gt="", filed_in__lt=seen.file) | Q(filed_in__gt=seen.file)
    if KeptNo.objects.filter(other).exists():
        return True
    newest = KeptNo.objects.filter(filed_in=seen.file).exclude(filed_in="").order_by("-pk").first()
    return newest is not None and bytes(newest.mark) not in seen.marks
