"""Days and working hours are those of the place, on every page and also when its clocks change; what is
stored and what machines are told is UTC."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.shapes import Instant, Moment
from audit.actions import sequence
from audit.queries import search as entries
from audit.queries.search import Sought
from common.days import begins, day_of, here
from common.errors import BadInput
from consent.models import Consent
from desk.forms.deeds import period
from desk.templatetags import desk as words
from desk.views.audit.reading import _days
from governance.models import Agreement
from oversight.queries import search
from oversight.rules import anomalies
from oversight.rules.anomalies import CLOSES, OPENS
from oversight.vocabulary import Wanted
from portal.templatetags import plain
from tests.integration.audit_log import happened, log_keys
from tests.integration.consent_world import build
from tests.integration.test_consent_import import bring, paper

__all__ = ["log_keys"]

# A place and the day on which its clocks go forward or back in the year of the tests: by night, at
# midnight forward (00:00 is not there) and at midnight back (00:00 is there twice), and one by no whole hour.
CHANGES = [
    ("America/New_York", date(2026, 3, 8), 23),
    ("America/New_York", date(2026, 11, 1), 25),
    ("Africa/Cairo", date(2026, 4, 24), 23),
    ("America/Havana", date(2026, 11, 1), 25),
    ("Asia/Kathmandu", date(2026, 11, 1), 24),
]
EVENING = datetime(2026, 11, 3, 1, 30, tzinfo=UTC)  # the evening of the second in New York


@pytest.mark.parametrize(("place", "day", "hours"), CHANGES)
def test_a_day_begins_where_the_one_before_ends(
    settings: Any, place: str, day: date, hours: int
) -> None:
    settings.TIME_ZONE = place
    first, last = begins(day), begins(day + timedelta(days=1))
    assert last - first == timedelta(hours=hours)
    assert day_of(first) == day == day_of(last - timedelta.resolution)
    assert day_of(first - timedelta.resolution) == day - timedelta(days=1)


@pytest.mark.database
@pytest.mark.django_db
@pytest.mark.parametrize(("place", "day", "_hours"), CHANGES)
def test_the_log_is_counted_by_the_days_of_the_place(
    settings: Any, log_keys: Any, place: str, day: date, _hours: int
) -> None:
    """Every half hour of four days around the change: each entry is counted once, on the day and as
    early or late as a clock on the wall there would have said."""
    settings.TIME_ZONE, zone = place, ZoneInfo(place)
    first = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    moments = [first + timedelta(minutes=30 * step) for step in range(4 * 48)]
    for number, at in enumerate(moments):
        happened(number, at=at)
    sequence()
    expected = Counter(day_of(at) for at in moments)
    late = Counter(day_of(at) for at in moments if anomalies.off_hours(at.astimezone(zone)))
    assert len(set(late.values())) > 1, "weekends and working days"
    hours = {"zone": zone, "opens": OPENS, "closes": CLOSES}
    told = entries.days(Sought(type="release:asked"), **hours)
    assert {each.day: each.entries for each in told} == expected
    assert {each.day: each.off_hours for each in told} == {each: late[each] for each in expected}
    until = moments[-1] + timedelta(minutes=1)
    counted = entries.deeds(["release:asked"], first, until, **hours)
    assert {day: (count, off) for _actor, day, count, _refused, off in counted} == {
        each: (expected[each], late[each]) for each in expected
    }


def test_pages_tell_days_and_times_of_the_place_and_machines_are_told_utc(settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    assert words.day(EVENING) == "Nov. 2, 2026"
    assert words.moment(EVENING) == "Nov. 2, 2026, 20:30 EST"
    assert plain.day(EVENING) == "2 November 2026"
    assert plain.moment(EVENING) == "2 November 2026, 20:30 (EST)"
    assert words.day(date(2026, 11, 3)) == "Nov. 3, 2026", "a day that is kept as one stays it"
    assert Moment().to_representation(EVENING) == "2026-11-03T01:30:00Z"
    assert Instant().run_validation("2026-11-02T20:30:00-05:00") == EVENING


def test_a_day_that_somebody_writes_is_a_day_of_the_place(settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    change = date(2026, 11, 1)
    long = Agreement(starts=EVENING - timedelta(days=90), ends=EVENING + timedelta(days=90))
    first, last = period(change, change, long, EVENING - timedelta(days=9))
    assert (first, last) == (
        datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 11, 2, 5, tzinfo=UTC),
    )  # fmt: skip
    assert (first.tzinfo, last.tzinfo) == (UTC, UTC)
    today, _last = period(date(2026, 11, 2), date(2026, 11, 9), long, EVENING)
    assert today == EVENING, "not what is over of the day"


def test_a_question_that_was_kept_comes_back_with_its_days(settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    wanted = Wanted(since=begins(date(2026, 10, 31)), until=begins(date(2026, 11, 2)))
    kept = search.asked(wanted)
    assert kept == {"since": "2026-10-31T04:00+00:00", "until": "2026-11-02T05:00+00:00"}
    assert _days(kept) == {"since": "2026-10-31", "until": "2026-11-01"}


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_a_paper_is_of_the_day_that_stands_on_it(settings: Any, place: str) -> None:
    """Neither a day earlier nor later on her page, and as many days long as the purpose may take."""
    settings.TIME_ZONE = place
    world = build()
    signed = here(world.now).date() - timedelta(days=2)
    ends = signed + timedelta(days=world.purpose.longest_days)
    bring(world, paper(world, signed_on=signed.isoformat(), ends_on=ends.isoformat()))
    consent = Consent.objects.get()
    assert (day_of(consent.signed_at), day_of(consent.ends)) == (signed, ends)
    assert consent.record_until == signed


@pytest.mark.django_db
def test_a_yes_said_in_the_evening_reaches_to_the_end_of_that_day(settings: Any) -> None:
    settings.TIME_ZONE = "America/Los_Angeles"
    world = build()
    evening = begins(here(world.now).date()) - timedelta(hours=2)
    assert world.give(signed_at=evening).record_until == here(evening).date() != evening.date()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("place", "column"), [("Asia/Tokyo", "signed_on"), ("America/Los_Angeles", "categories")]
)
def test_the_first_and_the_last_day_of_all_are_refused_in_words(
    settings: Any, place: str, column: str
) -> None:
    """In the east the first one has no beginning that could be told in UTC."""
    settings.TIME_ZONE = place
    world = build()
    with pytest.raises(BadInput, match=f"column {column}:"):
        bring(world, paper(world, signed_on="0001-01-01", ends_on="9999-12-31"))
