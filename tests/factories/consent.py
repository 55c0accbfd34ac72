"""Rows of what people said."""

from typing import Any

from consent.models import (
    Assignment,
    Block,
    CategorySet,
    CategorySetItem,
    Consent,
    ConsentEvent,
    EnrolmentCode,
    Invalidation,
    LateTag,
    LeftTag,
    LegalHold,
    Lifting,
    Look,
    Objection,
    Proposal,
    ProposalItem,
    ProposalStep,
    Shredding,
    SlotBlock,
    SpokenStop,
    Subject,
    SubjectKey,
    Terms,
    TermsPart,
)
from governance.models import User
from tests.factories.audit import entry
from tests.factories.governance import (
    HEX,
    LATER,
    START,
    category,
    category_version,
    digest,
    membership,
    numbers,
    organisation,
    purpose,
    user,
)


def terms(**given: Any) -> Terms:
    return Terms.objects.create(
        **{
            "code": f"sharing-{next(numbers)}",
            "version": 1,
            "language": "en",
            "title": "Sharing",
            "text": "You may say no. You may stop.",
            "digest": HEX,
            "published_at": START,
            **given,
        }
    )


def terms_part(**given: Any) -> TermsPart:
    return TermsPart.objects.create(
        **{"terms": given.get("terms") or terms(), "part": "why", "text": "To help.", **given}
    )


def slot_block(**given: Any) -> SlotBlock:
    return SlotBlock.objects.create(**{"holder": given.get("holder") or organisation(), **given})


# Far above every slot that a test chooses itself or that an action takes.
OUT_OF_THE_WAY = 2**30


def subject(**given: Any) -> Subject:
    return Subject.objects.create(
        **{
            "slot": OUT_OF_THE_WAY + next(numbers),
            "holder": given.get("holder") or organisation(),
            "wrapped_key": bytes(60),
            "enrolled_at": START,
            **given,
        }
    )


def subject_key(**given: Any) -> SubjectKey:
    person = given.get("subject") or subject()
    return SubjectKey.objects.create(
        **{
            "holder": person.holder,
            "digest": bytes.fromhex(digest()),
            "subject": person,
            **given,
        }
    )


def category_set(**given: Any) -> CategorySet:
    return CategorySet.objects.create(**{"digest": digest(), **given})


def category_set_item(**given: Any) -> CategorySetItem:
    return CategorySetItem.objects.create(
        **{
            "set": given.get("set") or category_set(),
            "version": given.get("version") or category_version(),
            **given,
        }
    )


def consent(**given: Any) -> Consent:
    person = given.get("subject") or subject()
    return Consent.objects.create(
        **{
            "subject": person,
            "holder": person.holder,
            "recipient": given.get("recipient") or organisation(kind="research"),
            "purpose": given.get("purpose") or purpose(),
            "category_set": given.get("category_set") or category_set(),
            "terms": given.get("terms") or terms(),
            "channel": "paper",
            "signer": "self",
            "signature": "binder 3, sheet 41",
            "answers": "yyyyyyy",
            "signed_at": START,
            "recorded_at": START,
            "recorded_by": given.get("recorded_by") or user(),
            "starts": START,
            "ends": LATER,
            "record_until": START.date(),
            **given,
        }
    )


def consent_event(**given: Any) -> ConsentEvent:
    return ConsentEvent.objects.create(
        **{
            "consent": given.get("consent") or consent(),
            "happening": "given",
            "at": START,
            "entry": given.get("entry") or entry(),
            **given,
        }
    )


def objection(**given: Any) -> Objection:
    return Objection.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "made_at": START,
            "made_by": given.get("made_by") or user(kind="survivor"),
            **given,
        }
    )


def invalidation(**given: Any) -> Invalidation:
    return Invalidation.objects.create(
        **{"consent": given.get("consent") or consent(), "reason": "not_free", **given}
    )


def lifting(**given: Any) -> Lifting:
    return Lifting.objects.create(
        **{
            "objection": given.get("objection") or objection(),
            "asked_at": START,
            "asked_by": given.get("asked_by") or user(kind="survivor"),
            "due_at": LATER,
            **given,
        }
    )


