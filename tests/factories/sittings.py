"""Rows of where somebody is signed in, and of a survivor's paper."""

from datetime import timedelta
from typing import Any

from governance.models import PaperCode, Sitting
from tests.factories.governance import LATER, START, digest, user


def sitting(**given: Any) -> Sitting:
    return Sitting.objects.create(
        **{
            "user": given.get("user") or user(),
            "device": "phone",
            "began_at": START,
            "seen_at": LATER,
            **given,
        }
    )


def paper_code(**given: Any) -> PaperCode:
    return PaperCode.objects.create(
        **{
            "user": given.get("user") or user(kind="survivor"),
            "use": "back_in",
            "digest": digest(),
            "made_at": START - timedelta(days=1),
            **given,
        }
    )
