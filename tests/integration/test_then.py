"""Whose yes was in force at an instant: what auditors are shown later is what the gate would have read
then. The model is the gate's own rule, asked at that instant of the rows as they stood at it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from consent.actions import disputes, objections, subjects
from consent.models import CategorySetItem, Consent, Dispute, Objection
from consent.queries import speaking
from consent.rules import Ask, ConsentFact, ObjectionFact, word
from consent.vocabulary import Ending, Speaker, Standing
from governance.queries import catalogue, clock
from governance.vocabulary import UserKind
from oversight.queries import then
from tests import speaking as said
from tests.factories.governance import organisation, purpose, user
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
PEOPLE = [f"c-{number}" for number in range(1, 7)]


@pytest.fixture
def world() -> World:
    return small_world(len(PEOPLE), each=1)


def gate(world: World, at: datetime) -> list[str]:
    """Who would be let through for what the request asks: by the rule for one person, person by
    person, from the rows as they stand."""
    return [number for number in PEOPLE if _goes(world, number, at)]


def _goes(world: World, number: str, at: datetime) -> bool:
    request, subject = world.home.request, world.subject(number)
    items = CategorySetItem.objects.values_list("set", "version", "version__category")
    sets: dict[int, set[int]] = {}
    for held, version, _category in items:
        sets.setdefault(held, set()).add(version)
    consents = Consent.objects.filter(
        subject=subject, recipient=request.requester, purpose=request.purpose
    )
    noes = Objection.objects.filter(subject=subject, lifted_at__isnull=True)
    found = word(
        consents=[
            ConsentFact(
                starts=each.starts,
                ends=each.ends,
                record_until=each.record_until,
                versions=frozenset(sets.get(each.category_set_id, ())),
                paused_at=each.paused_at,
                paused_until=each.paused_until,
                ended_at=each.ended_at,
                ending=Ending(each.ending) if each.ending else None,
                authority=speaking.authority(each),
            )
            for each in consents
        ],
        objections=[
            ObjectionFact(
                each.recipient_id, each.recipient_kind or None, each.purpose_id, each.category_id
            )
            for each in noes
        ],
        ask=Ask(request.requester_id, request.requester.kind, request.purpose_id),
        categories={version: category for _held, version, category in items},
        since=at,
        until=at,
    )
    asked = catalogue.covering_versions([each.field for each in request.fields.all()])
    opens = any(found.versions & versions for versions in asked.values())
    return found.standing == Standing.IN_FORCE and opens


def herself(world: World, number: str) -> dict[str, Any]:
    """She comes in by a sign-in of her own."""
    account = user(kind=UserKind.SURVIVOR)
    subjects.give_account(
        subject=world.subject(number), account=account, **hand(world.home.advocate)
    )
    return hand(account)


def steps(world: World) -> list[Callable[[], object]]:
    about, helped = world.categories
    frozen: list[Objection] = []
    return [
        lambda: world.pause("c-1", until=timezone.now() + HOUR),
        lambda: world.pause("c-2"),
        lambda: world.object("c-3", category=about),
        lambda: frozen.append(world.object("c-4")),
        lambda: world.no("c-5"),
        lambda: world.resume("c-2"),
        lambda: world.object("c-2", recipient=organisation()),
        lambda: world.object("c-2", purpose=purpose()),
        lambda: world.yes("c-6", categories=[about]),
        lambda: world.object("c-6", category=about),
        lambda: objections.narrow(
            objection=Objection.objects.get(pk=frozen[0].pk),
            category=helped,
            **herself(world, "c-4"),
        ),
        lambda: world.object("c-2", recipient_kind=world.recipient.kind),
        lambda: world.object("c-3", category=helped),
        lambda: world.yes("c-5"),
        lambda: _given_for(world, "c-5"),
        lambda: disputes.report(**_about(world, "c-5")),
        lambda: disputes.report(**_about(world, "c-6")),
        lambda: disputes.resolve(
            dispute=Dispute.objects.get(subject=world.subject("c-5")), **hand(world.home.advocate)
        ),
    ]


def _about(world: World, number: str) -> dict[str, Any]:
    return {
        "holder": world.home.organisation,
        "number": number,
        **hand(world.home.advocate),
    }


def _given_for(world: World, number: str) -> Consent:
    """A guardian says yes for her, in place of what she said."""
    authority = said.speaker(kind=Speaker.GUARDIAN, **_about(world, number))
    return world.yes(number, **said.by(authority))


def test_whose_yes_was_in_force_is_what_the_gate_read_then(world: World) -> None:
    request = world.home.request
    read = [(clock.now(), gate(world, clock.now()))]
    for step in steps(world):
        step()
        at = clock.now()
        read.append((at, gate(world, at)))
    assert len({tuple(people) for _, people in read}) >= 8, "most of these steps change something"
    assert [then.yeses(request, at) for at, _ in read] == [len(people) for _, people in read]


def test_a_pause_with_an_end_is_over_by_itself(world: World) -> None:
    request = world.home.request
    world.pause("c-1", until=timezone.now() + HOUR)
    world.pause("c-2")
    now = clock.now()
    for at in (now, now + HOUR / 2, now + 2 * HOUR):
        assert then.yeses(request, at) == len(gate(world, at))
    assert then.yeses(request, now) == 4
    assert then.yeses(request, now + 2 * HOUR) == 5


def test_a_pause_that_was_resumed_lasted_until_then(world: World) -> None:
    request = world.home.request
    world.pause("c-1", until=timezone.now() + HOUR)
    during = clock.now()
    world.resume("c-1")
    assert then.yeses(request, during) == 5
    assert then.yeses(request, clock.now()) == 6
