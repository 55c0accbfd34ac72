"""What a deed about a yes writes: its end, its event, its entry, and a no that does not go on standing."""

import secrets
from datetime import datetime, timedelta

from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType, Via
from consent.actions import tagging
from consent.models import Consent, ConsentEvent, Objection, Subject
from consent.queries import facts, keys, words
from consent.vocabulary import NOES, Ending, Happening
from governance.actions import scopes, trail
from governance.models import Organisation, Purpose, User

ENDED: dict[Ending, tuple[Happening, EntryType]] = {
    Ending.WITHDRAWN: (Happening.WITHDRAWN, EntryType.CONSENT_WITHDRAWN),
    Ending.SUPERSEDED: (Happening.SUPERSEDED, EntryType.CONSENT_SUPERSEDED),
    Ending.INVALIDATED: (Happening.INVALIDATED, EntryType.CONSENT_INVALIDATED),
}


def end(
    consent: Consent,
    ending: Ending,
    newer: datetime | None = None,
    *,
    by: User | None,
    via: Via,
    moment: scopes.Moment,
) -> None:
    """End one consent at the moment of the no, with its event and entry."""
    consent.ended_at, consent.ending = moment.at, ending
    consent.save(update_fields=["ended_at", "ending"])
    moment.tell(**facts.ended(consent, newer))
    happening, entry = ENDED[ending]
    happened(consent, happening, entry, by=by, at=moment.at, via=via, moment=moment)


def happened(
    consent: Consent,
    happening: Happening,
    type: EntryType,
    *,
    by: User | None,
    at: datetime,
    via: Via,
    moment: scopes.Moment | None = None,
) -> None:
    """Write down what has just happened to a consent, which is saved as it stands after it."""
    nonce = secrets.token_bytes(16)
    tag, reason = keys.tag_in(consent.subject, nonce, no=happening in NOES)
    entry = trail.record(
        type=type,
        by=by,
        at=at,
        via=via,
        resource=tag.hex(),
        purpose=consent.purpose.code,
        reason=reason,
        subjects=1,
        subjects_root=subjects_root([tag]),
        nonce=nonce,
        detail=words.beside_consents([consent.pk], happening),
        epoch_everyone=moment.everyone if moment else None,
        epoch_scope=moment.epochs.get(consent.recipient_id) if moment else None,
    )
    if reason:
        tagging.wait(entry.pk, [consent.subject])
    ConsentEvent.objects.create(consent=consent, happening=happening, at=at, by=by, entry=entry)


def said_once(
    slot: int,
    recipient: Organisation | None,
    purpose: Purpose | None,
    *,
    by: User,
    via: Via,
    moment: scopes.Moment,
) -> None:
    """Keep that she said no at this instant, whatever ran: no older paper comes into force after it.

    A no that does not go on standing: she may say yes again tomorrow.
    """
    subject = Subject.objects.select_related("holder").get(pk=slot)
    objection = Objection.objects.create(
        subject=subject,
        recipient=recipient,
        purpose=purpose,
        made_at=moment.at,
        made_by=by,
        lifted_at=moment.at + timedelta(microseconds=1),
    )
    moment.tell(**facts.said_once(subject, recipient, purpose))
    nonce = secrets.token_bytes(16)
    tag, reason = keys.tag_in(subject, nonce, no=True)
    entry = trail.record(
        type=EntryType.OBJECTION_MADE,
        by=by,
        at=moment.at,
        via=via,
        resource=tag.hex(),
        reason=reason,
        subjects=1,
        subjects_root=subjects_root([tag]),
        nonce=nonce,
        detail=words.beside_objections([objection.pk]),
        epoch_everyone=moment.everyone,
        epoch_scope=moment.epochs.get(recipient.pk) if recipient is not None else None,
    )
    if reason:
        tagging.wait(entry.pk, [subject])
