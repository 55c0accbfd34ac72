"""How many releases are written at once on one machine."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.errors import NotReady
from common.words import sentence as _


@contextmanager
def seat(folder: Path, seats: int) -> Iterator[None]:
    """Wait for one of so many seats; the system takes it back even from a killed process.

    Writing takes whole cores and the engine's memory. Ten at once would each be slow, and while one
    of them holds the locks, whoever says no waits for its slow hand. Raises NotReady where the data
    folder takes no file.
    """
    handles: list[int] = []
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for number in range(seats):
                path = folder / f"seat-{number}"
                handles.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise NotReady(
                "storage_unwritable", _("The data folder cannot take this now.")
            ) from error
        if not any(_free(handle) for handle in handles):
            fcntl.flock(handles[os.getpid() % seats], fcntl.LOCK_EX)
        yield
    finally:
        for handle in handles:
            os.close(handle)


def _free(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
