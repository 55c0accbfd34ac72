"""A place in the queue for a file lock that is given up when it takes too long."""

import fcntl
from pathlib import Path
from threading import BoundedSemaphore, Event, Lock, Thread
from typing import IO, Any

from common.errors import NotReady
from common.words import sentence as _

MOST_WAITING = 64
_places = BoundedSemaphore(MOST_WAITING)


def busy() -> NotReady:
    return NotReady("busy", _("Somebody is changing this now. Try again in a moment."))


def turn(path: Path, seconds: float | None) -> IO[Any]:
    """The file, locked; closing it lets the next one in.

    Without `seconds` it waits as long as it must; otherwise raises NotReady after them.

    `flock` knows no time-out, a signal reaches only the main thread, and whoever asks again and
    again without waiting is passed by those who wait. So a thread of its own waits in the kernel's
    queue, and gives the turn away at once where it comes too late. One that is free is taken here.
    """
    file = path.open("w")
    if seconds is None:
        fcntl.flock(file, fcntl.LOCK_EX)
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _Place(file).taken(seconds)
    return file


class _Place:
    """One waiting thread; it or `taken` closes the file, never both."""

    def __init__(self, file: IO[Any]) -> None:
        self._file = file
        self._deciding = Lock()
        self._came = Event()
        self._given_up = False

    def taken(self, seconds: float) -> IO[Any]:
        if not _places.acquire(blocking=False):  # something has held the lock for very long
            self._file.close()
            raise busy()
        Thread(target=self._wait, name="gate", daemon=True).start()
        if not self._came.wait(seconds):
            with self._deciding:
                self._given_up = not self._came.is_set()
            if self._given_up:
                raise busy()
        return self._file

    def _wait(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            with self._deciding:
                if self._given_up:
                    self._file.close()
                else:
                    self._came.set()
        finally:
            _places.release()
