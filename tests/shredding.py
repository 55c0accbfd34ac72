"""Shredding in tests: the two who agree, a delay that has passed, and what is looked at afterwards."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from audit.actions import sequence
from audit.queries import log_verifiers
from audit.queries.verification import verify as verify_log
from common.errors import BadInput, NotPermitted, RuleBroken
from consent.actions import holds, shredding, subjects
from consent.models import LegalHold, Shredding, Subject
from consent.vocabulary import HoldGround
from governance.models import User
from governance.vocabulary import UserKind
from oversight.queries.checks import CHECKS
from oversight.vocabulary import Finding, Skipped
from release.actions import keeping
from release.actions.shredding import carry_out_due
from tests.factories.governance import user
from tests.worlds import World, hand

HER = "c-1"
WHY = "She asked us to, quite certainly, canary-heron-77."
PAPER = sha256(b"an order of a court").hexdigest()
LATER = timedelta(days=8)


def account(world: World, number: str = HER) -> User:
    """Her own sign-in."""
    her = user(username="amber-willow-41", kind=UserKind.SURVIVOR)
    subjects.give_account(subject=world.subject(number), account=her, **hand(world.home.advocate))
    return her


def ask(world: World, number: str = HER, **given: Any) -> Shredding:
    who = {**hand(world.home.advocate), **given}
    return shredding.ask(holder=world.home.organisation, number=number, why=WHY, **who)


def agree(world: World, asked: Shredding, number: str = HER, **given: Any) -> Shredding:
    return shredding.agree(shredding=asked, number=number, **{**hand(world.home.warden), **given})


def hold(world: World, number: str = HER, **given: Any) -> LegalHold:
    who = {
        "ground": HoldGround.COURT_ORDER,
        "document": PAPER,
        "ends": timezone.now() + timedelta(days=60),
        **hand(world.home.warden),
        **given,
    }
    return holds.place(holder=world.home.organisation, number=number, **who)


def due(world: World, number: str = HER) -> Shredding:
    """Asked for and agreed to long ago: the delay has passed."""
    before = timezone.now() - LATER
    return agree(world, ask(world, number, at=before), number, at=before)


def shred(world: World, number: str = HER) -> Subject:
    subject = world.subject(number)
    due(world, number)
    assert carry_out_due(at=timezone.now()) == 1
    assert carry_out_due(at=timezone.now() + timedelta(minutes=2)) == 1  # its file
    subject.refresh_from_db()
    return subject


def verify() -> None:
    sequence()
    verify_log(origin=settings.LOG_ORIGIN, verifiers=log_verifiers())


def code(deed: Callable[[], object]) -> str:
    with pytest.raises((RuleBroken, NotPermitted, BadInput)) as refusal:
        deed()
    return str(refusal.value.code)


def looked() -> tuple[list[Finding], int]:
    keeping.sweep()
    found = [each for _, check in CHECKS for each in check(lambda count: None)]
    findings = [each for each in found if isinstance(each, Finding)]
    return findings, sum(isinstance(each, Skipped) for each in found)
