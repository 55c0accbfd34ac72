"""What shredding and holds are made of, inside their transactions.

To wipe is to destroy a person's key, and everything that leads from a client number, a sign-in or a
paper to her slot. What stays is in the log and in the tables of answers, by a slot that leads to
nobody (ADR 14).
"""

import json
import secrets
from datetime import datetime
from typing import Any

from audit.rules import SEALING, sealed_detail
from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.words import sentence as _
from consent.actions import subjects, tagging
from consent.models import (
    Assignment,
    Block,
    Consent,
    ConsentEvent,
    EnrolmentCode,
    Hidden,
    LegalHold,
    Lifting,
    Look,
    Objection,
    Proposal,
    ProposalStep,
    Question,
    Shredding,
    SpokenStop,
    Subject,
    SubjectKey,
    SubjectLink,
)
from consent.queries import facts, keys, tags, words
from consent.vocabulary import WIPED, Ending, Happening, ProposalState, Turn
from governance.actions import scopes, trail
from governance.models import Organisation, User
from governance.queries import noes
from governance.storage import packed, unpacked
from governance.vocabulary import REPLAYED


def known(holder: Organisation, number: str) -> Subject:
    """Whom the holder's own client number leads to. Raises RuleBroken where it leads to nobody."""
    digest = subjects.client_digest(subjects.digest_key(holder), number)
    slot = subjects.find(holder, [digest]).get(digest)
    if slot is None:
        raise unknown()
    return Subject.objects.select_related("holder").get(pk=slot)


def unknown() -> RuleBroken:
    """The same words whether nobody has this number, or whoever has it keeps the asker away."""
    return RuleBroken(
        "number_unknown",
        _("This number is not known here, or not to you. Check it with her, or ask a colleague."),
    )


def opened(shredding: Shredding) -> Shredding:
    """The row as it stands, held, after the person's own. Raises RuleBroken where it is over."""
    subjects.hold([shredding.subject_id])
    held = Shredding.objects.select_for_update(of=("self",)).select_related("subject__holder")
    current = held.get(pk=shredding.pk)
    if current.called_off_at is not None or current.shredded_at is not None:
        raise RuleBroken("not_open", _("This was called off, or it is done."))
    return current


def call_off_again(
    ref: str, subject: Subject, *, by: User, via: Via, moment: scopes.Moment
) -> bool:
    """After a restore: a shredding that was called off is. Gives whether it was not."""
    rows = Shredding.objects.select_for_update().filter(ref=ref, subject=subject)
    shredding = rows.filter(called_off_at__isnull=True).first()
    if shredding is None:
        return False
    shredding.called_off_at, shredding.called_off_by = moment.at, by
    shredding.save(update_fields=["called_off_at", "called_off_by"])
    written(
        EntryType.SHREDDING_CALLED_OFF,
        subject,
        by=by,
        at=moment.at,
        via=via,
        reason=REPLAYED,
        epoch_everyone=moment.everyone,
    )
    return True


def written(
    type_: EntryType,
    subject: Subject,
    *,
    by: User | None,
    at: datetime,
    via: Via,
    reason: str = "",
    detail: str | None = None,
    beside: bytes | None = None,
    **said: Any,
) -> Any:
    """One entry about her, whose resource is her tag; `detail` is sealed beside it under her key, or
    `beside` stands there as it is.

    Also where her holder's key is away, as long as there is no detail: nobody can tell then whose
    entry it is.
    """
    nonce = secrets.token_bytes(16)
    tag, absent = keys.tag_in(subject, nonce, no=detail is None)
    if beside is not None:
        said["detail"] = beside
    if detail is not None:
        own = keys.own_key(subject)
        said["detail"] = sealed_detail(own, nonce, secrets.token_bytes(SEALING), detail)
    entry = trail.record(
        type=type_,
        by=by,
        at=at,
        via=via,
        resource=tag.hex(),
        reason=absent or reason,
        subjects=1,
        subjects_root=subjects_root([tag]),
        nonce=nonce,
        **said,
    )
    if absent:
        tagging.wait(entry.pk, [subject])
    return entry


