"""Numbers of people are told in bands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.rules import bands


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "fewer than 11"),
        (10, "fewer than 11"),
        (11, "11–50"),
        (50, "11–50"),
        (51, "51–100"),
        (100, "51–100"),
        (101, "101–200"),
        (200, "101–200"),
        (201, "201–500"),
        (501, "501–1,000"),
        (1_001, "1,001–2,000"),
        (500_000, "200,001–500,000"),
        (500_001, "more than 500,000"),
    ],
)
def test_each_border_falls_into_the_band_that_names_it(count: int, told: str) -> None:
    assert bands.band(count) == told


def test_nobody_is_told_apart_below_eleven() -> None:
    assert {bands.band(count) for count in range(11)} == {"fewer than 11"}


def test_less_than_nothing_is_no_count() -> None:
    with pytest.raises(ValueError, match="below nothing"):
        bands.band(-1)


@given(st.integers(min_value=0, max_value=10**9))
def test_every_count_lies_in_its_own_band_and_bands_do_not_overlap(count: int) -> None:
    lowest, highest = bands.edges(count)
    assert lowest <= count
    assert highest == 0 or count <= highest
    assert highest == 0 or bands.edges(highest + 1)[0] == highest + 1
