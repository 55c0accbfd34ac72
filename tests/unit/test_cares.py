"""Where a column may stand, which columns stand together, and how a category comes under rules."""

from itertools import product

import pytest

from common.errors import RuleBroken
from governance.rules import Placed, care_after, misplaced, mixed
from governance.vocabulary import Care, FieldSensitivity


def column(sensitivity: FieldSensitivity, care: Care) -> Placed:
    return Placed("town", sensitivity, care)


@pytest.mark.parametrize(("sensitivity", "care"), list(product(FieldSensitivity, Care)))
def test_R14_places_stand_in_a_category_for_places_and_nothing_else_does(sensitivity, care):
    place = sensitivity == FieldSensitivity.LOCATION
    assert bool(misplaced([column(sensitivity, care)])) == (place != (care == Care.LOCATION))


def test_R14_each_column_that_stands_wrongly_is_named():
    told = misplaced(
        [
            Placed("town", FieldSensitivity.LOCATION, Care.ORDINARY),
            Placed("age_band", FieldSensitivity.QUASI, Care.LOCATION),
            Placed("visits", FieldSensitivity.PROCESS, Care.ORDINARY),
        ]
    )
    assert [sentence.split()[2] for sentence in told] == ["town", "age_band"]


@pytest.mark.parametrize(("one", "other"), list(product(Care, repeat=2)))
def test_R13_what_law_enforcement_made_stands_with_nothing_else(one, other):
    both = [column(FieldSensitivity.QUASI, one), column(FieldSensitivity.QUASI, other)]
    apart = (one == Care.LAW_ENFORCEMENT) != (other == Care.LAW_ENFORCEMENT)
    assert bool(mixed(both)) == apart


def test_R13_nothing_is_not_mixed():
    assert mixed([]) == []


@pytest.mark.parametrize(("before", "care"), list(product(Care, repeat=2)))
def test_only_an_ordinary_category_comes_under_rules_and_it_stays_under_them(before, care):
    if before == Care.ORDINARY != care:
        assert care_after(before, care) == care
        return
    with pytest.raises(RuleBroken) as refused:
        care_after(before, care)
    assert refused.value.code == "care_stays"
