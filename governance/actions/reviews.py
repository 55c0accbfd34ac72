"""A board answers: ballots, recusals, the decision, and the silence that is a no."""

from datetime import datetime
from typing import assert_never

from django.db import transaction

from audit.vocabulary import Decision as Answer
from audit.vocabulary import EntryType, Via
from common.errors import NotPermitted, RuleBroken
from common.inputs import of, taking
from common.words import joined
from common.words import sentence as _
from governance import permissions
from governance.actions import details, trail
from governance.models import AccessRequest, Ballot, Decision, Recusal, Seat, User
from governance.queries import boards, people, policies, requests
from governance.rules import Ground, Outcome, RequestVerb, Verdict, excluded, request_after, verdict
from governance.vocabulary import RequestState, Vote

GROUNDS = {
    Ground.NO_QUORUM: _("Too few seats have voted yet."),
    Ground.TOO_FEW_SURVIVORS: _("Too few survivor seats have voted yet."),
    Ground.THRESHOLD_NOT_REACHED: _("Too few have said yes yet, and others may still vote."),
}


@taking(reason=of(Ballot, "reason", lines=True, name=_("Your reason")))
@transaction.atomic
def vote(
    *,
    request: AccessRequest,
    seat: Seat,
    vote: Vote,
    reason: str,
    by: User,
    at: datetime,
    via: Via,
) -> Ballot:
    """One seat says yes, no or “I need to know more”, once and with a reason."""
    found = requests.locked(request)
    _check_has_say(found, seat, by=by, at=at)
    why = reason.strip()
    ballot = Ballot.objects.create(
        request=found, seat=seat, vote=Vote(vote), reason=why, cast_at=at
    )
    trail.record(
        type=EntryType.BALLOT_CAST,
        by=by,
        at=at,
        via=via,
        resource=f"{found.ref}/seat-{seat.pk}",
        purpose=found.purpose.code,
        **details.sealed(by=by, vote=Vote(vote).value, reason=why),
    )
    return ballot


@transaction.atomic
def recuse(*, request: AccessRequest, seat: Seat, by: User, at: datetime, via: Via) -> Recusal:
    """One seat steps back from this request. No reason is asked; a vote that was cast stands."""
    found = requests.locked(request)
    _check_has_say(found, seat, by=by, at=at)
    recusal = Recusal.objects.create(request=found, seat=seat, recused_at=at)
    trail.record(
        type=EntryType.BALLOT_RECUSED,
        by=by,
        at=at,
        via=via,
        resource=f"{found.ref}/seat-{seat.pk}",
        purpose=found.purpose.code,
    )
    return recusal


@transaction.atomic
def decide(*, request: AccessRequest, by: User, at: datetime, via: Via) -> Decision:
    """What the board has answered is established, once; RuleBroken while it has not answered."""
    found = requests.locked(request)
    permissions.check_can_decide(by, found.dataset.board)
    _check_in_time(found, at)
    review = boards.review(found, at)
    _check_may_establish(review, by=by, at=at)
    answer = verdict(
        charter=review.charter, seats=review.seats, ballots=review.ballots, parties=review.parties
    )
    match answer.outcome:
        case Outcome.APPROVED:
            verb, outcome = RequestVerb.APPROVE, Answer.PERMITTED
        case Outcome.REFUSED:
            verb, outcome = RequestVerb.REFUSE, Answer.REFUSED
        case Outcome.NOT_YET:
            raise _not_yet(answer)
        case _:
            assert_never(answer.outcome)
    found.state = request_after(found.state, verb)
    found.save(update_fields=["state"])
    decision = Decision.objects.create(
        request=found,
        charter_id=review.charter_id,
        outcome=found.state,
        yes=answer.yes,
        no=answer.no,
        survivors_present=answer.survivors_present,
        decided_at=at,
    )
    trail.record(
        type=EntryType.REQUEST_DECIDED,
        by=by,
        at=at,
        via=via,
        resource=found.ref,
        purpose=found.purpose.code,
        decision=outcome,
        reason=answer.ground or "",
        policy=policies.of_charter(decision.charter),
        **details.committed_to(requests.answered(decision)),
    )
    return decision


def lapse_unanswered(*, at: datetime, via: Via = Via.TASK) -> list[AccessRequest]:
    """The clock puts away what no board has answered in time. It was a no at that very second,
    whether or not this has run; nobody's vote is counted, so there is no Decision."""
    return [
        request
        for overdue in requests.overdue(at).order_by("pk")
        if (request := _lapse(overdue, at=at, via=via)) is not None
    ]


@transaction.atomic
def _lapse(request: AccessRequest, *, at: datetime, via: Via) -> AccessRequest | None:
    found = requests.locked(request)
    if found.state != RequestState.SUBMITTED:
        return None
    found.state = request_after(found.state, RequestVerb.LAPSE)
    found.save(update_fields=["state"])
    trail.record(
        type=EntryType.REQUEST_LAPSED,
        by=None,
        at=at,
        via=via,
        resource=found.ref,
        purpose=found.purpose.code,
        decision=Answer.REFUSED,
        reason="silence",
    )
    return found


def _check_has_say(request: AccessRequest, seat: Seat, *, by: User, at: datetime) -> None:
    permissions.check_can_sit(by, request.dataset.board)
    if seat.user_id != by.pk or seat.board_id != request.dataset.board_id:
        raise NotPermitted("not_this_seat", _("You vote with your own seat on this board only."))
    _check_in_time(request, at)
    review = boards.review(request, at)
    fact = next((fact for fact in review.seats if fact.seat == seat.pk), None)
    if fact is None or fact.ended:
        raise RuleBroken("seat_ended", _("This seat has ended."))
    if fact.recused:
        raise RuleBroken("recused", _("This seat has stepped back from this request."))
    if excluded(fact, review.parties):
        raise RuleBroken(
            "seat_of_a_party", _("Nobody from the requester or the holder has a say in this.")
        )
    if any(ballot.seat == seat.pk for ballot in review.ballots):
        raise RuleBroken("voted", _("This seat has voted on this request already."))


def _check_may_establish(review: boards.Review, *, by: User, at: datetime) -> None:
    """When an answer is established can decide what it is: whoever has no say has none in that."""
    own = set(Seat.objects.filter(user=by).values_list("pk", flat=True))
    barred = any(
        excluded(fact, review.parties)
        for fact in review.seats
        if fact.seat in own and not fact.ended
    )
    if barred or people.works_at_any(by, review.parties, at):
        raise NotPermitted(
            "no_say", _("Who has stepped back, or is of either party, has no say in this.")
        )


def _check_in_time(request: AccessRequest, at: datetime) -> None:
    if request.state != RequestState.SUBMITTED:
        raise RuleBroken(
            "request_state",
            _(
                "This request is %(state)s, not before a board.",
                state=RequestState(request.state).label,
            ),
        )
    if request.answer_by is None or request.answer_by <= at:
        raise RuleBroken("answer_time_over", _("The time to answer is over: silence is a no."))


def _not_yet(answer: Verdict) -> RuleBroken:
    ground = answer.ground or Ground.NO_QUORUM
    return RuleBroken(ground.value, joined([_("The board has not answered yet."), GROUNDS[ground]]))
