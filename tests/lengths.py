"""How long tests run: what `make test` has time for or, where TESTS_LENGTH is long, all there is.

`make whole` and `make faults` are long.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

LONG = os.environ.get("TESTS_LENGTH") == "long"


def examples(whole: int) -> int:
    """So many examples of `whole`: a fifth, but not below 20."""
    return whole if LONG else min(whole, max(20, whole // 5))


def some(cases: Sequence[Any]) -> Sequence[Any]:
    """The first, every fifth after it, and the last."""
    return cases if LONG else [*cases[:-1:5], cases[-1]]


def share(cases: Sequence[Any], at: int) -> Sequence[Any]:
    """A fifth of them, the next fifth for the next `at`: each is tried somewhere."""
    return cases if LONG else cases[at % 5 :: 5]


def thirds(cases: Iterable[Any]) -> list[Any]:
    """All of them on SQLite; of three one on PostgreSQL too, and there the rest by `make whole`."""
    return [
        case if at % 3 == 0 else pytest.param(*_values(case), marks=pytest.mark.once)
        for at, case in enumerate(cases)
    ]


def _values(case: Any) -> tuple[Any, ...]:
    return case if isinstance(case, tuple) else (case,)