def stand(
    hold: LegalHold, document: str, *, by: User, at: datetime, via: Via, reason: str
) -> LegalHold:
    """The row of a hold and its entry; after a restore nobody knows the document any more."""
    hold.entry = written(
        EntryType.HOLD_PLACED,
        hold.subject,
        by=by,
        at=at,
        via=via,
        reason=reason,
        detail=document,
    )
    hold.save()
    return hold


def wipe(
    subject: Subject, *, by: User | None, via: Via, moment: scopes.Moment, reason: str = ""
) -> None:
    """End every yes of hers and destroy her key; the caller holds her row, everyone's epoch moved."""
    moment.tell(**facts.shredded(subject))

    def told(type_: EntryType, purpose: str = "", beside: bytes | None = None) -> Any:
        return written(
            type_,
            subject,
            by=by,
            at=moment.at,
            via=via,
            reason=reason,
            purpose=purpose,
            beside=beside,
            epoch_everyone=moment.everyone,
        )

    for consent in (
        Consent.objects.select_for_update(of=("self",))
        .select_related("purpose")
        .filter(subject=subject, ended_at__isnull=True)
    ):
        consent.ended_at, consent.ending = moment.at, Ending.WITHDRAWN
        consent.save(update_fields=["ended_at", "ending"])
        ConsentEvent.objects.create(
            consent=consent,
            happening=Happening.WITHDRAWN,
            at=moment.at,
            entry=told(
                EntryType.CONSENT_WITHDRAWN,
                consent.purpose.code,
                words.beside_consents([consent.pk], Happening.WITHDRAWN),
            ),
        )
    for proposal in Proposal.objects.select_for_update().filter(
        subject=subject, closed_at__isnull=True
    ):
        proposal.state, proposal.closed_at = ProposalState.CANCELLED, moment.at
        proposal.save(update_fields=["state", "closed_at"])
        entry = told(EntryType.CONSENT_CANCELLED, beside=words.beside_ask(proposal.pk))
        ProposalStep.objects.create(
            proposal=proposal, turn=Turn.CANCELLED, at=moment.at, entry=entry
        )
    Lifting.objects.filter(
        objection__subject=subject, cancelled_at__isnull=True, done_at__isnull=True
    ).update(cancelled_at=moment.at)
    told(EntryType.KEY_SHREDDED)
    tagging.leave(subject, [*tags.shared_words(subject).items(), *tags.late_words(subject)])
    subject.account, subject.wrapped_key, subject.shredded_at = None, b"", moment.at
    subject.save(update_fields=["account", "wrapped_key", "shredded_at"])
    SubjectKey.objects.filter(subject=subject).delete()
    for helping in (
        EnrolmentCode,
        Assignment,
        Look,
        Block,
        SpokenStop,
        Question,
        Hidden,
        SubjectLink,
    ):
        helping.objects.filter(subject=subject).delete()
    ConsentEvent.objects.filter(consent__subject=subject).update(by=None)
    Consent.objects.filter(subject=subject).update(
        signature=WIPED, authority=WIPED, recorded_by=None
    )
    Objection.objects.filter(subject=subject).update(made_by=None)
    Proposal.objects.filter(subject=subject).update(signature=WIPED, asked_by=None, signed_by=None)
    Lifting.objects.filter(objection__subject=subject).update(asked_by=None)
    _forget_in_noes(subject)


def _forget_in_noes(subject: Subject) -> None:
    """What the database keeps for the file of noes says nothing of her any more."""
    for kept in noes.about(subject.slot):
        fewer = facts.without(json.loads(unpacked(bytes(kept.facts))), subject)
        if fewer is not None:
            text = json.dumps(fewer, separators=(",", ":"), sort_keys=True).encode()
            kept.facts = packed(text)
            kept.save(update_fields=["facts"])
