"""What must agree with what: the epoch decides what came first, and events decide how a yes stands."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.vocabulary import Ending, Happening
from oversight import rules
from oversight.rules import Against, Instant, Move, No, Pause, State, Yes

DAY = timedelta(days=1)
T = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOW = Instant(at=T, everyone=3, scope=7)
YES = Yes(
    recorded_at=T - 9 * DAY,
    starts=T - 9 * DAY,
    ends=T + 9 * DAY,
    ended=None,
    pauses=(),
    categories=frozenset({1, 2}),
)


def own(epoch: int, at: datetime = T) -> No:
    return No(at, (Move(everyone=False, epoch=epoch),))


def everyones(epoch: int, at: datetime = T) -> No:
    return No(at, (Move(everyone=True, epoch=epoch),))


# A no, and whether it came before what stands at everyone's epoch 3 and the recipient's 7.
CAME_FIRST = {
    "it made the very epoch": (own(7), True),
    "it made an older one": (own(1), True),
    "it made the next one": (own(8), False),
    "it made the next one, and its clock is behind": (own(8, T - DAY), False),
    "it made the epoch, and its clock is ahead": (own(7, T + DAY), True),
    "everyone's epoch": (everyones(3), True),
    "everyone's next epoch, which the recipient has passed": (everyones(4), False),
    "several epochs, one of them before": (
        No(T, (Move(everyone=True, epoch=9), Move(everyone=False, epoch=7))),
        True,
    ),
    "no epoch is known, and it was before": (No(T - DAY), True),
    "no epoch is known, and it was after": (No(T + DAY), False),
}


@pytest.mark.parametrize("case", CAME_FIRST)
def test_the_epoch_decides_what_came_first(case):
    no, first = CAME_FIRST[case]
    assert rules.came_first(no, NOW) is first


@given(st.integers(0, 20), st.integers(0, 20), st.booleans())
def test_a_release_at_epoch_e_less_one_precedes_the_no_that_made_e(epoch, at, everyone):
    no = No(T, (Move(everyone=everyone, epoch=epoch),))
    instant = Instant(at=T, everyone=at, scope=at)
    assert rules.came_first(no, instant) == (at >= epoch)


def pause(no: No, until: datetime | None = None, *, known: bool = True, resumed=None) -> Pause:
    return Pause(no, until, known, resumed)


STANDS = {
    "a yes that runs": (YES, True),
    "it ends at this instant": (replace(YES, ends=T), False),
    "it begins at this instant": (replace(YES, starts=T), True),
    "it has not begun": (replace(YES, starts=T + DAY), False),
    "it was recorded later": (replace(YES, recorded_at=T + DAY), False),
    "the door's clock is a little ahead": (
        replace(YES, recorded_at=T + timedelta(seconds=2)),
        True,
    ),
    "it was stopped before": (replace(YES, ended=own(7)), False),
    "it was stopped after": (replace(YES, ended=own(8)), True),
    "it is paused": (replace(YES, pauses=(pause(own(7)),)), False),
    "it was paused after": (replace(YES, pauses=(pause(own(8)),)), True),
    "its pause has run out": (replace(YES, pauses=(pause(own(6), T),)), True),
    "its pause runs on": (replace(YES, pauses=(pause(own(6), T + DAY),)), False),
    "it was resumed before": (
        replace(YES, pauses=(pause(own(6), known=False, resumed=T - DAY),)),
        True,
    ),
    "it was resumed after": (
        replace(YES, pauses=(pause(own(6), known=False, resumed=T + DAY),)),
        False,
    ),
    "nobody knows how long it was paused": (
        replace(YES, pauses=(pause(own(6), known=False),)),
        True,
    ),
}


@pytest.mark.parametrize("case", STANDS)
def test_whether_a_yes_stood(case):
    yes, stood = STANDS[case]
    assert rules.stands(yes, NOW) is stood


ALLOWED = {
    "her yes names it": ([YES], [], {1}, True),
    "she never said yes": ([], [], {1}, False),
    "her yes names less": ([YES], [], {1, 3}, False),
    "two halves make no whole": (
        [replace(YES, categories=frozenset({1})), replace(YES, categories=frozenset({3}))],
        [],
        {1, 3},
        False,
    ),
    "a later yes after a stop": ([replace(YES, ended=own(5)), YES], [], {1}, True),
    "a standing no to all of it": ([YES], [Against(own(7), None, None)], {1}, False),
    "a standing no that came after": ([YES], [Against(own(8), None, None)], {1}, True),
    "a standing no to this": ([YES], [Against(own(7), None, 1)], {1}, False),
    "a standing no to something else": ([YES], [Against(own(7), None, 2)], {1}, True),
    "a no taken back before": ([YES], [Against(own(7), T - DAY, None)], {1}, True),
    "a no taken back after": ([YES], [Against(own(7), T + DAY, None)], {1}, False),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_whether_her_words_let_it_go(case):
    yeses, against, used, allowed = ALLOWED[case]
    assert rules.allowed(yeses, against, frozenset(used), NOW) is allowed


@pytest.mark.parametrize(
    ("yeses", "against", "said"),
    [
        ([YES], [], False),
        ([replace(YES, ended=own(7))], [], True),
        ([replace(YES, ended=own(8))], [], False),
        ([replace(YES, pauses=(pause(own(7)),))], [], True),
        ([], [Against(own(7), None, None)], True),
    ],
)
def test_whether_a_no_of_hers_came_before(yeses, against, said):
    assert rules.said_no(yeses, against, NOW) is said


GIVEN, PAUSED, RESUMED = Happening.GIVEN, Happening.PAUSED, Happening.RESUMED
STOPPED = Happening.WITHDRAWN
DERIVED = {
    "given": ([GIVEN], State()),
    "paused": ([GIVEN, PAUSED], State(paused_at=T + DAY)),
    "paused for longer": ([GIVEN, PAUSED, PAUSED], State(paused_at=T + 2 * DAY)),
    "resumed": ([GIVEN, PAUSED, RESUMED], State()),
    "stopped": ([GIVEN, STOPPED], State(T + DAY, Ending.WITHDRAWN)),
    "stopped while paused": (
        [GIVEN, PAUSED, STOPPED],
        State(T + 2 * DAY, Ending.WITHDRAWN, T + DAY),
    ),
    "replaced": ([GIVEN, Happening.SUPERSEDED], State(T + DAY, Ending.SUPERSEDED)),
    "nothing": ([], "its first event is no yes."),
    "stopped without a yes": ([STOPPED], "its first event is no yes."),
    "resumed after its end": ([GIVEN, STOPPED, RESUMED], "something happened to it after its end."),
    "given twice": ([GIVEN, GIVEN], "it was given twice."),
}


@pytest.mark.parametrize("case", DERIVED)
def test_events_lead_to_a_state(case):
    happenings, state = DERIVED[case]
    events = [(each, T + number * DAY) for number, each in enumerate(happenings)]
    assert rules.derived(events) == state


@given(st.lists(st.sampled_from([PAUSED, RESUMED]), max_size=8), st.sampled_from([*rules.ENDINGS]))
def test_nothing_may_follow_an_end_and_the_last_word_counts(between, end):
    told = [GIVEN, *between, end]
    events = [(each, T + number * DAY) for number, each in enumerate(told)]
    state = rules.derived(events)
    assert isinstance(state, State)
    assert (state.ending, state.ended_at) == (rules.ENDINGS[end], events[-1][1])
    assert (state.paused_at is None) == (not between or between[-1] == RESUMED)
    assert isinstance(rules.derived([*events, (PAUSED, T)]), str)
    assert isinstance(rules.derived(events[1:]), str)


@pytest.mark.parametrize("happening", list(Happening))
def test_each_happening_has_its_own_type_of_entry(happening):
    types = rules.entries_of(happening)
    assert f"consent:{happening.value}" in set(types)
    assert len(types) == (2 if happening in {GIVEN, Happening.SUPERSEDED} else 1)
