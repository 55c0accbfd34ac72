"""Rows of who may speak for people."""

from typing import Any

from consent.models import Death, Dispute, Flag, Minority, Representative, Spoken
from tests.factories.audit import entry
from tests.factories.consent import consent, subject
from tests.factories.governance import HEX, LATER, START, user


def representative(**given: Any) -> Representative:
    return Representative.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "kind": "parent",
            "who": HEX,
            "paper": "birth",
            "entry": given.get("entry") or entry(),
            "starts": START,
            "ends": LATER,
            "recorded_by": given.get("recorded_by") or user(),
            "recorded_at": START,
            **given,
        }
    )


def spoken(**given: Any) -> Spoken:
    said = given.get("consent") or consent(signer="guardian", authority="rep-2222222222222")
    return Spoken.objects.create(
        **{
            "consent": said,
            "representative": given.get("representative") or representative(subject=said.subject),
            "assent": "signed",
            **given,
        }
    )


def minority(**given: Any) -> Minority:
    return Minority.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "majority": LATER.date(),
            "alone": False,
            "entry": given.get("entry") or entry(),
            "recorded_by": given.get("recorded_by") or user(),
            "recorded_at": START,
            **given,
        }
    )


def flag(**given: Any) -> Flag:
    return Flag.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "who": HEX,
            "threat": "abuser",
            "entry": given.get("entry") or entry(),
            "made_by": given.get("made_by") or user(),
            "made_at": START,
            **given,
        }
    )


def dispute(**given: Any) -> Dispute:
    return Dispute.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "entry": given.get("entry") or entry(),
            "reported_by": given.get("reported_by") or user(),
            "reported_at": START,
            **given,
        }
    )


def death(**given: Any) -> Death:
    return Death.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "reported_by": given.get("reported_by") or user(),
            "reported_at": START,
            "documented": False,
            "entry": given.get("entry") or entry(),
            **given,
        }
    )


def agreed_death(**given: Any) -> Death:
    return death(
        **{
            "agreed_by": given.get("agreed_by") or user(),
            "agreed_at": LATER,
            "counts_at": LATER,
            **given,
        }
    )
