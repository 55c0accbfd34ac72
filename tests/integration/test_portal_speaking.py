"""Her page says who else may say yes for her, and she stops what they gave."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.actions import consents
from consent.models import Consent
from consent.queries import receipts, sharing
from consent.vocabulary import Channel, Speaker
from governance.vocabulary import Role
from portal import slips, words
from tests import speaking, survivors
from tests.factories import governance as made
from tests.factories.consent import helped_by
from tests.integration.consent_world import stamp, worker

pytestmark = pytest.mark.django_db
HER = "A-17"


@pytest.fixture
def world() -> Any:
    cache.clear()
    found = survivors.build()
    found.advocate = worker("harbour-linden-5", found.holder, Role.ADVOCATE)
    helped_by(found.advocate, found.subject)
    return found


def about(world: Any) -> dict[str, Any]:
    return {"holder": world.holder, "number": HER, **stamp(world.advocate)}


def seen(world: Any, name: str = "home", *ref: str) -> str:
    client = Client()
    client.force_login(world.her, backend="django.contrib.auth.backends.ModelBackend")
    return client.get(reverse(f"portal:{name}", args=ref)).content.decode()


def given_for(world: Any, authority: Any) -> Consent:
    now = timezone.now()
    return consents.give(
        subject=authority.subject,
        recipient=made.organisation(name="Maple Clinic", kind="health"),
        purpose=world.purpose,
        categories=world.categories,
        terms=world.terms,
        channel=Channel.PAPER,
        signature="binder 7",
        answers="yyyyyyy",
        signed_at=now,
        ends=now + timedelta(days=20),
        **speaking.by(authority),
        **stamp(world.advocate),
    )


def test_where_only_she_speaks_her_page_says_nothing_of_others(world):
    assert "Who else may say yes" not in seen(world)


def test_a_minor_sees_who_may_say_yes_until_when_and_not_who_it_is(world):
    speaking.minor(**about(world))
    assert "No one is written down yet." in seen(world)
    authority = speaking.speaker(**about(world))
    page = seen(world)
    assert "a parent or guardian, until" in page
    assert "They need your yes too." in page
    assert speaking.WHO not in page
    assert authority.who not in page


def test_a_minor_who_decides_alone_reads_that_she_does(world):
    speaking.minor(**about(world), alone=True)
    assert "You decide alone here." in seen(world)


def test_she_reads_who_said_yes_and_stops_it_with_two_presses(world):
    speaking.minor(**about(world))
    consent = given_for(world, speaking.speaker(**about(world)))
    page = seen(world, "details", consent.ref)
    assert "Who said yes" in page
    assert "a parent or guardian. You signed too." in page
    client = Client()
    client.force_login(world.her, backend="django.contrib.auth.backends.ModelBackend")
    client.get(reverse("portal:stop", args=[consent.ref]))
    client.post(reverse("portal:stop", args=[consent.ref]))
    consent.refresh_from_db()
    assert consent.ended_at is not None


def test_what_waits_for_a_dispute_is_on_hold_and_nothing_she_starts_again(world):
    consent = given_for(world, speaking.speaker(**about(world), kind=Speaker.GUARDIAN))
    speaking.dispute(**about(world))
    page = seen(world, "details", consent.ref)
    assert "It is being settled who may say yes for you." in page
    assert reverse("portal:resume", args=[consent.ref]) not in page
    assert reverse("portal:stop", args=[consent.ref]) in page
    assert "It is being settled who may say yes for you." in seen(world, "done", consent.ref)
    assert "What they said waits." in seen(world)


def test_her_slip_and_her_list_say_that_another_one_said_yes(world):
    consent = given_for(world, speaking.speaker(**about(world), kind=Speaker.GUARDIAN))
    page = seen(world, "slip", consent.ref)
    assert "Someone said yes for you." in page
    assert "a guardian whom a court named. You signed too." in page
    receipt = receipts.of(sharing.one(world.her, consent.ref, timezone.now()))
    slip = slips.in_words(receipt, timezone.now())
    assert "Who said yes: a guardian whom a court named. You signed too." in slip
    assert "You said yes" not in slip
    assert words.said("consent:given", for_her=True) == "Someone said yes for you:"
    assert words.said("consent:given") == "You said yes:"
