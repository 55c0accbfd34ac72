"""Where a no and a release meet: locks, epochs, and the order in which they are taken.

Order, always: gate file (SQLite only), everyone's key, recipients ascending, then rows. Locks are
PostgreSQL transaction-level advisory locks; on SQLite `BEGIN IMMEDIATE` already lets one writer in,
and a file lock taken before it makes the queue fair. Measured in the protocol's prototype: lock and
read are two statements, the isolation is READ COMMITTED, nothing goes from shared to exclusive.
"""

import fcntl
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import F

from common.errors import NotReady
from governance.actions import filing
from governance.models import KeptNo, Scope, ScopeMove
from governance.queries import clock
from governance.queries.scopes import Epochs
from governance.vocabulary import Narrowing

SCOPE_SPACE = 0x5A150  # the first of the two integers of every advisory key
EVERYONE = 0


@dataclass(frozen=True)
class Moment:
    """The instant read after the locks were held, and the epochs as they then stand.

    `epochs[recipient_id]` is the recipient's own; `everyone` is everyone's. What a deed tells is
    kept in the file of noes, so that it can be said again where a restored database forgot it.
    """

    at: datetime
    everyone: int
    epochs: dict[int, int]
    told: list[dict[str, Any]] = field(default_factory=list, compare=False)

    def tell(self, *, what: str, **facts: Any) -> None:
        """What this no is about, in plain values: `consent.actions.replaying` says it again."""
        self.told.append({"what": what, **facts})

    def of(self, recipient_id: int) -> Epochs:
        return Epochs(everyone=self.everyone, scope=self.epochs.get(recipient_id, 0))


@contextmanager
def gate() -> Iterator[None]:
    """SQLite's fair queue: one file lock before the transaction begins. Nothing on PostgreSQL."""
    if connection.vendor != "sqlite":
        yield
        return
    path = Path(f"{connection.settings_dict['NAME']}.gate")
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file lets the next one in


@contextmanager
def narrowing(
    *,
    act: Narrowing,
    recipients: Collection[int] = (),
    everyone: bool = False,
    slots: Collection[int] = (),
) -> Iterator[Moment]:
    """Say a no: a durable transaction in which the epochs have already moved.

    `recipients`: primary keys of those the no concerns; `everyone`: it concerns all of them.
    `slots`: the people it is about; empty means it is about a whole release. When the block ends
    the transaction commits, and only then is the no acknowledged. It waits as long as it must.
    """
    if not everyone and not recipients:
        raise ValueError("A no concerns somebody: name recipients or everyone.")
    ordered = [] if everyone else sorted(set(recipients))
    ensure(ordered)
    with gate(), transaction.atomic(durable=True):
        moment = _moved(act, ordered, everyone=everyone, slots=slots)
        yield moment
        kept = filing.keep(
            act=act,
            at=moment.at,
            told=moment.told,
            everyone=everyone,
            recipients=ordered,
            slots=sorted(set(slots)),
        )
    filing.file(kept)  # before it is acknowledged; whatever becomes of it, the no counts


@contextmanager
def repeating(
    *, act: Narrowing, mark: bytes, facts: bytes, file: str, slots: Collection[int] = ()
) -> Iterator[Moment]:
    """Say a no again that the file of noes holds and this database has forgotten; to everyone."""
    ensure([])
    with gate(), transaction.atomic(durable=True):
        moment = _moved(act, [], everyone=True, slots=slots)
        KeptNo.objects.create(mark=mark, act=act, said_at=moment.at, facts=facts, filed_in=file)
        yield moment


@contextmanager
def steady(*, recipient: int, seconds: float = 2.0) -> Iterator[Moment]:
    """Hold still what one recipient's decisions hang on: shared locks in a durable transaction.

    Raises NotReady when the locks are not to be had within `seconds`: a no goes first.
    """
    ensure([recipient])
    try:
        with gate(), transaction.atomic(durable=True):
            _patience(seconds)
            _lock(EVERYONE, shared=True)
            _lock(recipient, shared=True)
            at = clock.now()
            yield _moment(at, [recipient])
    except OperationalError as error:
        if "lock timeout" in str(error) or "database is locked" in str(error):
            raise NotReady(
                "busy", "Somebody is changing this now. Try again in a moment."
            ) from error
        raise


def ensure(recipients: Collection[int]) -> None:
    """Every scope has its row before anybody locks it (autocommit; idempotent)."""
    held = list(Scope.objects.values_list("everyone", "recipient_id"))
    own = {recipient for _, recipient in held}
    missing = [Scope(recipient_id=each) for each in sorted(set(recipients) - own)]
    if not any(everyone for everyone, _ in held):
        missing.append(Scope(everyone=True))
    if not missing:
        return
    Scope.objects.bulk_create(missing, ignore_conflicts=True)


def _moved(
    act: Narrowing, recipients: list[int], *, everyone: bool, slots: Collection[int]
) -> Moment:
    _lock(EVERYONE, shared=not everyone)
    for recipient in recipients:
        _lock(recipient, shared=False)
    at = clock.now()
    moved = _move(everyone=everyone, recipients=recipients)
    about: list[int | None] = [*sorted(set(slots))] or [None]
    ScopeMove.objects.bulk_create(
        ScopeMove(scope_id=scope.pk, epoch=scope.epoch, act=act, slot=slot, moved_at=at)
        for scope in moved
        for slot in about
    )
    return _moment(at, recipients)


def _lock(key: int, *, shared: bool) -> None:
    if connection.vendor != "postgresql":
        return
    suffix = "_shared" if shared else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{suffix}(%s, %s)", [SCOPE_SPACE, key])


def _patience(seconds: float) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', %s, true)", [f"{int(seconds * 1000)}ms"]
            )


def _move(*, everyone: bool, recipients: Collection[int]) -> list[Scope]:
    scopes = (
        Scope.objects.filter(everyone=True)
        if everyone
        else Scope.objects.filter(recipient_id__in=recipients)
    )
    scopes.update(epoch=F("epoch") + 1)
    return list(scopes.order_by("pk"))


def _moment(at: datetime, recipients: Collection[int]) -> Moment:
    everyone = Scope.objects.filter(everyone=True).values_list("epoch", flat=True).first()
    own = Scope.objects.filter(recipient_id__in=recipients)
    return Moment(
        at=at,
        everyone=everyone or 0,
        epochs=dict(own.values_list("recipient_id", "epoch")),
    )
