"""Two at once: the deeds that may happen once happen once, on both databases."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import DatabaseError, IntegrityError, connections

from audit.vocabulary import Via
from common.errors import NotPermitted, SaysoError
from governance.actions import agreements, memberships, people, requests, reviews, scopes
from governance.models import (
    AccessRequest,
    Agreement,
    AgreementPurpose,
    Decision,
    Membership,
    Purpose,
    Seat,
    User,
)
from governance.queries.agreements import content_digest
from governance.vocabulary import AgreementState, RequestState, Role, Vote
from tests.integration.governance_world import NOW, PASSWORD, build, staff, stamp

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*deeds: Callable[[], object]) -> list[str]:
    """Each deed in a thread of its own, let go together: `done`, or what it was refused with."""
    barrier = Barrier(len(deeds))
    outcomes = ["" for _ in deeds]

    def run(number: int, deed: Callable[[], object]) -> None:
        try:
            barrier.wait(timeout=20)
            deed()
            outcomes[number] = "done"
        except (SaysoError, NotPermitted) as error:
            outcomes[number] = error.code
        except DatabaseError as error:
            outcomes[number] = type(error).__name__
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    return outcomes


def test_two_last_votes_at_once_make_one_decision():
    world = build()
    for _ in range(5):
        request = world.submitted()
        world.vote(request, world.seats[0])

        def answer(seat: Seat, request: AccessRequest = request) -> None:
            world.vote(request, seat)
            reviews.decide(request=request, **stamp(seat.user))

        outcomes = at_once(
            *[lambda seat=seat, answer=answer: answer(seat) for seat in world.seats[1:]]
        )
        assert sorted(outcomes) == ["done", "request_state"]
        assert Decision.objects.filter(request=request).count() == 1
        assert AccessRequest.objects.get(pk=request.pk).state == RequestState.APPROVED


def test_one_seat_voting_twice_at_once_votes_once():
    world = build()
    request = world.submitted()
    seat = world.seats[0]
    outcomes = at_once(*[lambda vote=vote: world.vote(request, seat, vote) for vote in Vote])
    assert sorted(outcomes) == ["done", "voted", "voted"]


def test_deciding_and_taking_back_at_once_leaves_no_approval_that_was_taken_back():
    world = build()
    for _ in range(3):
        request = world.submitted()
        for seat in world.seats[:2]:
            world.vote(request, seat)
        outcomes = at_once(
            lambda request=request: reviews.decide(request=request, **stamp(world.seats[0].user)),
            lambda request=request: requests.end(request=request, **stamp(world.requester)),
        )
        assert outcomes[1] == "done"
        assert outcomes[0] in {"done", "request_state"}
        assert AccessRequest.objects.get(pk=request.pk).state == RequestState.ENDED


def test_both_parties_signing_at_once_bring_it_in_force_once():
    world = build(signed=False)
    outcomes = at_once(
        lambda: agreements.sign(
            agreement=world.agreement, organisation=world.holder, **stamp(world.holder_admin)
        ),
        lambda: agreements.sign(
            agreement=world.agreement, organisation=world.recipient, **stamp(world.recipient_admin)
        ),
    )
    assert outcomes == ["done", "done"]
    agreement = Agreement.objects.get()
    assert agreement.state == AgreementState.IN_FORCE
    digests = set(agreement.signatures.values_list("digest", flat=True))
    assert digests == {content_digest(agreement)}


def test_a_text_that_changes_while_it_is_signed_is_signed_with_the_change_or_unchanged():
    world = build(signed=False)
    more = Purpose.objects.create(code="housing", kind="service", dpv="-", longest_days=90)
    outcomes = at_once(
        lambda: agreements.sign(
            agreement=world.agreement, organisation=world.holder, **stamp(world.holder_admin)
        ),
        lambda: AgreementPurpose.objects.create(agreement=world.agreement, purpose=more),
    )
    assert outcomes[0] == "done"
    assert outcomes[1] in {"done", IntegrityError.__name__}
    signature = world.agreement.signatures.get()
    assert signature.digest == content_digest(world.agreement)


def test_sayso_begins_once_even_when_begun_twice_at_once():
    def begin(name: str) -> object:
        return people.create_first_administrator(
            username=name, password=PASSWORD, organisation_name=name, at=NOW, via=Via.COMMAND
        )

    scopes.ensure([])  # else the two would already meet at making this row
    outcomes = at_once(lambda: begin("river-maple-41"), lambda: begin("stone-finch-07"))
    assert sorted(outcomes) == ["already_begun", "done"]
    assert User.objects.count() == Membership.objects.count() == 1


def test_two_appointments_at_once_make_one_first_administrator():
    world = build()
    users = [staff(world.convener, name) for name in ("grey-otter-77", "moss-lantern-05")]
    given = {"organisation": world.holder, "role": Role.ADMINISTRATOR, **stamp(world.convener)}
    current = Membership.objects.filter(
        organisation=world.holder, role=Role.ADMINISTRATOR, ended_at__isnull=True
    )
    for _ in range(8):
        last = current.get()
        memberships.end(membership=last, **stamp(last.user))
        outcomes = at_once(
            *[lambda user=user: memberships.grant(user=user, **given) for user in users]
        )
        assert sorted(outcomes) == ["done", "may_not_grant"]
        assert current.count() == 1
