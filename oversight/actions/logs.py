"""Reading the log's entries is itself a deed: it leaves an entry before a byte of them leaves."""

from datetime import datetime
from typing import Any

from django.db import transaction

from audit import queries as log
from audit.actions import settle
from audit.tlog.texts import Malformed
from audit.tlog.tiles import ENTRIES, Tile, parse_tile
from audit.vocabulary import Decision, EntryType, Via
from common.errors import BadInput, NotPermitted
from common.inputs import Text, taking
from common.words import sentence as _
from governance.actions import trail
from governance.models import Organisation, User
from oversight.permissions import check_can_read

LONGEST_NAME = 64  # `entries/x009/x223/x372/x036/x854/x775/807.p/255` has fewer


@taking(tile=Text(most=LONGEST_NAME))
def read_entries(
    *, tile: str, organisation: Organisation, by: User, at: datetime, via: Via
) -> bytes | None:
    """The entries of one tile as a bundle (C2SP tlog-tiles), for an auditor of this organisation.

    `tile`: its number as C2SP spells it, `x001/234` or `000.p/5`. None where the log has no such
    tile yet. Raises BadInput where it is spelled otherwise; NotPermitted for whoever is no such auditor,
    and leaves an entry then too; NotReady where the reading's own entry cannot be signed now.
    """
    wanted = _named(tile)
    try:
        check_can_read(by, organisation)
    except NotPermitted as refusal:
        _entry(wanted, by=by, at=at, via=via, decision=Decision.REFUSED, reason=refusal.code)
        raise
    found = log.entry_bundle(wanted)
    if found is None:
        return None
    entry = _entry(wanted, by=by, at=at, via=via, decision=Decision.PERMITTED)
    settle(entry=entry)
    return found


def _named(tile: str) -> Tile:
    try:
        return parse_tile(f"{ENTRIES}/{tile}")
    except Malformed as error:
        raise BadInput("no_such_tile", _("This is no tile of entries."), where="tile") from error


@transaction.atomic
def _entry(
    tile: Tile, *, by: User, at: datetime, via: Via, decision: Decision, reason: str = ""
) -> Any:
    return trail.record(
        type=EntryType.LOG_READ,
        by=by,
        at=at,
        via=via,
        resource=f"tile/{tile.path()}",
        decision=decision,
        reason=reason,
    )
