"""From an agreement to the board's answer: what is possible, and what is refused."""

from datetime import timedelta

import pytest
from django.db import connection

from audit.models import Entry
from audit.vocabulary import Decision as Answer
from audit.vocabulary import EntryType, Via
from common.errors import BadInput, NotPermitted, RuleBroken
from governance.actions import agreements, boards, catalogue, memberships, requests, reviews
from governance.models import (
    AccessRequest,
    Agreement,
    AgreementSignature,
    Ballot,
    Charter,
    Decision,
)
from governance.queries import agreements as agreement_readings
from governance.queries import requests as request_readings
from governance.queries.agreements import content_digest
from governance.vocabulary import AgreementState, RequestState, Role, SeatKind, Vote
from tests.append_only import triggers_lifted
from tests.integration.governance_world import LATER, NOW, build, member, staff, stamp

pytestmark = pytest.mark.django_db


def refusal(code, deed, **given):
    with pytest.raises((RuleBroken, BadInput, NotPermitted)) as refused:
        deed(**given)
    assert refused.value.code == code, refused.value.message


def test_a_request_goes_from_draft_to_approval_and_leaves_its_entries():
    world = build()
    request = world.approved()
    decision = Decision.objects.get(request=request)
    assert request.state == decision.outcome == RequestState.APPROVED
    assert (decision.yes, decision.no, decision.survivors_present) == (2, 0, 1)
    assert decision.charter == world.charter
    types = Entry.objects.filter(resource__startswith=request.ref).order_by("pk")
    assert list(types.values_list("type", "decision")) == [
        (EntryType.REQUEST_DRAFTED, Answer.DONE),
        (EntryType.REQUEST_SUBMITTED, Answer.DONE),
        (EntryType.BALLOT_CAST, Answer.DONE),
        (EntryType.BALLOT_CAST, Answer.DONE),
        (EntryType.REQUEST_DECIDED, Answer.PERMITTED),
    ]
    assert set(types.values_list("purpose", flat=True)) == {"research"}


def test_a_refusal_is_a_decision_too():
    world = build()
    request = world.submitted()
    for seat in world.seats:
        world.vote(request, seat, Vote.NO)
    reviews.decide(request=request, **stamp(world.seats[0].user))
    request.refresh_from_db()
    assert request.state == RequestState.REFUSED
    entry = Entry.objects.get(type=EntryType.REQUEST_DECIDED)
    assert (entry.decision, entry.reason) == (Answer.REFUSED, "threshold_not_reached")


def test_nothing_is_decided_before_the_charter_is_met():
    world = build()
    request = world.submitted()
    by = stamp(world.seats[0].user)
    world.vote(request, world.seats[1])
    refusal("no_quorum", reviews.decide, request=request, **by)
    world.vote(request, world.seats[2])
    refusal("too_few_survivors", reviews.decide, request=request, **by)
    world.vote(request, world.seats[0])
    assert reviews.decide(request=request, **by).outcome == RequestState.APPROVED


def test_what_is_decided_is_not_decided_or_voted_on_again():
    world = build()
    request = world.approved()
    refusal("request_state", reviews.decide, request=request, **stamp(world.seats[0].user))
    last = world.seats[2]
    refusal(
        "request_state", reviews.vote, request=request, seat=last, vote=Vote.NO, reason="No.",
        **stamp(last.user),
    )  # fmt: skip
    assert Decision.objects.count() == 1


@pytest.mark.parametrize("tied_to", ["holder", "recipient"])
@pytest.mark.parametrize("how", ["member", "seat"])
def test_nobody_of_the_requester_or_the_holder_has_a_say(tied_to, how):
    world = build()
    party = getattr(world, tied_to)
    admin = world.holder_admin if tied_to == "holder" else world.recipient_admin
    if how == "member":
        user = member(admin, "two-hats-19", party, Role.AUDITOR)
    else:
        user = staff(world.convener, "two-hats-19")
    seat = boards.fill_seat(
        board=world.board,
        user=user,
        kind=SeatKind.RESEARCH,
        organisation=party if how == "seat" else None,
        **stamp(world.convener),
    )
    request = world.submitted()
    case = {"request": request, "seat": seat, **stamp(user)}
    refusal("seat_of_a_party", reviews.vote, vote=Vote.YES, reason="Ours.", **case)
    assert request not in request_readings.to_answer(user, NOW)
    assert request in request_readings.to_answer(world.seats[0].user, NOW)


