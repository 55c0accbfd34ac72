"""Rows of what people ask and are answered, of what they hide and join."""

from typing import Any

from consent.models import Hidden, Question, SubjectLink
from tests.factories.audit import entry
from tests.factories.consent import consent, subject
from tests.factories.governance import LATER, START, organisation, user


def question(**given: Any) -> Question:
    """One about all of it, that waits."""
    return Question.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "topic": "kept",
            "words": bytes(40),
            "entry": given.get("entry") or entry(),
            "asked_at": START,
            **given,
        }
    )


def of_one(**given: Any) -> Question:
    """One about one sharing, that waits."""
    about = given.get("consent") or consent()
    return question(**{"consent": about, "subject": about.subject, **given})


def answered(**given: Any) -> Question:
    return question(
        **{
            "reply": "written",
            "reply_words": bytes(40),
            "answered_at": LATER,
            "answered_by": given.get("answered_by") or user(),
            "answered_entry": given.get("answered_entry") or entry(),
            **given,
        }
    )


def hidden(**given: Any) -> Hidden:
    return Hidden.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "recipient": given.get("recipient") or organisation(),
            "hidden_at": START,
            **given,
        }
    )


def link(**given: Any) -> SubjectLink:
    return SubjectLink.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "account": given.get("account") or user(kind="survivor"),
            "linked_at": START,
            **given,
        }
    )
