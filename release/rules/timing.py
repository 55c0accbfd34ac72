"""How long things take and may take. Pure."""

from datetime import timedelta

ROWS_A_SECOND = 250_000  # measured on two cores, sealed in and out, rounded down
LEASE = timedelta(minutes=2)
LONGEST_ROUNDS = 5
LONGEST_RESTARTS = 2
ROUND_ENOUGH = 0.25  # seconds of rewriting that may wait for the lock
LOCKED_MOST = 0.5  # seconds of rewriting under the lock; above it parts are left out
PACKAGE_LIFE = timedelta(hours=72)
STREAM_LIFE = timedelta(minutes=15)


def writing_seconds(rows: int) -> float:
    """An estimate of how long writing a package takes."""
    return max(0.05, rows / ROWS_A_SECOND)


def margin(rows: int, attempt: int = 0) -> timedelta:
    """How far ahead consents must hold: twice the estimated writing, and a minute.

    Twice as far at each further attempt: a machine slower than the estimate must get done too.
    """
    return timedelta(seconds=(60 + 2 * writing_seconds(rows)) * 2**attempt)
