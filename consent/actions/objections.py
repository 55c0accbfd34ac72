"""A person's standing no: make, narrow, lift."""

import secrets
from contextlib import AbstractContextManager
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import taking
from common.words import sentence as _
from consent.actions import tagging
from consent.actions.subjects import hold
from consent.models import Objection, Subject
from consent.permissions import check_can_speak
from consent.queries import facts, keys, words
from governance.actions import scopes, trail
from governance.models import DataCategory, Organisation, Purpose, User
from governance.queries import clock
from governance.vocabulary import Narrowing, OrganisationKind


@taking()
def make(
    *,
    subject: Subject,
    by: User,
    at: datetime,
    via: Via,
    recipient: Organisation | None = None,
    recipient_kind: OrganisationKind | None = None,
    purpose: Purpose | None = None,
    category: DataCategory | None = None,
) -> Objection:
    """Say no to a recipient, a kind of recipient, a purpose, a category, or (nothing named) to all.

    When this returns it has been acknowledged. Raises NotPermitted unless `by` is the person or the
    holder's advocate; RuleBroken where the same no stands already.
    """
    check_can_speak(by, subject)
    with _no(subject, recipient) as moment:
        hold([subject.slot])
        same = Objection.objects.filter(
            subject=subject,
            recipient=recipient,
            recipient_kind=recipient_kind or "",
            purpose=purpose,
            category=category,
            lifted_at__isnull=True,
        )
        if same.exists():
            raise RuleBroken("already_objected", _("This no stands already."))
        objection = Objection.objects.create(
            subject=subject,
            recipient=recipient,
            recipient_kind=recipient_kind or "",
            purpose=purpose,
            category=category,
            made_at=moment.at,
            made_by=by,
        )
        moment.tell(**facts.objected(objection))
        _written(objection, EntryType.OBJECTION_MADE, by=by, at=moment.at, via=via, moment=moment)
    return objection


@taking()
def narrow(
    *,
    objection: Objection,
    by: User,
    at: datetime,
    via: Via,
    recipient: Organisation | None = None,
    recipient_kind: OrganisationKind | None = None,
    purpose: Purpose | None = None,
    category: DataCategory | None = None,
) -> Objection:
    """Make a no smaller: it keeps what it named and names more. This widens sharing, her own act.

    Raises RuleBroken where what is asked for is not smaller, or the no was lifted.
    """
    check_can_speak(by, objection.subject)
    with transaction.atomic():
        old = _standing(objection)
        new = Objection(
            subject=old.subject,
            recipient=recipient or old.recipient,
            recipient_kind=recipient_kind or old.recipient_kind,
            purpose=purpose or old.purpose,
            category=category or old.category,
            made_at=old.made_at,  # she said this no on that day: an older yes stays refused
            made_by=by,
        )
        kept = (
            old.recipient_id in {None, new.recipient_id}
            and old.recipient_kind in {"", new.recipient_kind}
            and old.purpose_id in {None, new.purpose_id}
            and old.category_id in {None, new.category_id}
        )
        named = [new.recipient_id, new.recipient_kind, new.purpose_id, new.category_id]
        before = [old.recipient_id, old.recipient_kind, old.purpose_id, old.category_id]
        if not kept or named == before:
            raise RuleBroken("not_narrower", _("This would not make the no smaller."))
        at = clock.now()  # the clock that stamped the no, so that its end lies after it
        old.lifted_at = at
        old.save(update_fields=["lifted_at"])
        new.save()
        _written(new, EntryType.OBJECTION_NARROWED, by=by, at=at, via=via)
    return new


def lift(*, objection: Objection, by: User, at: datetime, via: Via) -> Objection:
    """Take a no back. What ran before it runs again; a paper signed before it and not yet recorded
    stays refused.
    """
    check_can_speak(by, objection.subject)
    with transaction.atomic():
        old = _standing(objection)
        at = clock.now()  # the clock that stamped the no, so that its end lies after it
        old.lifted_at = at
        old.save(update_fields=["lifted_at"])
        _written(old, EntryType.OBJECTION_LIFTED, by=by, at=at, via=via)
    return old


def _no(subject: Subject, recipient: Organisation | None) -> AbstractContextManager[scopes.Moment]:
    if recipient is None:
        return scopes.narrowing(act=Narrowing.OBJECTION_MADE, everyone=True, slots=[subject.slot])
    return scopes.narrowing(
        act=Narrowing.OBJECTION_MADE, recipients=[recipient.pk], slots=[subject.slot]
    )


def _standing(objection: Objection) -> Objection:
    current = (
        Objection.objects.select_for_update(of=("self",))
        .select_related("subject__holder", "recipient", "purpose", "category")
        .filter(Q(lifted_at__isnull=True), pk=objection.pk)
        .first()
    )
    if current is None:
        raise RuleBroken("already_lifted", _("This no was taken back already."))
    return current


def _written(
    objection: Objection,
    type: EntryType,
    *,
    by: User,
    at: datetime,
    via: Via,
    moment: scopes.Moment | None = None,
) -> None:
    nonce = secrets.token_bytes(16)
    tag, reason = keys.tag_in(objection.subject, nonce, no=type == EntryType.OBJECTION_MADE)
    entry = trail.record(
        type=type,
        by=by,
        at=at,
        via=via,
        resource=tag.hex(),
        reason=reason,
        purpose=objection.purpose.code if objection.purpose else "",
        subjects=1,
        subjects_root=subjects_root([tag]),
        nonce=nonce,
        detail=words.beside_objections([objection.pk]),
        epoch_everyone=moment.everyone if moment else None,
        epoch_scope=(
            moment.epochs.get(objection.recipient_id)
            if moment and objection.recipient_id is not None
            else None
        ),
    )
    if reason:
        tagging.wait(entry.pk, [objection.subject])
