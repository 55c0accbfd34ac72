"""Where a no and a release meet: locks, epochs, and the order in which they are taken.

Order, always: gate file (SQLite only), everyone's key, recipients ascending, then rows. Locks are
PostgreSQL transaction-level advisory locks; on SQLite `BEGIN IMMEDIATE` already lets one writer in,
and a file lock taken before it makes the queue fair. Measured in the protocol's prototype: lock and
read are two statements, the isolation is READ COMMITTED, nothing goes from shared to exclusive.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import OperationalError, connection, transaction
from django.db.models import F

from common import queues
from common.rows import Columns
from governance.models import Scope, ScopeMove
from governance.queries import clock
from governance.queries.scopes import Epochs
from governance.vocabulary import Narrowing

SCOPE_SPACE = 0x5A150  # the first of the two integers of every advisory key
EVERYONE = 0
LONGEST_WAIT = 2_147_483_647  # milliseconds; SQLite knows no longer one
MOVE = Columns(ScopeMove, "scope", "epoch", "act", "slot", "moved_at")


@dataclass(frozen=True)
class Moment:
    """The instant read after the locks were held, and the epochs as they then stand.

    `epochs[recipient_id]` is the recipient's own; `everyone` is everyone's.
    """

    at: datetime
    everyone: int
    epochs: dict[int, int]

    def of(self, recipient_id: int) -> Epochs:
        return Epochs(everyone=self.everyone, scope=self.epochs.get(recipient_id, 0))


@contextmanager
def gate(seconds: float | None = None) -> Iterator[None]:
    """SQLite's fair queue: one file lock before the transaction begins. Nothing on PostgreSQL.

    Without `seconds` it waits as long as it must. Raises NotReady where the turn has not come
    within them.
    """
    if connection.vendor != "sqlite":
        yield
        return
    path = Path(f"{connection.settings_dict['NAME']}.gate")
    with queues.turn(path, seconds), _sqlite_waits(seconds):
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
        _lock(EVERYONE, shared=not everyone)
        for recipient in ordered:
            _lock(recipient, shared=False)
        at = clock.now()
        moved = _move(everyone=everyone, recipients=ordered)
        about: list[int | None] = [*sorted(set(slots))] or [None]
        MOVE.insert(
            MOVE.adapted(scope.pk, scope.epoch, act, slot, at) for scope in moved for slot in about
        )
        yield _moment(at, ordered)


@contextmanager
def steady(*, recipient: int, seconds: float = 2.0) -> Iterator[Moment]:
    """Hold still what one recipient's decisions hang on: shared locks in a durable transaction.

    Raises NotReady when the locks are not to be had within `seconds`: a no goes first.
    """
    ensure([recipient])
    try:
        with gate(seconds), transaction.atomic(durable=True):
            _patience(seconds)
            _lock(EVERYONE, shared=True)
            _lock(recipient, shared=True)
            at = clock.now()
            yield _moment(at, [recipient])
    except OperationalError as error:
        if "lock timeout" in str(error) or "database is locked" in str(error):
            raise queues.busy() from error
        raise


@contextmanager
def plain() -> Iterator[None]:
    """A transaction that moves nothing, where `narrowing` would stand if there were a no in it."""
    with transaction.atomic():
        yield None


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


def _lock(key: int, *, shared: bool) -> None:
    if connection.vendor != "postgresql":
        return
    suffix = "_shared" if shared else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{suffix}(%s, %s)", [SCOPE_SPACE, key])


@contextmanager
def _sqlite_waits(seconds: float | None) -> Iterator[None]:
    """Who does not come by this gate writes too (a yes, a load): how long to wait for them."""
    usual = int(connection.settings_dict["OPTIONS"].get("timeout", 5) * 1000)
    wanted = LONGEST_WAIT if seconds is None else int(seconds * 1000)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {wanted}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")


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
