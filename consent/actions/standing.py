"""The inside of every standing no: its row and entry, that it is made smaller or taken back."""

import secrets
from datetime import datetime
from typing import Any

from django.db.models import Q

from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.words import sentence as _
from consent.actions import tagging
from consent.models import Lifting, Objection, Subject
from consent.queries import facts, keys
from consent.queries import words as beside
from consent.queries.objections import own, words
from governance.actions import scopes, trail
from governance.models import User
from governance.queries import clock

Named = dict[str, Any]  # what a no names: recipient, recipient_kind, purpose, category


def also_hers(subject: Subject) -> list[Subject]:
    """The same person as other holders know her: only where she signs in for both."""
    others = Subject.objects.filter(account__subjects=subject.slot).exclude(slot=subject.slot)
    return list(others.select_related("holder").order_by("slot"))


def said(subject: Subject, named: Named, *, by: User, via: Via, moment: scopes.Moment) -> Objection:
    objection = stood(subject, named, by=by, via=via, moment=moment)
    moment.tell(**facts.objected(objection))
    return objection


def stood(
    subject: Subject, named: Named, *, by: User, via: Via, moment: scopes.Moment
) -> Objection:
    """The same, where the caller tells the file of noes what it belongs to."""
    objection = Objection.objects.create(subject=subject, made_at=moment.at, made_by=by, **named)
    _written(objection, EntryType.OBJECTION_MADE, by=by, at=moment.at, via=via, moment=moment)
    return objection


def check_smaller(old: Objection, named: Named) -> Objection:
    """The no that would stand instead. Raises RuleBroken where it would not be smaller."""
    new = Objection(
        subject=old.subject,
        recipient=named["recipient"] or old.recipient,
        recipient_kind=named["recipient_kind"] or old.recipient_kind,
        purpose=named["purpose"] or old.purpose,
        category=named["category"] or old.category,
        made_at=old.made_at,  # she said this no on that day: an older yes stays refused
    )
    kept = (
        old.recipient_id in {None, new.recipient_id}
        and old.recipient_kind in {"", new.recipient_kind}
        and old.purpose_id in {None, new.purpose_id}
        and old.category_id in {None, new.category_id}
    )
    if not kept or words(new) == words(old):
        raise RuleBroken("not_narrower", _("This would not make the no smaller."))
    return new


def make_smaller(objection: Objection, named: Named, *, by: User | None, via: Via) -> Objection:
    """Inside a transaction in which it may be: the smaller no takes the larger one's place."""
    old = standing(objection)
    new = check_smaller(old, named)
    new.made_by = by
    at = clock.now()  # the clock that stamped the no, so that its end lies after it
    old.lifted_at = at
    old.save(update_fields=["lifted_at"])
    new.save()
    _written(new, EntryType.OBJECTION_NARROWED, by=by, at=at, via=via)
    return new


def take_back(objection: Objection, *, by: User | None, via: Via) -> Objection:
    """Inside a transaction in which it may be: the no stands no more."""
    old = standing(objection)
    at = clock.now()  # the clock that stamped the no, so that its end lies after it
    old.lifted_at = at
    old.save(update_fields=["lifted_at"])
    _written(old, EntryType.OBJECTION_LIFTED, by=by, at=at, via=via)
    return old


def standing(objection: Objection) -> Objection:
    """One of her own, held: what belongs to something undecided is nobody's to take back."""
    current = (
        own(Objection.objects.select_for_update(of=("self",)))
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
    by: User | None,
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
        detail=beside.beside_objections([objection.pk]),
        epoch_everyone=moment.everyone if moment else None,
        epoch_scope=(
            moment.epochs.get(objection.recipient_id)
            if moment and objection.recipient_id is not None
            else None
        ),
    )
    if reason:
        tagging.wait(entry.pk, [objection.subject])


def keep(ref: str, subject: Subject, *, by: User, at: datetime, via: Via) -> bool:
    """After a restore: a lifting that was called off is so again. Gives whether there was one."""
    current = waiting(ref)
    if current is None or current.objection.subject_id != subject.slot:
        return False
    let_stand(current, by=by, at=at, via=via)
    return True


def let_stand(lifting: Lifting, *, by: User, at: datetime, via: Via) -> None:
    lifting.cancelled_at = at
    lifting.save(update_fields=["cancelled_at"])
    lifting_written(lifting, EntryType.OBJECTION_KEPT, by=by, at=at, via=via)


def waiting(ref: str) -> Lifting | None:
    """One that still waits, held; None where none does."""
    return (
        Lifting.objects.select_for_update(of=("self",))
        .select_related(
            "objection__subject__holder", "recipient", "purpose", "category", "asked_by"
        )
        .filter(
            ref=ref,
            cancelled_at__isnull=True,
            done_at__isnull=True,
            objection__lifted_at__isnull=True,
        )
        .first()
    )


def lifting_written(
    lifting: Lifting, type_: EntryType, *, by: User, at: datetime, via: Via
) -> None:
    subject, nonce = lifting.objection.subject, secrets.token_bytes(16)
    tag, reason = keys.tag_in(subject, nonce, no=type_ == EntryType.OBJECTION_KEPT)
    entry = trail.record(
        type=type_,
        by=by,
        at=at,
        via=via,
        resource=tag.hex(),
        reason=reason,
        subjects=1,
        subjects_root=subjects_root([tag]),
        nonce=nonce,
        detail=beside.beside_lifting(lifting.pk),
    )
    if reason:
        tagging.wait(entry.pk, [subject])
