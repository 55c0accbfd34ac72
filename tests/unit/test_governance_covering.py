"""In which yeses a field is: the table, version by version."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.rules import ClassificationFact, VersionFact, covering

HERE, ELSEWHERE = 1, 2


def day(count: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=count)


def versions(*rows: tuple[int, bool]) -> list[VersionFact]:
    """Version 1, 2, …: the day each was published, and whether it holds the name."""
    return [VersionFact(at, day(on), holds) for at, (on, holds) in enumerate(rows, start=1)]


def put(*rows: tuple[int, int]) -> list[ClassificationFact]:
    return [ClassificationFact(category, day(on)) for on, category in rows]


TABLE = {
    "it is there from the beginning": (versions((0, True)), put((0, HERE)), {1}),
    "it stands in each version since": (
        versions((0, True), (5, True), (9, True)),
        put((0, HERE)),
        {1, 2, 3},
    ),
    "it came later": (versions((0, False), (5, True)), put((5, HERE)), {2}),
    "its name was there before its dataset was": (versions((0, True)), put((5, HERE)), {1}),
    "its name left and came back with another dataset's": (
        versions((0, True), (5, False), (9, True)),
        put((9, HERE)),
        {3},
    ),
    "it went elsewhere and came back": (
        versions((0, True), (5, False), (9, True)),
        put((0, HERE), (5, ELSEWHERE), (9, HERE)),
        {3},
    ),
    "it went and came back, and its name stayed all the time": (
        versions((0, True), (9, True)),
        put((0, HERE), (5, ELSEWHERE), (9, HERE)),
        {2},
    ),
    "it came from elsewhere to where its name stood": (
        versions((0, True), (5, True)),
        put((0, ELSEWHERE), (5, HERE)),
        {2},
    ),
    "only its sensitivity changed": (
        versions((0, True)),
        put((0, HERE), (5, HERE)),
        {1},
    ),
    "its sensitivity changed after it came back": (
        versions((0, True), (5, False), (9, True)),
        put((0, HERE), (5, ELSEWHERE), (9, HERE), (12, HERE)),
        {3},
    ),
    "the newest version does not hold it": (versions((0, True), (5, False)), put((0, HERE)), set()),
    "there is no version": ([], put((0, HERE)), set()),
    "nobody wrote down when it was classified": (versions((0, True)), [], {1}),
}


@pytest.mark.parametrize("case", TABLE)
def test_a_field_is_in_the_yeses_to_these_versions(case):
    published, classified, expected = TABLE[case]
    assert covering(published, classified) == expected


steps = st.lists(st.booleans(), min_size=1, max_size=8)


@given(steps)
def test_a_yes_never_comes_to_cover_what_it_did_not_cover_a_step_before(names):
    """Each step publishes a version that holds the name or not; older yeses only ever lose it."""
    before: frozenset[int] = frozenset()
    for count in range(1, len(names) + 1):
        shown = versions(*((on, holds) for on, holds in enumerate(names[:count])))
        now = covering(shown, put((0, HERE)))
        assert now - before <= {count}
        before = now


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=8))
def test_a_yes_never_comes_to_cover_a_field_again_that_left_its_category(moves):
    """Each step moves the field in or out; its name may stay because of another dataset."""
    classified, shown = [], []
    before: frozenset[int] = frozenset()
    for on, (inside, name_stays) in enumerate(moves):
        classified += put((on, HERE if inside else ELSEWHERE))
        shown.append(VersionFact(on, day(on), inside or name_stays))
        now = covering(shown, classified) if inside else frozenset()
        assert now - before <= {on}
        before = now
