"""What the clock does. Every function finds its own work in the tables; calling twice is harmless.

`tick` is the whole clock in one process (`manage.py work`). The tasks are the same deeds, one each,
for workers that Redis ties together; a beat asks for them, and whoever asks for a release wakes one.
"""

import logging
import socket
from datetime import datetime
from os import getpid
from typing import Any

from celery import Task
from django.db import DatabaseError, InterfaceError

from audit.actions import feed, sequence
from audit.queries import footing
from common import logs
from common.acting import CLOCK, acting
from common.errors import NotReady
from consent.actions import afresh, endings, liftings, proposals, questions, tagging
from governance.actions import filing, repeats, reviews
from governance.queries import clock
from release import broker
from release.actions import keeping, recalls, releases, shredding, uploads, versions
from release.models import Release
from release.queries.readiness import WORK, WORKER
from release.queries.releases import free, to_run
from release.queries.uploads import to_load
from release.vocabulary import ReleaseState, UploadState

ROOM = 100  # words that may lie in the queue before the clock adds its own
log = logging.getLogger(__name__)


def worker_name(kind: str = WORK) -> str:
    """Who holds a lease: what it is, this machine and process."""
    return f"{kind}{socket.gethostname()[:40]}-{getpid()}"


def run_releases(at: datetime, most: int = 1000) -> int:
    """Answer what waits, oldest first; one that cannot be answered now goes on waiting."""
    return sum(_answered(release, at, worker_name()) for release in to_run()[:most])


def _answered(release: Release, at: datetime, worker: str) -> bool:
    try:
        answered: Release = releases.run(release=release, at=at, worker=worker)
    except NotReady as reason:
        log.warning("release %s waits: %s", release.ref, reason.code)
    except Exception as error:  # noqa: BLE001 - one release never stops the clock for others
        # The kind only: an error's own words could hold a value.
        log.error("release %s cannot be answered: %s", release.ref, type(error).__name__)  # noqa: TRY400
    else:
        return answered.state != ReleaseState.WAITING
    return False


def file_noes() -> int:
    """Note which noes stand in their file, and file those that wait; where it cannot be, they wait."""
    try:
        return filing.file_waiting()
    except NotReady as reason:
        log.error("noes wait for their file: %s", reason.code)  # noqa: TRY400 - the code says it
        return 0


def load_uploads(at: datetime, most: int = 100) -> int:
    """Load what was sent, oldest first; one that cannot be loaded now goes on waiting."""
    done = 0
    for upload in to_load()[:most]:
        try:
            done += uploads.run(upload=upload, at=at).state != UploadState.WAITING
        except NotReady as reason:
            log.warning("upload %s waits: %s", upload.ref, reason.code)
        except Exception as error:  # noqa: BLE001 - one upload never stops the clock for others
            log.error("upload %s cannot be loaded: %s", upload.ref, type(error).__name__)  # noqa: TRY400
    return done


def shred_due(at: datetime) -> int:
    """Shred what two have agreed to and nobody called off; what cannot be done now goes on waiting."""
    try:
        return shredding.carry_out_due(at=at)
    except NotReady as reason:
        log.warning("shredding waits: %s", reason.code)
        return 0


def recall_due(at: datetime) -> int:
    """Ask back what was picked up and may no longer be kept; what cannot be asked now waits."""
    try:
        return recalls.mark_overdue(at=at) + recalls.open_due(at=at)
    except NotReady as reason:
        log.warning("recalls wait: %s", reason.code)
        return 0


def settle_words(at: datetime) -> int:
    """What people signed or took back and what has waited comes into force; asks that nobody answered
    run out; whose yes ends soon is asked once; what has come to its end is written down as ended, and
    questions answered long ago are erased."""
    try:
        done = proposals.settle_due(at=at) + liftings.settle_due(at=at)
        done += afresh.ask_due(at=at) + questions.erase_due(at=at)
        return done + proposals.ask_renewals(at=at) + endings.note_due(at=at)
    except NotReady as reason:
        log.warning("words wait: %s", reason.code)
        return 0


@acting(lambda: CLOCK)
def tick(at: datetime) -> int:
    """Everything that is due: noes to file, recalls, people to shred, words that waited, tags to catch up, packages to
    remake, releases, uploads, unanswered requests, wiping, sweeping, the log and its witnesses."""
    keeping.beat(worker=worker_name(), at=at)
    file_noes()
    done = recall_due(at) + shred_due(at) + settle_words(at)
    done += tagging.catch_up(at=at) + keeping.remake(at=at)
    done += run_releases(at) + load_uploads(at) + uploads.sweep(at=at) + repeats.forget(at=at)
    done += len(reviews.lapse_unanswered(at=at))
    done += keeping.wipe(at=at) + keeping.sweep() + versions.sweep_staging(at=at)
    done += sequence()
    return done + feed(at=at)


