"""What the signed terms let a recipient keep until a day is asked back on that day, and not before."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from common.days import begins
from consent.actions import consents, proposals
from consent.queries import receipts, sharing
from consent.vocabulary import Channel, Invalidity
from governance import permissions
from governance.actions import agreements
from governance.vocabulary import Role
from interop.receipts import delete_by
from portal.templatetags import plain
from release.actions import recalls
from release.rules import timing
from tests import speaking as said
from tests import survivors
from tests.factories import consent as made
from tests.factories import governance as governed
from tests.integration.test_recalls import ALL, ENDS, look, opened
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return small_world(4)


KEPT_DAYS = 100
AGREEMENT_ENDS = "the agreement ends"
UNTIL = {
    **ENDS,
    "by its date": lambda _world: None,
    AGREEMENT_ENDS: lambda world: agreements.end(
        agreement=world.home.agreement, **hand(world.home.warden)
    ),
}
# A yes that never counted lets nobody keep anything.
AT_ONCE = {"her yes is found never to have counted"}


def kept_world(world: World, days: int = KEPT_DAYS) -> datetime:
    """One client signs terms that name a day; what left is picked up. Gives the day's beginning."""
    day = said.in_days(days)
    world.yes("c-1", terms=made.terms(keep_until=day))
    world.fetch(world.prepare())
    return begins(day)


@pytest.mark.parametrize("end", UNTIL)
def test_what_her_terms_let_them_keep_is_asked_back_on_that_day_and_not_before(world, end):
    day = kept_world(world)
    UNTIL[end](world)
    first = look(
        timedelta(days=21)
    )  # by its date too: hers and the others' yeses end after 20 days
    soon = opened(world)
    assert first == 1 or end in {AGREEMENT_ENDS, "by its date"}
    assert ("c-1" in soon) == (end in AT_ONCE)
    assert {"c-2", "c-3", "c-4"} <= set(soon)
    assert recalls.open_due(at=day - timedelta(minutes=1)) == 0
    left = recalls.open_due(at=day + timing.LOOK_THROUGH)
    assert left == (0 if end in AT_ONCE else 1)
    assert opened(world)["c-1"] == ALL


def test_a_smaller_yes_lets_them_keep_the_rest_until_that_day(world):
    day = kept_world(world)
    world.less("c-1")
    assert look() == 0
    recalls.open_due(at=day + timing.LOOK_THROUGH)
    assert opened(world)["c-1"] == ALL  # by then the smaller one has ended as well


def test_a_smaller_yes_that_never_counted_lets_nobody_keep_anything(world):
    kept_world(world)
    world.less("c-1")
    world.invalid("c-1")
    assert look() == 1
    assert opened(world) == {"c-1": ALL}


def test_what_counts_are_the_terms_under_which_it_left(world):
    kept_world(world)
    world.yes("c-1")  # anew, under terms that name no day
    world.no("c-1")
    assert look() == 0
    world.yes("c-2", terms=made.terms(keep_until=said.in_days(KEPT_DAYS)))
    world.no("c-2")  # it left under the former ones
    assert look() == 1
    assert opened(world) == {"c-2": ALL}


def test_a_day_that_is_past_lets_nobody_keep_anything(world):
    kept_world(world, days=-1)
    world.no("c-1")
    assert look() == 1


def test_she_sees_the_day_before_she_says_yes_and_afterwards_on_her_card_and_her_slip():
    world = survivors.build()
    day = said.in_days(KEPT_DAYS)
    shown = f"They may keep it until</dt><dd>{plain.day(begins(day))}"
    by = governed.membership(organisation=world.holder, role=Role.ADVOCATE).user
    permissions.grant(by, world.holder, Role.ADVOCATE)
    made.helped_by(by, world.subject)
    asked = proposals.ask(
        subject=world.subject,
        recipient=governed.organisation(name="Willow Clinic", kind="health"),
        purpose=world.purpose,
        categories=world.categories,
        terms=made.terms(keep_until=day),
        **hand(by),
    )
    client = Client()
    client.force_login(world.her, backend="django.contrib.auth.backends.ModelBackend")
    client.post(reverse("portal:names"), {"passphrase": survivors.WORDS})
    assert shown in client.get(reverse("portal:asked", args=[asked.ref])).content.decode()
    given = proposals.answer(
        proposal=asked,
        categories=world.categories,
        signature=world.her.username,
        answers="yyyyyyy",
        channel=Channel.PORTAL,
        **hand(world.her),
    ).consent
    assert given is not None
    pages = [reverse("portal:home"), reverse("portal:details", args=[given.ref])]
    for address in [*pages, reverse("portal:slip", args=[given.ref])]:
        assert shown in client.get(address).content.decode()
    one = sharing.one(world.her, given.ref, timezone.now())
    assert delete_by(receipts.of(one)) == begins(day) + timing.DELETE_WITHIN
    consents.invalidate(consent=given, reason=Invalidity.NOT_FREE, **hand(world.her))
    assert shown not in client.get(reverse("portal:slip", args=[given.ref])).content.decode()
