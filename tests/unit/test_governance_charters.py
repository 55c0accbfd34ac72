"""The charter's arithmetic: one table by hand, and properties over generated boards."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from governance.rules import (
    BallotFact,
    CharterFact,
    Ground,
    Outcome,
    SeatFact,
    excluded,
    verdict,
)
from governance.vocabulary import Vote

REQUESTER, HOLDER, ELSEWHERE = 1, 2, 3
PARTIES = frozenset({REQUESTER, HOLDER})
SIGNS = {"y": Vote.YES, "n": Vote.NO, "m": Vote.MORE}


def board(spelled: str) -> tuple[list[SeatFact], list[BallotFact]]:
    """`sy` is a survivor seat that said yes, `on` another that said no, `s.` one still open."""
    seats, ballots = [], []
    for number, each in enumerate(spelled.split()):
        seat, vote = each[0], each[1]
        seats.append(SeatFact(seat=number, survivor=seat == "s"))
        if vote != ".":
            ballots.append(BallotFact(seat=number, vote=SIGNS[vote]))
    return seats, ballots


THREE = CharterFact(quorum=3, survivor_minimum=1, threshold_percent=60)
TABLE = [
    (THREE, "sy oy oy", Outcome.APPROVED, None),
    (THREE, "sy oy", Outcome.NOT_YET, Ground.NO_QUORUM),
    (THREE, "sy oy o.", Outcome.NOT_YET, Ground.NO_QUORUM),
    (THREE, "s. oy oy oy", Outcome.NOT_YET, Ground.TOO_FEW_SURVIVORS),
    (THREE, "oy oy oy", Outcome.NOT_YET, Ground.TOO_FEW_SURVIVORS),
    (THREE, "sn oy oy", Outcome.APPROVED, None),
    (THREE, "sy on on", Outcome.REFUSED, Ground.THRESHOLD_NOT_REACHED),
    (THREE, "sy on oy on", Outcome.REFUSED, Ground.THRESHOLD_NOT_REACHED),
    (THREE, "sy on oy on o.", Outcome.NOT_YET, Ground.THRESHOLD_NOT_REACHED),
    (THREE, "sy on oy on on o.", Outcome.REFUSED, Ground.THRESHOLD_NOT_REACHED),
    (THREE, "sm oy oy", Outcome.APPROVED, None),
    (THREE, "sm om oy", Outcome.APPROVED, None),
    (THREE, "sm om om", Outcome.REFUSED, Ground.THRESHOLD_NOT_REACHED),
    (THREE, "sm om om o.", Outcome.NOT_YET, Ground.THRESHOLD_NOT_REACHED),
    (replace(THREE, survivor_minimum=2), "sy oy oy", Outcome.NOT_YET, Ground.TOO_FEW_SURVIVORS),
    (replace(THREE, survivor_minimum=2), "sy sn oy", Outcome.APPROVED, None),
    (replace(THREE, threshold_percent=67), "sy oy on", Outcome.REFUSED, None),
    (replace(THREE, threshold_percent=66), "sy oy on", Outcome.APPROVED, None),
    (replace(THREE, threshold_percent=100), "sy oy on o.", Outcome.REFUSED, None),
    (replace(THREE, quorum=1), "sy", Outcome.APPROVED, None),
    (THREE, "", Outcome.NOT_YET, Ground.NO_QUORUM),
]


@pytest.mark.parametrize(("charter", "spelled", "outcome", "ground"), TABLE)
def test_the_board_has_answered_so(charter, spelled, outcome, ground):
    seats, ballots = board(spelled)
    answer = verdict(charter=charter, seats=seats, ballots=ballots, parties=PARTIES)
    assert answer.outcome == outcome
    if ground is not None:
        assert answer.ground == ground
    assert (answer.ground is None) == (outcome == Outcome.APPROVED)


@pytest.mark.parametrize(
    ("seat", "has_no_say"),
    [
        (SeatFact(seat=1), False),
        (SeatFact(seat=1, organisations=frozenset({ELSEWHERE})), False),
        (SeatFact(seat=1, organisations=frozenset({REQUESTER})), True),
        (SeatFact(seat=1, organisations=frozenset({HOLDER})), True),
        (SeatFact(seat=1, organisations=frozenset({ELSEWHERE, HOLDER})), True),
        (SeatFact(seat=1, recused=True), True),
        (SeatFact(seat=1, ended=True), True),
    ],
)
def test_who_has_no_say(seat, has_no_say):
    assert excluded(seat, PARTIES) is has_no_say


charters = st.builds(
    CharterFact,
    quorum=st.integers(1, 4),
    survivor_minimum=st.integers(1, 2),
    threshold_percent=st.integers(51, 100),
)
votes = st.lists(st.tuples(st.booleans(), st.sampled_from("yyynm.")), max_size=7)


@st.composite
def boards(draw):
    spelled = " ".join(("s" if survivor else "o") + vote for survivor, vote in draw(votes))
    return board(spelled)


def answered(charter, seats, ballots):
    return verdict(charter=charter, seats=seats, ballots=ballots, parties=PARTIES)


@given(charters, boards())
def test_it_is_an_approval_exactly_where_every_line_of_the_charter_is_kept(charter, made):
    seats, ballots = made
    survivors = {seat.seat for seat in seats if seat.survivor}
    said = [ballot.vote for ballot in ballots]
    decided = said.count(Vote.YES) + said.count(Vote.NO)
    kept = (
        len(said) >= charter.quorum
        and sum(ballot.seat in survivors for ballot in ballots) >= charter.survivor_minimum
        and decided > 0
        and Fraction(said.count(Vote.YES), decided) >= Fraction(charter.threshold_percent, 100)
    )
    assert (answered(charter, seats, ballots).outcome == Outcome.APPROVED) is kept


@given(charters, boards())
def test_a_refusal_is_one_that_no_vote_to_come_could_change(charter, made):
    seats, ballots = made
    voted = {ballot.seat for ballot in ballots}
    still_open = [seat.seat for seat in seats if seat.seat not in voted]
    outcomes = {
        answered(charter, seats, [*ballots, *map(BallotFact, still_open, coming)]).outcome
        for coming in product(Vote, repeat=len(still_open))
    }
    answer = answered(charter, seats, ballots)
    if answer.outcome == Outcome.REFUSED:
        assert outcomes == {Outcome.REFUSED}
    if answer.ground == Ground.THRESHOLD_NOT_REACHED and answer.outcome == Outcome.NOT_YET:
        assert Outcome.APPROVED in outcomes


@given(charters, boards(), st.randoms())
def test_the_order_of_votes_and_seats_says_nothing(charter, made, random):
    seats, ballots = list(made[0]), list(made[1])
    before = answered(charter, seats, ballots)
    random.shuffle(seats)
    random.shuffle(ballots)
    assert answered(charter, seats, ballots) == before


@given(charters, boards())
def test_one_more_yes_never_undoes_an_approval_and_one_more_no_never_makes_one(charter, made):
    seats, ballots = [*made[0], SeatFact(seat=99)], made[1]
    answer = answered(charter, seats, ballots)
    with_yes = answered(charter, seats, [*ballots, BallotFact(99, Vote.YES)])
    with_no = answered(charter, seats, [*ballots, BallotFact(99, Vote.NO)])
    event(f"{answer.outcome} {answer.ground}")
    if answer.outcome == Outcome.APPROVED:
        assert with_yes.outcome == Outcome.APPROVED
    if answer.ground == Ground.THRESHOLD_NOT_REACHED:
        assert with_no.outcome != Outcome.APPROVED
    if answer.outcome == Outcome.REFUSED:
        assert with_yes.outcome == Outcome.REFUSED


@given(
    charters,
    boards(),
    st.sampled_from([{"ended": True}, {"recused": True}, {"organisations": PARTIES}]),
    st.sampled_from(list(Vote)),
    st.booleans(),
)
def test_the_vote_of_a_seat_without_a_say_counts_for_nothing(charter, made, why, vote, survivor):
    seats, ballots = made
    outside = SeatFact(seat=99, survivor=survivor, **why)
    assert answered(charter, [*seats, outside], [*ballots, BallotFact(99, vote)]) == answered(
        charter, seats, ballots
    )


@given(charters, boards())
def test_a_vote_without_a_seat_counts_for_nothing(charter, made):
    seats, ballots = made
    assert answered(charter, seats, [*ballots, BallotFact(99, Vote.YES)]) == answered(
        charter, seats, ballots
    )
