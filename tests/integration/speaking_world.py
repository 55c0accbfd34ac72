"""The small world of the consent rung, and others who may speak for her in it."""

import pytest
from django.utils import timezone

from common.errors import RuleBroken
from consent.actions import proposals
from consent.queries import sharing
from consent.vocabulary import (
    Channel,
    Speaker,
)
from tests import speaking as said
from tests.integration.consent_world import stamp

HER = "A-17"


def how(world, consent, at=None):
    return sharing.one(world.her, consent.ref, at or timezone.now()).standing


def hand(world):
    return stamp(world.advocate)


def minor(world, **given):
    return said.minor(world.holder, HER, **{**hand(world), **given})


def speaker(world, kind=Speaker.PARENT, **given):
    return said.speaker(world.holder, HER, kind, **{**hand(world), **given})


def given_for(world, kind=Speaker.PARENT, **changes):
    """A yes of a minor's parent, or of a guardian."""
    if kind is Speaker.PARENT:
        minor(world)
    return world.give(**said.by(speaker(world, kind)), **changes)


def refusal(world, deed, code):
    with pytest.raises(RuleBroken) as refused:
        deed()
    problems = getattr(refused.value, "problems", ())
    assert code in {refused.value.code, *(each.code for each in problems)}


def waiting(world):
    """Her signed yes to the police, which has to wait before it counts."""
    asked = proposals.ask(
        subject=world.hers,
        recipient=world.police,
        purpose=world.purpose,
        categories=world.categories,
        terms=world.terms,
        **hand(world),
    )
    return proposals.answer(
        proposal=asked,
        categories=world.categories,
        signature="amber-willow-41",
        answers="yyyyyyy",
        channel=Channel.PORTAL,
        lawyer_offered=True,
        **stamp(world.her),
    )
