"""One JSON line for each thing worth noting, and the number that ties the lines of a request together.

A line holds only what stands in a closed list. The words of other people's code are not kept: they
quote paths, host names, addresses and values. Of an error only its kind and its places are kept.
"""

import json
import logging
import re
import traceback
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from django.core.exceptions import ImproperlyConfigured

# Only a random number is taken over from a caller: anything else could be somebody's name.
NUMBER = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\Z", re.IGNORECASE)
FIELDS = ("door", "route", "method", "status", "ms", "done")
OURS = frozenset(
    [
        "common",
        "audit",
        "governance",
        "consent",
        "release",
        "oversight",
        "interop",
        "portal",
        "desk",
        "api",
        "config",
    ]
)
# What the web server says of itself, with process numbers and our own bind address only.
SPOKEN = frozenset(
    [
        "Starting gunicorn %s",
        "Listening at: %s (%s)",
        "Using worker: %s",
        "Booting worker with pid: %s",
        "Worker exiting (pid: %s)",
        "Worker (pid:%s) exited with code %s.",
        "Worker (pid:%s) was sent %s!",
        "WORKER TIMEOUT (pid:%s)",
        "Handling signal: %s",
        "Shutting down: %s",
        "Exception in worker process",
    ]
)
PLACES = 12  # the innermost places of an error

_number: ContextVar[str] = ContextVar("number", default="")


@contextmanager
def numbered(given: str = "") -> Iterator[str]:
    """Every line written inside carries this number: the given one if it is one, or a new one."""
    number = given.replace("-", "").lower() if NUMBER.match(given) else uuid.uuid4().hex
    token = _number.set(number)
    try:
        yield number
    finally:
        _number.reset(token)


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if number := _number.get():
            line["request"] = number
        if words := _words(record):
            line["message"] = words
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and isinstance(record.exc_info[1], BaseException):
            line |= _error(record.exc_info[1])
        return json.dumps(line, separators=(",", ":"))


def _words(record: logging.LogRecord) -> str:
    ours = record.name.split(".")[0] in OURS
    return record.getMessage() if ours or record.msg in SPOKEN else ""


def _error(error: BaseException) -> dict[str, object]:
    frames = traceback.extract_tb(error.__traceback__)[-PLACES:]
    found: dict[str, object] = {
        "error": type(error).__name__,
        "where": [f"{_module(frame.filename)}:{frame.lineno}" for frame in frames],
    }
    if isinstance(error, ImproperlyConfigured):  # words of settings, for the operator to read
        found["message"] = str(error)
    return found


def _module(path: str) -> str:
    """The last two parts of a file's path: no folder of the machine."""
    return "/".join(path.replace("\\", "/").split("/")[-2:])
