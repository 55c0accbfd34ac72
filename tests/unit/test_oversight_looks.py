"""Comparing looks twice before it says anything, for deeds go on meanwhile."""

from collections.abc import Iterator

from oversight.queries.looks import chunks, twice
from oversight.vocabulary import Finding, Kind

LASTING = Finding(Kind.FILE_MISSING, "release rel-a", "it is not there.")
PASSING = Finding(Kind.FILE_MISSING, "release rel-b", "it was not there yet.")


def looks(*answers: list[Finding]):
    waiting = iter(answers)

    def look(page: int) -> Iterator[Finding]:
        yield from next(waiting)

    return look


def test_what_only_the_first_look_found_is_not_said():
    assert list(twice(looks([PASSING, LASTING], [LASTING]), 1)) == [LASTING]


def test_what_only_the_second_look_found_waits_for_the_next_time():
    assert list(twice(looks([LASTING], [PASSING, LASTING]), 1)) == [LASTING]


def test_where_nothing_is_found_nobody_looks_again():
    assert list(twice(looks([]), 1)) == []


def test_values_come_in_chunks_and_none_is_lost():
    assert list(chunks([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]