# --- the same through Redis -----------------------------------------------------------------------


class OfTheClock(Task):
    """Acts as the clock, under a number of its own, in a process that stands on good footing.

    Never raises: what cannot be done now is in the table and is asked for again.
    """

    abstract = True
    sure = 0  # the process that was looked at; a child looks for itself

    def __call__(self, *args: Any, **named: Any) -> None:
        with acting(lambda: CLOCK), logs.numbered():
            try:
                self._look()
                super().__call__(*args, **named)
            except NotReady as reason:
                log.warning("%s: not now: %s", self.name, reason.code)
            except (DatabaseError, InterfaceError) as error:
                log.warning("%s: not now: %s", self.name, type(error).__name__)

    @staticmethod
    def _look() -> None:
        if OfTheClock.sure != getpid():
            footing.check()
            OfTheClock.sure = getpid()


@broker.app.task(base=OfTheClock, name=broker.ANSWER)
def release(key: int) -> None:
    """Answer one release; nothing where it is answered already or another has it."""
    found = Release.objects.filter(pk=key).first()
    if found is not None:
        _answered(found, clock.now(), worker_name(WORKER))


@broker.app.task(base=OfTheClock, name="clock.dispatch")
def dispatch() -> None:
    """Wake a worker for what waits and nobody is at; needed wherever a word was lost."""
    keeping.beat(worker=worker_name(WORKER), at=clock.now())
    lying = broker.lengths()
    room = ROOM - lying[broker.RELEASES] if lying else 0
    for key in free().values_list("pk", flat=True)[: max(0, room)]:
        if not broker.wake(key):
            return


@broker.app.task(base=OfTheClock, name="clock.noes")
def noes() -> None:
    """Noes that wait for their file."""
    file_noes()


@broker.app.task(base=OfTheClock, name=broker.LOAD)
def load() -> None:
    """Files that were sent, as long a work as a release."""
    load_uploads(clock.now())


@broker.app.task(base=OfTheClock, name="clock.remake")
def remake() -> None:
    """Packages sealed to a key that was replaced."""
    keeping.remake(at=clock.now())


@broker.app.task(base=OfTheClock, name="clock.shred")
def shred() -> None:
    """People whose key is to be destroyed, when the delay has passed."""
    shred_due(clock.now())


@broker.app.task(base=OfTheClock, name="clock.settle")
def settle() -> None:
    """What has waited to come into force, and what nobody answered."""
    settle_words(clock.now())


@broker.app.task(base=OfTheClock, name="clock.tag")
def tag() -> None:
    """What was written about people while their holder's key was away."""
    tagging.catch_up(at=clock.now())


@broker.app.task(base=OfTheClock, name="clock.recall")
def recall() -> None:
    """People whose yes has ended since a package was picked up."""
    recall_due(clock.now())


@broker.app.task(base=OfTheClock, name="clock.lapse")
def lapse() -> None:
    """Requests that no board has answered in time."""
    reviews.lapse_unanswered(at=clock.now())


@broker.app.task(base=OfTheClock, name="clock.wipe")
def wipe() -> None:
    """Packages that are void or were not fetched."""
    keeping.wipe(at=clock.now())


@broker.app.task(base=OfTheClock, name="clock.sweep")
def sweep() -> None:
    """What a crash left behind, and what nobody waits for any more."""
    keeping.sweep()
    versions.sweep_staging(at=clock.now())
    uploads.sweep(at=clock.now())
    repeats.forget(at=clock.now())


@broker.app.task(base=OfTheClock, name="clock.number")
def number() -> None:
    """The log, where no sequencer of its own numbers it."""
    sequence()


@broker.app.task(base=OfTheClock, name="clock.feed")
def feed_witnesses() -> None:
    """The log's new heads, for witnesses outside."""
    feed(at=clock.now())


# How often the beat asks for each, in seconds.
SCHEDULE: dict[Task, int] = {
    dispatch: 1,
    noes: 1,
    number: 1,
    feed_witnesses: 1,
    load: 5,
    remake: 5,
    recall: 5,
    shred: 30,
    settle: 30,
    tag: 30,
    lapse: 30,
    wipe: 30,
    sweep: 30,
}
