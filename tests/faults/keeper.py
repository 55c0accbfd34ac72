"""A process that rotates a key, makes a backup or restores one, and kills itself at one step of it.

Started by the tests as `python -m tests.faults.keeper DEED STEP COUNT [ARGUMENT …]`. A step is
`before:` or `after:` and the dotted name of a function or method; COUNT says at which time it is
taken. Nothing in the project knows of it.
"""

import sys
from importlib import import_module
from typing import Any

from django.core.management import call_command

from tests.faults.child import after, before  # first: it sets Django up

WAYS = {"before": before, "after": after}


def place(dotted: str) -> tuple[Any, str]:
    """The module or class that holds a function, and the function's name."""
    owner, _, name = dotted.rpartition(".")
    found, inner = _module(owner)
    for each in inner:
        found = getattr(found, each)
    return found, name


def _module(dotted: str) -> tuple[Any, list[str]]:
    """The longest beginning that is a module, and what lies inside it."""
    try:
        return import_module(dotted), []
    except ModuleNotFoundError:
        owner, _, last = dotted.rpartition(".")
        found, inner = _module(owner)
        return found, [*inner, last]


def main(step: str, count: str, command: str, *arguments: str) -> None:
    way, _, dotted = step.partition(":")
    WAYS[way](*place(dotted), at=int(count))
    call_command(command, *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