def proposal(**given: Any) -> Proposal:
    return Proposal.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "recipient": given.get("recipient") or organisation(kind="health"),
            "purpose": given.get("purpose") or purpose(),
            "terms": given.get("terms") or terms(),
            "days": 30,
            "asked_by": given.get("asked_by") or user(),
            "asked_at": START,
            "answer_by": LATER,
            **given,
        }
    )


def renewal(**given: Any) -> Proposal:
    return proposal(**{"renews": given.get("renews") or consent(), **given})


def signed_proposal(**given: Any) -> Proposal:
    return proposal(
        **{
            "state": "waiting",
            "channel": "portal",
            "chosen": given.get("chosen") or category_set(),
            "signature": "amber-willow-41",
            "answers": "yyyyyyy",
            "signed_at": START,
            "signed_by": given.get("signed_by") or user(kind="survivor"),
            "ends": LATER,
            "record_until": START.date(),
            "takes_effect_at": LATER,
            **given,
        }
    )


def proposal_item(**given: Any) -> ProposalItem:
    return ProposalItem.objects.create(
        **{
            "proposal": given.get("proposal") or proposal(),
            "category": given.get("category") or category(),
            **given,
        }
    )


def proposal_step(**given: Any) -> ProposalStep:
    return ProposalStep.objects.create(
        **{
            "proposal": given.get("proposal") or proposal(),
            "turn": "asked",
            "at": START,
            "entry": given.get("entry") or entry(),
            **given,
        }
    )


def shredding(**given: Any) -> Shredding:
    return Shredding.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "asked_by": given.get("asked_by") or user(),
            "asked_at": START,
            "entry": given.get("entry") or entry(),
            **given,
        }
    )


def agreed_shredding(**given: Any) -> Shredding:
    return shredding(**{"agreed_by": user(), "agreed_at": START, **given})


def late_tag(**given: Any) -> LateTag:
    return LateTag.objects.create(
        **{
            "entry": given.get("entry") or entry(),
            "subject": given.get("subject") or subject(),
            **given,
        }
    )


def left_tag(**given: Any) -> LeftTag:
    return LeftTag.objects.create(
        **{
            "entry": given.get("entry") or entry(),
            "subject": given.get("subject") or subject(),
            "tag": bytes(32),
            **given,
        }
    )


def legal_hold(**given: Any) -> LegalHold:
    return LegalHold.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "ground": "court_order",
            "entry": given.get("entry") or entry(),
            "placed_by": given.get("placed_by") or user(),
            "placed_at": START,
            "ends": LATER,
            **given,
        }
    )


def enrolment_code(**given: Any) -> EnrolmentCode:
    return EnrolmentCode.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "kind": "arrival",
            "digest": digest(),
            "issued_by": given.get("issued_by") or user(),
            "issued_at": START,
            "talked_at": START,
            "opens_at": START,
            "expires_at": LATER,
            **given,
        }
    )


def assignment(**given: Any) -> Assignment:
    person = given.get("subject") or subject()
    return Assignment.objects.create(
        **{
            "subject": person,
            "membership": given.get("membership")
            or membership(organisation=person.holder, role="advocate"),
            "begun_by": given.get("begun_by") or user(),
            "started_at": START,
            **given,
        }
    )


def helped_by(worker: User, *people: Subject) -> None:
    """These people have this worker for their advocate, as if it had been so for long."""
    for each in people:
        role = worker.memberships.filter(
            organisation=each.holder, role="advocate", ended_at__isnull=True
        ).first()
        Assignment.objects.get_or_create(
            subject=each,
            membership=role,
            ended_at=None,
            defaults={"begun_by": worker, "started_at": START},
        )


def look(**given: Any) -> Look:
    return Look.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "worker": given.get("worker") or user(),
            "hour": START,
            **given,
        }
    )


def block(**given: Any) -> Block:
    return Block.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "worker": given.get("worker") or user(),
            "blocked_by": given.get("blocked_by") or user(kind="survivor"),
            "blocked_at": START,
            **given,
        }
    )


def spoken_stop(**given: Any) -> SpokenStop:
    return SpokenStop.objects.create(
        **{
            "subject": given.get("subject") or subject(),
            "recorded_by": given.get("recorded_by") or user(),
            "said_at": START,
            **given,
        }
    )
