"""The answer about one person is the whole release's, kept to her; without any one condition it is
not."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from django.db import DatabaseError, transaction
from hypothesis import find, given
from hypothesis.errors import NoSuchExample

from common.planned import Planned, Rows, Value
from governance.models import AccessRequest
from release.queries.person import CONDITIONS, DIALECTS, STATEMENT, VALUES, planned
from release.rules.decide import Refusal, decide
from release.vocabulary import Ground
from tests.lengths import examples
from tests.stateful.asking import Asked, Asking, askings
from tests.stateful.sayings import PEOPLE, holding

pytestmark = pytest.mark.django_db
EXAMPLES = examples(200)


@pytest.fixture
def asking() -> Asking:
    return Asking()


def differs(asking: Asking, found: Asked) -> bool:
    """Whether the answer about anybody is not what a whole release says of her."""
    with transaction.atomic():
        asking.store(found)
        whole = asking.of_all(found)
        alone = [decide(asking.restricted(whole, at)) for at in range(PEOPLE)]
        answers = asking.answers(found)
        transaction.set_rollback(True)
    decided = decide(whole)
    for at, answer in enumerate(answers):
        if answer != asking.hers(alone[at], at):
            return True
        among_all = asking.hers(decided, at)
        if isinstance(answer, Refusal) or isinstance(among_all, Refusal):
            if answer != among_all:
                return True
        elif replace(answer, good_until=among_all.good_until) != among_all:
            return True
        columns = () if isinstance(answer, Refusal) else answer.columns
        refused = isinstance(decided, Refusal) and decided.grounds != (Ground.NOBODY,)
        if not refused and columns != asking.spoken(found, whole, at):
            return True
    return False


class Backwards(Planned):
    """The same rows from the last to the first: which of them a database finds first is its affair."""

    def rows(self, values: Sequence[Value]) -> tuple[str, Rows]:
        vendor, rows = super().rows(values)
        return vendor, rows[::-1]


def alike(asking: Asking, found: Asked, mutants: Mapping[str, tuple[Planned, ...]]) -> set[str]:
    """Of these statements those that answer about everybody what the statement itself does."""
    with transaction.atomic():
        asking.store(found)
        answers = asking.answers(found)
        same = {name for name, each in mutants.items() if answer(asking, found, each) == answers}
        transaction.set_rollback(True)
    return same


def answer(asking: Asking, found: Asked, mutants: Sequence[Planned]) -> object:
    """What the statements answer; None where they do not agree, or cannot: no row, too many in one
    place, or two yeses in force at once."""
    try:
        with transaction.atomic():
            first, *others = [asking.answers(found, each) for each in mutants]
    except (AccessRequest.DoesNotExist, DatabaseError, ValueError):
        return None
    return first if all(each == first for each in others) else None


def statements(conditions: Mapping[str, str]) -> tuple[Planned, Planned]:
    """The statement with these conditions, its rows once in each order."""
    words = {vendor: {**dialect, **conditions} for vendor, dialect in DIALECTS.items()}
    return planned(conditions), Backwards(STATEMENT, words, VALUES)


def test_the_answer_about_one_person_is_what_a_whole_release_says_of_her(asking):
    @holding(EXAMPLES)
    @given(askings())
    def holds(found):
        assert not differs(asking, found)

    holds()


def test_a_holder_is_answered_what_whoever_of_the_requester_may_ask_would_be(asking):
    @holding(EXAMPLES)
    @given(askings())
    def holds(found):
        with transaction.atomic():
            asking.store(found)
            other = "member is somebody else" in found.changes
            expected = asking.answers(found, by=asking.colleague if other else asking.asker)
            answers = asking.answers_for_holder(found)
            transaction.set_rollback(True)
        assert answers == expected

    holds()


# What must not be in order for a condition to be missed; the others show in any world.
SHOWS = {
    "asked": "request ended",
    "its_agreement": "agreement suspended",
    "its_dataset": "dataset paused",
    "datasets_of_agreement": "another dataset covered",
    "covers_dataset": "another dataset covered",
    "purposes_of_agreement": "another purpose covered",
    "covers_purpose": "another purpose covered",
    "categories_of_agreement": "category not covered",
    "key_of_requester": "key of another",
    "key_is_current": "key ended",
    "who_asks": "member is somebody else",
    "account_of_who_asks": "user inactive",
    "account_is_active": "user inactive",
    "member_of_requester": "member elsewhere",
    "member_as_requester": "member only as steward",
    "member_still": "member no longer",
    "version_of_dataset": "nothing loaded",
    "field_was_asked": "field not asked",
    "field_is_held": "column not held",
    "held_by_newest": "column not held",
}
# Removing it changes no answer: test_one_person asks with a request that is not what it was.
ELSEWHERE = {"as_known"}


KINDS = sorted({SHOWS.get(name, "") for name in CONDITIONS})


@pytest.mark.parametrize("change", KINDS, ids=lambda change: change or "any world")
def test_without_any_one_condition_some_answer_is_another(asking, change):
    """One world after another, until each of them has been missed in one."""
    unnoticed = {
        name: statements({**CONDITIONS, name: "" if name == "newest_version" else "1 = 1"})
        for name in CONDITIONS
        if name not in ELSEWHERE and SHOWS.get(name, "") == change
    }

    def all_noticed(found: Asked) -> bool:
        left = alike(asking, found, unnoticed)
        for name in unnoticed.keys() - left:
            del unnoticed[name]
        return not unnoticed

    with suppress(NoSuchExample):
        find(askings(change or None), all_noticed, settings=holding(1000))
    assert sorted(unnoticed) == []


def test_the_order_in_which_rows_are_found_changes_no_answer(asking):
    @holding(EXAMPLES // 2)
    @given(askings())
    def holds(found):
        assert alike(asking, found, {"in either order": statements(CONDITIONS)})

    holds()
