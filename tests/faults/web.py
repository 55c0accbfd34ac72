"""The web server's entrance, whose process kills itself at one step, once.

Served as `gunicorn tests.faults.web`. TESTS_STEP names the step; TESTS_DIED is a file that says that one
has died already: who is started in its place lives. Nothing in the project knows of it.
"""

import os
from collections.abc import Callable
from pathlib import Path

from config.wsgi import application

# The entrance sets Django up; what is wrapped is imported after it.
from api import repeats  # isort: skip
from consent.actions import consents  # isort: skip
from portal.views import sharing  # isort: skip
from release.actions import asking  # isort: skip
from tests.faults import child  # isort: skip

__all__ = ["application"]

DIED = Path(os.environ["TESTS_DIED"])


def die() -> None:
    DIED.touch()
    child.die()


STEPS: dict[str, Callable[[], None]] = {
    # An asking with an Idempotency-Key: inside its transaction, and between its commit and the answer.
    "before the asking commits": lambda: child.wrap(asking, "ask", 1, last=die),
    "after the asking committed": lambda: child.wrap(repeats, "_told", 1, first=die),
    # Her stop: the same two places.
    "before the no commits": lambda: child.wrap(consents, "end", 1, last=die),
    "after the no committed": lambda: child.wrap(sharing, "redirect", 1, first=die),
}
if not DIED.exists():
    STEPS[os.environ["TESTS_STEP"]]()
