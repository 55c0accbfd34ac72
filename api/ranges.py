"""Which bytes of a file a `Range` header asks for (RFC 9110, section 14)."""

import re
from dataclasses import dataclass

ONE_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True)
class Window:
    """From the byte `first` to the byte `last`, both included."""

    first: int
    last: int


class Unsatisfiable(Exception):
    """No byte of the file lies in what was asked for. Doors answer 416."""


def window(header: str, *, size: int) -> Window | None:
    """The one window that is asked for; None where the whole file is the right answer.

    A header that cannot be read, or that names several ranges, is passed over: RFC 9110 lets a
    server answer such a request with the whole file.
    """
    found = ONE_RANGE.fullmatch(header.strip())
    if found is None:
        return None
    first, last = found.groups()
    if not first:
        return _suffix(last, size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise Unsatisfiable
    return Window(int(first), min(int(last), size - 1) if last else size - 1)


def _suffix(length: str, size: int) -> Window | None:
    if not length:
        return None
    if int(length) == 0 or size == 0:
        raise Unsatisfiable
    return Window(max(size - int(length), 0), size - 1)
