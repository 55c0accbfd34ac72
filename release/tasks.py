"""What the clock does. Every function finds its own work in the tables; calling twice is harmless."""

import logging
import socket
from datetime import datetime
from os import getpid

from audit.actions import sequence
from common.errors import NotReady
from governance.actions import repeats, reviews
from release.actions import keeping, releases, uploads, versions
from release.models import Release
from release.queries.releases import to_run
from release.queries.uploads import to_load
from release.vocabulary import ReleaseState, UploadState

log = logging.getLogger(__name__)


def worker_name() -> str:
    """Who holds a lease: this machine and process."""
    return f"{socket.gethostname()[:40]}-{getpid()}"


def run_releases(at: datetime, most: int = 1000) -> int:
    """Answer what waits, oldest first; one that cannot be answered now goes on waiting."""
    done = 0
    for release in to_run()[:most]:
        try:
            answered: Release = releases.run(release=release, at=at, worker=worker_name())
            done += answered.state != ReleaseState.WAITING
        except NotReady as reason:
            log.warning("release %s waits: %s", release.ref, reason.code)
        except Exception as error:  # noqa: BLE001 - one release never stops the clock for others
            # The kind only: an error's own words could hold a value.
            log.error("release %s cannot be answered: %s", release.ref, type(error).__name__)  # noqa: TRY400
    return done


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


def tick(at: datetime) -> int:
    """Everything that is due: releases, unanswered requests, wiping, sweeping, the log."""
    done = run_releases(at) + load_uploads(at) + uploads.sweep(at=at) + repeats.forget(at=at)
    done += len(reviews.lapse_unanswered(at=at))
    done += keeping.wipe(at=at) + keeping.sweep() + versions.sweep_staging(at=at)
    return done + sequence()
