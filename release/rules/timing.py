"""How long things take and may take. Pure."""

from datetime import datetime, timedelta

ROWS_A_SECOND = 250_000  # measured on two cores, sealed in and out, rounded down
LEASE = timedelta(seconds=6)  # so long after its worker died, a release is taken up again
HEARTBEAT = timedelta(seconds=1.5)  # how often a worker renews its lease
LONGEST_ROUNDS = 5
LONGEST_RESTARTS = 2
ROUND_ENOUGH = 0.25  # seconds of rewriting that may wait for the lock
LOCKED_MOST = 0.5  # seconds of rewriting under the lock; above it parts are left out
PACKAGE_LIFE = timedelta(hours=72)
STREAM_LIFE = timedelta(minutes=15)
LOOK_AGAIN = 1.0  # seconds after which a part that is still on its way is asked about once more
BEAT = timedelta(seconds=5)  # how often a worker of the clock says that it lives
BEAT_LATE = timedelta(seconds=60)  # silent so long, the clock counts as stopped
BEAT_FORGOTTEN = timedelta(days=1)  # a worker silent so long is no worker any more
DELETE_WITHIN = timedelta(days=30)  # how long after sharing ended a recipient has to delete
LOOK_THROUGH = timedelta(hours=1)  # how long after one look for yeses that ran out the next may be
WITNESSES_LATE = timedelta(seconds=60)  # a head that waits so long for them: hand-overs wait too
LOG_LATE = timedelta(seconds=10)  # an entry that waits so long for its number: nobody numbers


def writing_seconds(rows: int) -> float:
    """An estimate of how long writing a package takes."""
    return max(0.05, rows / ROWS_A_SECOND)


def margin(rows: int, attempt: int = 0) -> timedelta:
    """How far ahead consents must hold: twice the estimated writing, and a minute.

    Twice as far at each further attempt: a machine slower than the estimate must get done too.
    """
    return timedelta(seconds=(60 + 2 * writing_seconds(rows)) * 2**attempt)


def delete_by(ended: datetime, kept_until: datetime | None) -> datetime:
    """By when a recipient must have deleted what it got: counted from the end of the yes, or from the
    day until which the signed terms let it keep that, where it is later."""
    return max(ended, kept_until or ended) + DELETE_WITHIN
