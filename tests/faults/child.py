"""A process that prepares or hands over one release, or numbers the log, and kills itself at one step of
it.

Started by the tests as `python -m tests.faults.child STEP [RELEASE USER]`, with the environment of the
test database. Nothing in the project knows of it: the steps are wrapped from outside.
"""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django is set up first
from django.utils import timezone  # noqa: E402

from audit.actions import sequencing  # noqa: E402
from audit.management.commands import sequencer  # noqa: E402
from audit.vocabulary import Via  # noqa: E402
from governance.models import User  # noqa: E402
from release import storage  # noqa: E402
from release.actions import answers, handing, preparing, releases  # noqa: E402
from release.models import Release  # noqa: E402
from release.vocabulary import DownloadPart  # noqa: E402


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(place: Any, name: str, at: int = 1) -> None:
    """Die right before the step is taken for the `at`-th time."""
    wrap(place, name, at, first=die)


def after(place: Any, name: str, at: int = 1) -> None:
    """Die right after the step was taken for the `at`-th time."""
    wrap(place, name, at, last=die)


def nothing() -> None:
    pass


def wrap(
    place: Any,
    name: str,
    at: int,
    first: Callable[[], None] = nothing,
    last: Callable[[], None] = nothing,
) -> None:
    real = getattr(place, name)
    taken: list[int] = []

    def stepped(*given: Any, **named: Any) -> Any:
        taken.append(1)
        mine = len(taken) == at
        if mine:
            first()
        answer = real(*given, **named)
        if mine:
            last()
        return answer

    setattr(place, name, stepped)


PREPARING: dict[str, Callable[[], None]] = {
    "before staging": lambda: before(preparing, "_write"),
    "while a part is written": lambda: after(storage, "_write", at=2),
    "between two parts": lambda: after(storage.LocalStore, "put", at=2),
    "after staging": lambda: before(preparing, "_commit"),
    "before the commit": lambda: after(answers, "record"),
    "after the commit": lambda: after(preparing, "_commit"),
}
HANDING: dict[str, Callable[[], None]] = {
    "before handing over": lambda: before(handing, "_permit"),
    "before the permit commits": lambda: before(handing.Download.objects, "create"),
    "after the permit": lambda: before(handing, "settle"),
    "while the log signs": lambda: after(sequencing, "_write_numbers"),
    "after the log signed": lambda: before(handing, "_part_bytes"),
    "between two parts of a stream": lambda: before(handing, "_look_again", at=2),
}
NUMBERING: dict[str, Callable[[], None]] = {
    "before a number is written": lambda: before(sequencing, "_write_numbers"),
    "between numbers and nodes": lambda: after(sequencing, "_write_numbers"),
    "between nodes and head": lambda: before(sequencing.Checkpoint.objects, "create"),
    "between head and commit": lambda: after(sequencing.Checkpoint.objects, "create"),
    "after a batch": lambda: after(sequencer, "sequence"),
    "in the middle of the second batch": lambda: after(sequencing, "_write_numbers", at=2),
    "at the end of the second batch": lambda: after(sequencing.Checkpoint.objects, "create", at=2),
}
BATCH = 20  # entries; a sequencer takes 2,000 at once


def main(step: str, reference: str = "", user: str = "") -> None:
    if step in NUMBERING:
        sequencer.sequence = partial(sequencing.sequence, limit=BATCH)
        NUMBERING[step]()
        call_command("sequencer")
        return
    release = Release.objects.get(ref=reference)
    {**PREPARING, **HANDING}[step]()
    if step in PREPARING:
        releases.run(release=release, at=timezone.now(), worker="child")
        return
    handed = handing.hand_over(
        release=release,
        part=DownloadPart.PACKAGE,
        by=User.objects.get(ref=user),
        at=timezone.now(),
        via=Via.API,
    )
    for piece in handed.chunks:
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