@pytest.mark.parametrize("who", ["of the requester", "of the holder", "stepped back", "convener"])
def test_whoever_has_no_say_does_not_choose_the_moment_of_the_answer_either(who):
    world = build()
    request = world.submitted()
    for seat in world.seats[:2]:
        world.vote(request, seat)
    third = world.seats[2]
    given = {"role": Role.AUDITOR, "user": third.user}
    if who == "of the requester":
        memberships.grant(organisation=world.recipient, **given, **stamp(world.recipient_admin))
    elif who == "of the holder":
        memberships.grant(organisation=world.holder, **given, **stamp(world.holder_admin))
    elif who == "stepped back":
        reviews.recuse(request=request, seat=third, **stamp(third.user))
    else:
        given["user"] = world.convener
        memberships.grant(organisation=world.holder, **given, **stamp(world.holder_admin))
    refusal("no_say", reviews.decide, request=request, **stamp(given["user"]))
    reviews.decide(request=request, **stamp(world.seats[0].user))
    assert Decision.objects.get(request=request).outcome == RequestState.APPROVED


def test_a_paused_dataset_is_let_run_again_by_nobody_of_its_holder():
    world = build()
    catalogue.pause_dataset(dataset=world.dataset, **stamp(world.steward))
    third = world.seats[2].user
    memberships.grant(
        user=third, organisation=world.holder, role=Role.AUDITOR, **stamp(world.holder_admin)
    )
    refusal(
        "may_not_resume_dataset", catalogue.resume_dataset, dataset=world.dataset, **stamp(third)
    )
    catalogue.resume_dataset(dataset=world.dataset, **stamp(world.seats[0].user))


def test_a_vote_no_longer_counts_once_the_voter_joins_the_requester():
    world = build()
    request = world.submitted()
    for seat in world.seats[:2]:
        world.vote(request, seat)
    joined = {"organisation": world.recipient, "role": Role.AUDITOR}
    memberships.grant(user=world.seats[1].user, **joined, **stamp(world.recipient_admin))
    refusal("no_quorum", reviews.decide, request=request, **stamp(world.seats[0].user))


def test_a_seat_that_stepped_back_does_not_vote_and_one_that_voted_does_not_step_back():
    world = build()
    request = world.submitted()
    first, second, _ = world.seats
    reviews.recuse(request=request, seat=first, **stamp(first.user))
    case = {"request": request, "seat": first, **stamp(first.user)}
    refusal("recused", reviews.vote, vote=Vote.YES, reason="Still.", **case)
    refusal("recused", reviews.recuse, **case)
    world.vote(request, second)
    refusal("voted", reviews.recuse, request=request, seat=second, **stamp(second.user))
    assert request not in request_readings.to_answer(first.user, NOW)
    assert request not in request_readings.to_answer(second.user, NOW)


def test_a_seat_votes_once_with_a_reason_and_only_by_the_one_who_fills_it():
    world = build()
    request = world.submitted()
    seat, other, _ = world.seats
    case = {"request": request, "vote": Vote.YES}
    refusal("bad_reason", reviews.vote, seat=seat, reason=" ", **case, **stamp(seat.user))
    refusal("not_this_seat", reviews.vote, seat=other, reason="x", **case, **stamp(seat.user))
    refusal("may_not_sit", reviews.vote, seat=seat, reason="x", **case, **stamp(world.convener))
    world.vote(request, seat)
    refusal("voted", reviews.vote, seat=seat, reason="Again.", **case, **stamp(seat.user))
    assert Ballot.objects.count() == 1


