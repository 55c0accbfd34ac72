"""Who may speak for people, in tests: through the real deeds, for a client of the worlds' holder."""

from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from django.utils import timezone

from consent.actions import deaths, disputes, flags, minorities, representatives
from consent.models import Death, Dispute, Flag, Minority, Representative
from consent.vocabulary import Assent, Paper, Signer, Speaker, Threat

PAPER = sha256(b"a paper").hexdigest()
WHO = "Heron 7"
FAR = timedelta(days=200)


def in_days(count: int) -> date:
    return (timezone.now() + timedelta(days=count)).date()


def minor(
    holder: Any, number: str, *, alone: bool = False, days: int = 100, **hand: Any
) -> Minority:
    return minorities.record(
        holder=holder, number=number, majority=in_days(days), alone=alone, **hand
    )


def speaker(
    holder: Any, number: str, kind: Speaker = Speaker.PARENT, **given: Any
) -> Representative:
    now = timezone.now()
    papers = {
        Speaker.PARENT: Paper.BIRTH,
        Speaker.GUARDIAN: Paper.ORDER,
        Speaker.ESTATE: Paper.LETTERS,
    }
    return representatives.record(
        **{
            "holder": holder,
            "number": number,
            "kind": kind,
            "who": WHO,
            "paper": papers[kind],
            "document": PAPER,
            "starts": now - timedelta(days=300),
            "ends": now + FAR,
            **given,
        }
    )


def by(representative: Representative, assent: Assent = Assent.SIGNED) -> dict[str, Any]:
    """What a yes says where this one gave it."""
    return {"signer": Signer.GUARDIAN, "representative": representative, "assent": assent}


def flag(holder: Any, number: str, who: str = WHO, **hand: Any) -> Flag:
    return flags.name(holder=holder, number=number, who=who, threat=Threat.ABUSER, **hand)


def dispute(holder: Any, number: str, **hand: Any) -> Dispute:
    return disputes.report(holder=holder, number=number, **hand)


def died(holder: Any, number: str, **hand: Any) -> Death:
    return deaths.report(holder=holder, number=number, document=PAPER, **hand)
