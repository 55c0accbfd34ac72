"""Rows of what people say is wrong, or is not to be shared for now."""

from typing import Any

from consent.models import Contest
from tests.factories.audit import entry
from tests.factories.consent import objection, subject
from tests.factories.governance import LATER, START, category, user


def contest(**given: Any) -> Contest:
    who = given.get("subject") or subject()
    kind = given.get("category") or category()
    return Contest.objects.create(
        **{
            "subject": who,
            "category": kind,
            "kind": "correction",
            "objection": given.get("objection") or objection(subject=who, category=kind),
            "entry": given.get("entry") or entry(),
            "asked_at": START,
            **given,
        }
    )


def decided(**given: Any) -> Contest:
    return contest(
        **{
            "decision": "corrected",
            "decided_at": LATER,
            "decided_by": given.get("decided_by") or user(),
            "decided_entry": given.get("decided_entry") or entry(),
            **given,
        }
    )