def test_a_seat_of_another_board_has_no_say_here():
    world = build()
    request = world.submitted()
    elsewhere = boards.create(name="Summer Board", **stamp(world.convener))
    mine = world.seats[0]
    there = boards.fill_seat(
        board=elsewhere, user=mine.user, kind=SeatKind.LEGAL, **stamp(world.convener)
    )
    case = {"request": request, "vote": Vote.YES, "reason": "From afar."}
    refusal("not_this_seat", reviews.vote, seat=there, **case, **stamp(mine.user))


def test_an_ended_seat_neither_votes_nor_counts():
    world = build()
    request = world.submitted()
    survivor, second, third = world.seats
    for seat in (survivor, second):
        world.vote(request, seat)
    boards.end_seat(seat=survivor, by=world.convener, at=LATER, via=Via.DESK)
    later = {"at": LATER + timedelta(hours=1), "via": Via.DESK}
    case = {"request": request, "seat": survivor, "by": survivor.user, **later}
    refusal("may_not_sit", reviews.vote, vote=Vote.YES, reason="Still.", **case)
    world.vote(request, third)
    refusal("too_few_survivors", reviews.decide, request=request, by=second.user, **later)


def test_silence_is_a_no_at_that_very_second():
    world = build()
    request = world.submitted()
    assert request.answer_by == NOW + timedelta(days=14)
    for seat in world.seats[:2]:
        world.vote(request, seat)
    case = {"request": request, "by": world.seats[0].user, "via": Via.DESK}
    refusal("answer_time_over", reviews.decide, at=request.answer_by, **case)
    last = {"seat": world.seats[2], "vote": Vote.YES, "reason": "At last."}
    late = {"request": request, "by": world.seats[2].user, "at": request.answer_by}
    refusal("answer_time_over", reviews.vote, via=Via.DESK, **last, **late)
    assert reviews.lapse_unanswered(at=request.answer_by - timedelta(seconds=1)) == []
    assert reviews.lapse_unanswered(at=request.answer_by) == [request]
    assert reviews.lapse_unanswered(at=request.answer_by) == []
    request.refresh_from_db()
    assert request.state == RequestState.LAPSED
    assert not Decision.objects.exists()
    entry = Entry.objects.get(type=EntryType.REQUEST_LAPSED)
    assert (entry.actor, entry.decision, entry.reason) == ("clock", Answer.REFUSED, "silence")
    refusal("request_state", reviews.decide, at=NOW, **case)


def test_a_second_before_the_time_is_over_the_board_can_still_approve():
    world = build()
    request = world.submitted()
    for seat in world.seats[:2]:
        world.vote(request, seat)
    at = request.answer_by - timedelta(seconds=1)
    case = {"request": request, "by": world.seats[0].user, "via": Via.DESK}
    assert reviews.decide(at=at, **case).outcome == RequestState.APPROVED


def test_a_request_is_judged_by_the_charter_it_was_handed_in_under():
    world = build()
    request = world.submitted()
    boards.adopt_charter(
        board=world.board,
        quorum=1,
        survivor_minimum=1,
        threshold_percent=51,
        answer_days=100,
        by=world.convener,
        at=LATER,
        via=Via.DESK,
    )
    assert Charter.objects.count() == 2
    world.vote(request, world.seats[0])
    case = {"request": request, "by": world.seats[0].user, "via": Via.DESK}
    refusal("no_quorum", reviews.decide, at=LATER + timedelta(hours=1), **case)


def test_a_request_with_a_fault_is_not_handed_in():
    world = build()
    request = world.draft(fields=[world.fields[2]])
    refusal("narrative_field", requests.submit, request=request, **stamp(world.requester))
    request.refresh_from_db()
    assert (request.state, request.submitted_at) == (RequestState.DRAFT, None)
    empty = world.draft(fields=[])
    refusal("no_fields", requests.submit, request=empty, **stamp(world.requester))


