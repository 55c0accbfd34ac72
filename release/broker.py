"""A word to the workers that a release waits, and how many words lie there.

The table is the queue. A word only wakes: one that is lost, doubled or late costs seconds, since the
clock looks at the table again and again. Over Redis go names of tasks and keys of rows, nothing else.
"""

import logging
from functools import cache

from celery import Celery
from django.conf import settings
from kombu import Connection
from kombu.exceptions import OperationalError
from kombu.pools import producers
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

app = Celery("sayso")
app.conf.update(settings.CELERY)

ANSWER = "clock.release"  # the task that answers one release, by its key
LOAD = "clock.load"  # the task that loads files, as long a work as a release
RELEASES, HOUSE = "releases", "house"  # the queues: long work, and what must not wait behind it
AWAY = (OperationalError, RedisError, OSError)
log = logging.getLogger(__name__)


def wake(release: int) -> bool:
    """Tell the workers of this release; False where nobody could be told. Raises nothing and waits
    no longer than the limits of REDIS_PATIENCE."""
    if not settings.REDIS_URL:
        return False
    try:
        with producers[_connection()].acquire(block=True, timeout=_seconds()) as producer:
            app.send_task(ANSWER, [release], queue=RELEASES, producer=producer, retry=False)
    except AWAY as error:
        log.warning("the workers could not be told: %s", type(error).__name__)
        return False
    return True


def lengths() -> dict[str, int] | None:
    """How many words wait in each queue; None where there is no broker or it does not answer."""
    if not settings.REDIS_URL:
        return None
    try:
        lying = _reader()
        return {queue: int(lying.llen(queue)) for queue in (RELEASES, HOUSE)}
    except AWAY:
        return None


@cache
def _reader() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL, **settings.REDIS_PATIENCE, retry=Retry(NoBackoff(), 0)
    )


@cache
def _connection() -> Connection:
    """Where words are left: other limits than a worker's, which waits for them by listening."""
    return Connection(
        settings.REDIS_URL,
        transport_options=settings.BROKER_PATIENCE,
        connect_timeout=_seconds(),
    )


def _seconds() -> float:
    return float(settings.REDIS_PATIENCE["socket_timeout"])
