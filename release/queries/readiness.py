"""Whether this installation can do its work now: a list of checks, each with one plain sentence.

Nothing said here names a person, a path or a key. A new reason not to be ready is one more function
in CHECKS.
"""

import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from audit import queries as log
from audit.queries import footing
from common.errors import NotReady
from governance.models import Dataset
from governance.queries import clock, noes
from release.models import Beat, Lease
from release.queries.releases import holds
from release.rules import timing
from release.storage import store

OK = "ok"
# The kinds of workers, as their names begin: the clock in one process, and through Redis.
WORK, WORKER = "work-", "worker-"
PROBE = "probes"  # the folder of the drafts that show the data folder takes something
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Reading:
    """What one check found: `code` is stable, `says` is for a person."""

    check: str
    code: str
    says: str

    @property
    def good(self) -> bool:
        return self.code == OK


@dataclass(frozen=True)
class Reason:
    """Why releases wait: `code` is stable; `holder` is whom it is about, empty where all of them."""

    code: str
    message: str
    holder: str = ""


def shut() -> Reason | None:
    """Why nothing leaves at present, whoever asks for whatever; None where the gate is open."""
    against = noes.against()
    try:
        log.key_ring().log_seed()
    except NotReady as reason:
        against = against or reason
    return Reason(against.code, against.message) if against else None


def without_keys() -> list[Reason]:
    """Holders whose rows cannot be opened now. Asks each of their key agents once."""
    refs = Dataset.objects.order_by("holder__ref").values_list("holder__ref", flat=True)
    return [found for ref in refs.distinct() if (found := holder_key(ref)) is not None]


def holder_key(ref: str) -> Reason | None:
    """Why one holder's rows cannot be opened now, or None where they can."""
    try:
        log.key_ring().identities(ref)
    except NotReady as reason:
        return Reason(reason.code, reason.message, ref)
    return None


def readings() -> list[Reading]:
    """Every check once, in order. Raises nothing: what cannot be asked is itself an answer."""
    found = []
    for name, check in CHECKS.items():
        try:
            code, says = check()
        except (DatabaseError, InterfaceError):
            code, says = "database_unavailable", "The database does not answer."
        except NotReady as reason:
            code, says = reason.code, SAID.get(reason.code, "It cannot be used at present.")
        found.append(Reading(name, code, says))
    return found


# What a refusal's own sentence could tell too much of (the name of a key, say) is said anew here.
SAID = {
    "key_missing": "A key of the service is not in the key folder.",
    "key_unreadable": "A key of the service cannot be read.",
    "storage_unwritable": "The data folder takes nothing.",
}


def _database() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    if faults := footing.role_faults():
        return faults[0].code, "The database role may do more than it should."
    return OK, "The database answers."


def _storage() -> tuple[str, str]:
    name = f"{PROBE}/{secrets.token_hex(8)}"
    store().put(name, b"probe", lasting=False)
    store().delete(name)
    return OK, "The data folder takes files."


def _keys() -> tuple[str, str]:
    if faults := footing.key_faults():
        return faults[0].code, "The key files do not lie where only the service reads them."
    log.log_verifier()
    return OK, "The service's own keys can be read."


def _noes() -> tuple[str, str]:
    against = noes.against()
    if against is None:
        return OK, "Every no that was said is known here and in the file of noes."
    return against.code, against.message


def _sequencer() -> tuple[str, str]:
    since = log.waiting().since
    if since is not None and clock.now() - since > timing.LOG_LATE:
        return "sequencer_late", "Entries of the log wait for their number: nobody numbers them."
    return OK, "The log keeps up."


def _witnesses() -> tuple[str, str]:
    if not settings.WITNESSES_GATE:
        return OK, "Nothing waits for a witness."
    since = log.waits_since()
    if since is not None and clock.now() - since > timing.WITNESSES_LATE:
        return "witnesses_late", "Not enough witnesses sign the log: nothing is handed over."
    return OK, "Enough witnesses follow the log."


def _clock() -> tuple[str, str]:
    now = clock.now()
    last = last_beat()
    if last is not None and now - last.at <= timing.BEAT_LATE:
        return OK, "The clock goes."
    if Lease.objects.filter(holds(now)).exists():
        return OK, "The clock is busy with a release."
    if last is None:
        return "clock_never", "The clock has never run."
    return "clock_late", "The clock has stopped."


def last_beat(kind: str = "") -> Beat | None:
    """The latest sign of life of any worker of the clock, or of one kind."""
    return Beat.objects.filter(worker__startswith=kind).order_by("-at").first()


def _disk() -> tuple[str, str]:
    if free_bytes() < settings.DISK_LEAST_MB * MEGABYTE:
        return "disk_low", "The disk of the data folder is nearly full."
    return OK, "There is room on the disk of the data folder."


def free_bytes() -> int:
    """What is free where sealed parts lie."""
    return shutil.disk_usage(data_place()).free


def data_place() -> Path:
    """The data folder, or the folder that is there and in which it will be made."""
    place = Path(settings.SAYSO_DATA)
    while not place.exists() and place != place.parent:
        place = place.parent
    return place


CHECKS: dict[str, Callable[[], tuple[str, str]]] = {
    "database": _database,
    "storage": _storage,
    "keys": _keys,
    "noes": _noes,
    "sequencer": _sequencer,
    "witnesses": _witnesses,
    "clock": _clock,
    "disk": _disk,
}
