"""What workers and the beat are before they begin: the timetable, and the look at what they stand on."""

import logging

from celery.beat import Scheduler
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connection

from audit.queries import footing
from common.errors import NotReady
from oversight import tasks
from release.broker import app

log = logging.getLogger(__name__)

# A word that no worker has taken by the next one's turn is not needed any more.
app.conf.beat_schedule = {
    task.name: {"task": task.name, "schedule": every, "options": {"expires": every + 1}}
    for task, every in tasks.SCHEDULE.items()
}


class Schedule(Scheduler):
    """The timetable in memory: nothing of it need outlive the process, and no file is written."""

    def setup_schedule(self) -> None:
        self.update_from_dict(self.app.conf.beat_schedule)


def look() -> None:
    """Refuses to start without Redis or on bad footing. Where the database does not answer, each
    process looks before its first task (release.tasks)."""
    if not settings.REDIS_URL:
        raise ImproperlyConfigured(
            "REDIS_URL: it is not set. Without Redis `manage.py work` is the whole clock."
        )
    try:
        footing.check()
    except NotReady as refusal:
        raise ImproperlyConfigured(f"The clock does not start. {refusal.message}") from refusal
    except (DatabaseError, InterfaceError):
        log.warning("the database does not answer; nothing is done before it does")
    finally:
        if not connection.in_atomic_block:
            connection.close()  # processes that are forked have connections of their own