def test_the_facts_of_a_request_are_read_from_what_it_rests_on():
    world = build()
    dataset = world.dataset
    paused = world.draft()
    catalogue.pause_dataset(dataset=dataset, **stamp(world.steward))
    refusal("dataset_not_active", requests.submit, request=paused, **stamp(world.requester))
    catalogue.resume_dataset(dataset=dataset, **stamp(world.seats[0].user))
    agreements.suspend(agreement=world.agreement, **stamp(world.holder_admin))
    refusal("agreement_not_in_force", requests.submit, request=paused, **stamp(world.requester))
    agreements.resume(agreement=world.agreement, **stamp(world.holder_admin))
    catalogue.pause_purpose(purpose=world.purpose, **stamp(world.convener))
    refusal("purpose_not_open", requests.submit, request=paused, **stamp(world.requester))
    catalogue.resume_purpose(purpose=world.purpose, **stamp(world.convener))
    assert requests.submit(request=paused, **stamp(world.requester)).answer_by is not None
    refusal("request_state", requests.submit, request=paused, **stamp(world.requester))


def test_without_a_charter_no_board_is_asked():
    world = build()
    before = NOW - timedelta(days=1)
    request = world.draft(starts=NOW, at=before)
    case = {"request": request, "by": world.requester, "at": before, "via": Via.DESK}
    refusal("no_charter", requests.submit, **case)


def test_a_request_is_seen_by_those_it_concerns_and_a_draft_by_nobody_else():
    world = build()
    outsider = staff(world.convener, "grey-otter-77")
    draft = world.draft()
    see = request_readings.visible_to
    assert [draft] == list(see(world.requester, NOW))
    for user in (world.steward, world.seats[0].user, outsider, world.convener):
        assert not see(user, NOW).exists()
    requests.submit(request=draft, **stamp(world.requester))
    for user in (world.requester, world.steward, world.seats[0].user):
        assert [draft] == list(see(user, NOW))
    for user in (outsider, world.convener):
        assert not see(user, NOW).exists()


def test_an_agreement_is_in_force_with_the_second_signature_only():
    world = build(signed=False)
    agreement = world.agreement
    assert world.agreement in agreement_readings.to_sign(world.holder_admin, NOW)
    one = {"agreement": agreement, "organisation": world.holder, **stamp(world.holder_admin)}
    assert agreements.sign(**one).state == AgreementState.DRAFT
    assert world.agreement not in agreement_readings.to_sign(world.holder_admin, NOW)
    refusal("already_signed", agreements.sign, **one)
    assert not agreement_readings.in_force(NOW).exists()
    other = {"agreement": agreement, "organisation": world.recipient}
    refusal("may_not_administer", agreements.sign, **other, **stamp(world.holder_admin))
    stranger = {"agreement": agreement, "organisation": world.community}
    refusal("not_a_party", agreements.sign, **stranger, **stamp(world.convener))
    signed = agreements.sign(**other, **stamp(world.recipient_admin))
    assert signed.state == AgreementState.IN_FORCE
    assert list(agreement_readings.in_force(NOW)) == [agreement]
    assert list(agreement_readings.in_force(agreement.ends)) == []
    digests = set(AgreementSignature.objects.values_list("digest", flat=True))
    assert digests == {content_digest(signed)}


def test_the_digest_of_an_agreement_stands_for_every_part_of_it():
    agreement = build(signed=False).agreement
    before = content_digest(agreement)
    changed = {
        "title": "Other",
        "obligations": [],
        "starts": agreement.starts + timedelta(hours=1),
        "ends": agreement.ends + timedelta(hours=1),
        "ref": "agr-2222222222222",
    }
    found = {before}
    for name, value in changed.items():
        was = getattr(agreement, name)
        setattr(agreement, name, value)
        found.add(content_digest(agreement))
        setattr(agreement, name, was)
    agreement.holder, agreement.recipient = agreement.recipient, agreement.holder
    found.add(content_digest(agreement))
    agreement.holder, agreement.recipient = agreement.recipient, agreement.holder
    for parts in (agreement.datasets, agreement.purposes, agreement.categories):
        parts.all().delete()
        found.add(content_digest(agreement))
    assert len(found) == 1 + len(changed) + 1 + 3


