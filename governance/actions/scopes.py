"""Where a no and a release meet: locks, epochs, and the order in which they are taken.

Order, always: gate file (SQLite only), everyone's key, recipients ascending, then rows. Locks are
PostgreSQL transaction-level advisory locks; on SQLite `BEGIN IMMEDIATE` already lets one writer in,
and a file lock taken before it makes the queue fair. Measured in the protocol's prototype: lock and
read are two statements, the isolation is READ COMMITTED, nothing goes from shared to exclusive.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import InternalError, OperationalError, connection, transaction
from django.db.models import F, Q

from common import queues
from common.planned import AS_NEEDED, BIGINT, INTEGER, Planned, Reading, Rows, number, side_by_side
from common.rows import Columns
from governance.actions import filing
from governance.models import KeptNo, Scope, ScopeMove
from governance.queries import clock
from governance.queries.scopes import Epochs
from governance.vocabulary import Closing, Narrowing

SCOPE_SPACE = 0x5A150  # the first of the two integers of every advisory key
EVERYONE = 0
LONGEST_WAIT = 2_147_483_647  # milliseconds; SQLite knows no longer one
# Seconds for which whoever holds a lock may be away from the database: a release looks and writes all
# the time; an import of many papers makes its rows ready between two statements.
HOLDS_STILL, SAYS_NO = 15, 60
MOVE = Columns(ScopeMove, "scope", "epoch", "act", "slot", "moved_at")


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
    with _later(), gate(), transaction.atomic(durable=True):
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
    # After the locks are given back and before it is acknowledged: nobody else waits for the disk,
    # and whatever becomes of the file, the no counts.
    filing.file(kept)


@contextmanager
def closing(*, act: Closing) -> Iterator[Moment]:
    """Close a way in: the file of noes hears of it, and no epoch moves, for nothing leaves by it.

    Where nothing was open, nothing is told and nothing is kept: after a restore somebody would have
    to look by hand what it was about, and it was about nothing.
    """
    kept = None
    with gate(), transaction.atomic(durable=True):
        moment = _moment(clock.now(), [])
        yield moment
        if moment.told:
            kept = filing.keep(act=act, at=moment.at, told=moment.told)
    if kept is not None:
        filing.file(kept)


@contextmanager
def repeating(
    *, act: Narrowing | Closing, mark: bytes, facts: bytes, file: str, slots: Collection[int] = ()
) -> Iterator[Moment]:
    """Say a no again that the file of noes holds and this database has forgotten; to everyone."""
    ensure([])
    with gate(), transaction.atomic(durable=True):
        if isinstance(act, Narrowing):
            moment = _moved(act, [], everyone=True, slots=slots)
        else:
            moment = _moment(clock.now(), [])
        KeptNo.objects.create(mark=mark, act=act, said_at=moment.at, facts=facts, filed_in=file)
        yield moment


@contextmanager
def steady(*, recipient: int, seconds: float = 2.0) -> Iterator[Moment]:
    """Hold still what one recipient's decisions hang on: shared locks in a durable transaction.

    Raises NotReady when the locks are not to be had within `seconds`: a no goes first.
    """
    with steady_beside(recipient=recipient, seconds=seconds) as (moment, _answers):
        yield moment


@contextmanager
def steady_beside(
    *readings: Reading[Any], recipient: int, seconds: float = 2.0
) -> Iterator[tuple[Moment, list[Any]]]:
    """The same, and what these readings mean, asked right after the locks were taken."""
    with _later(), gate(seconds), transaction.atomic(durable=True):
        yield _held(recipient, seconds, readings)


# lock_not_available: others held it for too long; idle_in_transaction_session_timeout: we did.
LATER = {"55P03", "25P03"}


@contextmanager
def _later() -> Iterator[None]:
    """Where a lock was not to be had, or was lost, nothing has happened: NotReady says try again."""
    try:
        yield
    except (OperationalError, InternalError) as error:
        if _sqlstate(error) in LATER or "database is locked" in str(error):
            raise queues.busy() from error
        raise


def _sqlstate(error: Exception) -> str:
    """PostgreSQL's own code of what went wrong, in whatever language it says it."""
    return getattr(error.__cause__, "sqlstate", None) or ""


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


