"""R22: what may be decided of what a person says is wrong, and what then may go again, row by row."""

from datetime import timedelta

import pytest

from consent.models.contests import FIT
from consent.rules import contests
from consent.vocabulary import Contested, Decided
from tests.spec.decision import NOW, SECOND

# What was asked, what was decided, whether that answers it, whether it may go again.
TABLE = [
    (Contested.CORRECTION, Decided.CORRECTED, True, True),
    (Contested.CORRECTION, Decided.UNCHANGED, True, True),
    (Contested.CORRECTION, Decided.KEPT, False, None),
    (Contested.CORRECTION, Decided.ENDED, False, None),
    (Contested.RESTRICTION, Decided.CORRECTED, False, None),
    (Contested.RESTRICTION, Decided.UNCHANGED, False, None),
    (Contested.RESTRICTION, Decided.KEPT, True, False),
    (Contested.RESTRICTION, Decided.ENDED, True, True),
]


@pytest.mark.parametrize(("kind", "decision", "fits", "again"), TABLE, ids=str)
def test_R22_what_answers_what_was_asked_and_what_goes_again_is_as_the_table_says(
    kind, decision, fits, again
):
    assert contests.fits(kind, decision) is fits
    assert (decision in FIT[kind]) is fits  # the database holds the same
    if fits:
        assert contests.goes_again(kind, decision) is again


def test_every_question_and_every_answer_stands_in_the_table():
    asked = {(kind, decision) for kind in Contested for decision in Decided}
    assert {row[:2] for row in TABLE} == asked


def test_R22_it_is_overdue_from_the_very_instant_thirty_days_later():
    until = contests.answer_by(NOW)
    assert until == NOW + timedelta(days=30)
    assert not contests.overdue(NOW, until - SECOND)
    assert contests.overdue(NOW, until)
