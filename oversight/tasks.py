"""What the clock does for those who check. Every function finds its own work in the tables.

`tick` is the whole clock in one process (`manage.py work`): that of every rung below, and this one's.
"""

import logging
from datetime import datetime

from celery import Task

from common.acting import CLOCK, acting
from common.errors import NotReady
from governance.queries import clock
from oversight.actions import working
from oversight.models import Job
from oversight.queries.jobs import waiting
from oversight.vocabulary import JobState
from release import broker, tasks
from release.tasks import OfTheClock

log = logging.getLogger(__name__)


def run_jobs(at: datetime, most: int = 10) -> int:
    """Go on with what auditors asked for; what cannot be done now goes on waiting."""
    return sum(_gone_on(job, at) for job in waiting()[:most])


def _gone_on(job: Job, at: datetime) -> bool:
    try:
        return working.run(job=job, at=at).state != JobState.WAITING
    except NotReady as reason:
        log.warning("job %s waits: %s", job.ref, reason.code)
    except Exception as error:  # noqa: BLE001 - one job never stops the clock for others
        log.error("job %s cannot be done: %s", job.ref, type(error).__name__)  # noqa: TRY400
    return False


@acting(lambda: CLOCK)
def tick(at: datetime) -> int:
    """Everything that is due."""
    return tasks.tick(at) + run_jobs(at) + working.wipe(at=at)


@broker.app.task(base=OfTheClock, name="clock.check")
def check() -> None:
    """Verifications and exports, and the files of exports that have lain long enough."""
    run_jobs(clock.now())
    working.wipe(at=clock.now())


# How often the beat asks for each, in seconds.
SCHEDULE: dict[Task, int] = {**tasks.SCHEDULE, check: 5}