def test_an_agreement_past_its_end_is_not_signed():
    world = build(signed=False)
    case = {"agreement": world.agreement, "organisation": world.holder, "by": world.holder_admin}
    refusal("agreement_over", agreements.sign, at=world.agreement.ends, via=Via.DESK, **case)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("agreement_content", lambda world: {"datasets": []}),
        ("agreement_content", lambda world: {"purposes": []}),
        ("agreement_content", lambda world: {"categories": []}),
        ("agreement_content", lambda world: {"datasets": [world.dataset, world.dataset]}),
        (
            "dataset_of_another",
            lambda world: {"holder": world.recipient, "recipient": world.holder},
        ),
        ("agreement_with_itself", lambda world: {"recipient": world.holder}),
        ("bad_title", lambda world: {"title": " "}),
        ("bad_obligations", lambda world: {"obligations": ["Delete.", ""]}),
        ("agreement_period", lambda world: {"ends": NOW}),
        ("agreement_over", lambda world: {"starts": NOW - timedelta(days=2), "ends": NOW}),
        ("may_not_negotiate", lambda world: {"by": world.steward}),
    ],
)
def test_an_agreement_that_cannot_be_is_not_drafted(code, change):
    world = build(signed=False)
    given = {
        "holder": world.holder,
        "recipient": world.recipient,
        "title": "Another",
        "datasets": [world.dataset],
        "purposes": [world.purpose],
        "categories": [world.fields[0].category],
        "starts": NOW,
        "ends": LATER,
        **stamp(world.holder_admin),
    }
    refusal(code, agreements.draft, **{**given, **change(world)})


def test_a_request_taken_back_goes_no_further():
    world = build()
    request = world.submitted()
    requests.end(request=request, **stamp(world.requester))
    case = {"request": request, "seat": world.seats[0], **stamp(world.seats[0].user)}
    refusal("request_state", reviews.vote, vote=Vote.YES, reason="Late.", **case)
    assert AccessRequest.objects.get().state == RequestState.ENDED
    assert Entry.objects.filter(type=EntryType.REQUEST_WITHDRAWN).count() == 1


def test_whoever_is_not_concerned_neither_asks_nor_ends_nor_decides():
    world = build()
    for user in (world.steward, world.recipient_admin, world.convener):
        refusal("may_not_ask", world.draft, by=user)
    draft = world.draft()
    for user in (world.steward, world.recipient_admin, world.seats[0].user):
        refusal("may_not_ask", requests.submit, request=draft, **stamp(user))
        refusal("may_not_end_request", requests.end, request=draft, **stamp(user))
    asked = requests.submit(request=draft, **stamp(world.requester))
    for seat in world.seats[:2]:
        world.vote(asked, seat)
    for user in (world.steward, world.requester, world.holder_admin):
        refusal("may_not_decide", reviews.decide, request=asked, **stamp(user))
    refusal("may_not_end_request", requests.end, request=asked, **stamp(world.convener))
    assert reviews.decide(request=asked, **stamp(world.convener)).outcome == RequestState.APPROVED
    assert requests.end(request=asked, **stamp(world.holder_admin)).state == RequestState.ENDED


def test_a_text_that_was_changed_behind_the_databases_back_is_not_countersigned():
    world = build(signed=False)
    agreement = world.agreement
    agreements.sign(agreement=agreement, organisation=world.holder, **stamp(world.holder_admin))
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with triggers_lifted():
        Agreement.objects.update(title="Something else")
    case = {"agreement": agreement, "organisation": world.recipient}
    refusal("content_changed", agreements.sign, **case, **stamp(world.recipient_admin))
