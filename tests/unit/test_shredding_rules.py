"""When a key is destroyed, what holds it up, and what a sealed detail opens with. Pure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.rules import opened_detail, sealed_detail
from consent.rules.holds import HoldFact, held, shredded_on

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
holds = st.lists(st.builds(HoldFact, moments, st.none() | moments), max_size=4)


def test_without_a_hold_it_is_the_delay_after_the_second_yes():
    assert shredded_on(NOW, [], WEEK) == NOW + WEEK


def test_a_hold_keeps_until_its_end_and_not_at_it():
    hold = HoldFact(NOW + WEEK)
    assert held([hold], NOW + WEEK - SECOND)
    assert not held([hold], NOW + WEEK)


def test_a_lifted_hold_keeps_until_it_was_lifted_and_one_lifted_late_until_its_end():
    assert HoldFact(NOW + WEEK, NOW).until == NOW
    assert HoldFact(NOW, NOW + WEEK).until == NOW


@given(moments, holds)
def test_it_is_never_before_the_delay_after_anything_that_stood_against_it(agreed_at, found):
    due = shredded_on(agreed_at, found, WEEK)
    assert due >= agreed_at + WEEK
    assert not held(found, due - WEEK)
    assert not held(found, due)
    assert due - WEEK in {agreed_at, *(hold.until for hold in found)}


KEY, NONCE, RANDOM = bytes(range(32)), bytes(16), bytes(12)


@given(st.text(max_size=500))
def test_a_detail_opens_with_its_key_beside_its_entry(text):
    sealed = sealed_detail(KEY, NONCE, RANDOM, text)
    assert opened_detail(KEY, NONCE, sealed) == text
    assert len(text) < 4 or text.encode() not in sealed


@pytest.mark.parametrize(
    ("key", "nonce", "spoilt"),
    [(bytes(32), NONCE, False), (KEY, b"1" * 16, False), (KEY, NONCE, True)],
    ids=["another key", "another entry", "altered"],
)
def test_a_detail_opens_with_nothing_else(key, nonce, spoilt):
    sealed = sealed_detail(KEY, NONCE, RANDOM, "why")
    if spoilt:
        sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    with pytest.raises(ValueError, match="does not open"):
        opened_detail(key, nonce, sealed)