def _moved(
    act: Narrowing, recipients: list[int], *, everyone: bool, slots: Collection[int]
) -> Moment:
    _lets_go(SAYS_NO)
    _lock(EVERYONE, shared=not everyone)
    for recipient in recipients:
        _lock(recipient, shared=False)
    at = clock.now()
    moved = _move(everyone=everyone, recipients=recipients)
    about: list[int | None] = [*sorted(set(slots))] or [None]
    MOVE.insert(
        MOVE.adapted(scope.pk, scope.epoch, act, slot, at) for scope in moved for slot in about
    )
    return _moment(at, recipients)


def _lets_go(seconds: int) -> None:
    """A process that is stopped, or cut off, while it holds a lock loses it after so long."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = {seconds * 1000:d}")


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


# Sent together: each is a statement of its own and sees what was committed when it begins, so those
# after the locks see what the locks waited for.
ONLY: Mapping[str, Mapping[str, str]] = {"postgresql": {}, "sqlite": {}}
PATIENCE = Planned(
    "SELECT set_config('lock_timeout', %(lock)s, true),"
    " set_config('idle_in_transaction_session_timeout', %(idle)s, true)",
    ONLY,
    {"lock": AS_NEEDED, "idle": AS_NEEDED},
)
SHARED = Planned(
    "SELECT pg_advisory_xact_lock_shared(%(space)s, %(key)s)",
    ONLY,
    {"space": INTEGER, "key": INTEGER},
)
MOMENT = Planned(
    f"SELECT {clock.MICROSECONDS}, (SELECT epoch FROM governance_scope WHERE everyone),"  # noqa: S608 - our own words
    " (SELECT epoch FROM governance_scope WHERE recipient_id = %(recipient)s)",
    ONLY,
    {"recipient": BIGINT},
)


def _held(
    recipient: int, seconds: float, readings: Sequence[Reading[Any]]
) -> tuple[Moment, list[Any]]:
    """Take the shared locks, read the moment, and then ask. A scope without a row has never moved."""
    if connection.vendor != "postgresql":
        return _moment(clock.now(), [recipient]), list(side_by_side(*readings))
    milliseconds = [f"{int(seconds * 1000)}", f"{HOLDS_STILL * 1000}"]

    def read(_vendor: str, rows: Rows) -> Moment:
        at, everyone, own = (number(each) if each is not None else 0 for each in rows[0])
        return Moment(at=clock.read(at), everyone=everyone, epochs={recipient: own})

    _patience, _everyone, _own, moment, *answers = side_by_side(
        Reading(PATIENCE, milliseconds, _nothing),
        Reading(SHARED, [SCOPE_SPACE, EVERYONE], _nothing),
        Reading(SHARED, [SCOPE_SPACE, recipient], _nothing),
        Reading(MOMENT, [recipient], read),
        *readings,
    )
    return moment, answers


def _nothing(_vendor: str, _rows: Rows) -> None:
    """What an act gives back says nothing."""


def _move(*, everyone: bool, recipients: Collection[int]) -> list[Scope]:
    scopes = (
        Scope.objects.filter(everyone=True)
        if everyone
        else Scope.objects.filter(recipient_id__in=recipients)
    )
    scopes.update(epoch=F("epoch") + 1)
    return list(scopes.order_by("pk"))


def _moment(at: datetime, recipients: Collection[int]) -> Moment:
    concerned = Scope.objects.filter(Q(everyone=True) | Q(recipient_id__in=recipients))
    found: dict[int | None, int] = dict(concerned.values_list("recipient_id", "epoch"))
    own = {key: epoch for key, epoch in found.items() if key is not None}
    return Moment(at=at, everyone=found.get(None, 0), epochs=own)
