"""What an operator types after a command: refused with a sentence before the command begins."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from common.inputs import LONGEST_PATH, Limit, Number, Text

V = TypeVar("V", str, int)


def word(text: str) -> str:
    """A name, a reference, a label: one line of signs that can be kept."""
    return _looked_at(Text(most=400, least=1), text)


def path(text: str) -> Path:
    """Where a file or folder lies, or may come to lie."""
    found = Path(_looked_at(Text(most=LONGEST_PATH, least=1, anything=True), text))
    try:
        found.exists()
    except OSError:
        raise ArgumentTypeError("No file can have this name.") from None
    return found


def new_path(text: str) -> Path:
    """Where something is to be made: a name that a terminal can show."""
    return path(_looked_at(Text(most=LONGEST_PATH, least=1), text))


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number in this range, in digits."""

    def number(text: str) -> int:
        # Longer ones are no number of ours; Python refuses to read very long ones at all.
        read = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
        return _looked_at(Number(least, most), read)

    return number


def _looked_at(limit: Limit, value: V) -> V:
    fault = limit.fault(value)
    if fault is not None:
        raise ArgumentTypeError(str(fault))
    return value
