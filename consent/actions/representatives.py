"""Who may speak for a person: recorded by an advocate of her holder, by a paper, until an end."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from audit.vocabulary import EntryType, Via
from common.errors import BadInput, RuleBroken
from common.inputs import taking
from common.words import sentence as _
from consent.actions import giving, helped, spoken, subjects
from consent.actions.happenings import said_once
from consent.actions.spoken import DOCUMENT, NUMBER, WHO
from consent.actions.wiping import written
from consent.models import Representative
from consent.permissions import check_can_advise, check_can_hear
from consent.queries import keys, speaking
from consent.rules.speaking import authority_ends, cannot_begin
from consent.vocabulary import Paper, Speaker
from governance.actions import scopes
from governance.models import Organisation, User
from governance.vocabulary import Narrowing


@taking(number=NUMBER, who=WHO, document=DOCUMENT)
def record(
    *,
    holder: Organisation,
    number: str,
    kind: Speaker,
    who: str,
    paper: Paper,
    document: str,
    starts: datetime,
    ends: datetime,
    by: User,
    at: datetime,
    via: Via,
    works_for: Organisation | None = None,
) -> Representative:
    """Write down that somebody may speak for one client, until `ends` or until she is of age.

    `who`: how the holder's own file calls this person; kept only under her own key, so that somebody
    who may never speak is known again. `document` is the SHA-256 of the paper, kept sealed. Raises
    NotPermitted unless `by` is the holder's advocate; BadInput where it is no digest, or the period
    none; RuleBroken where the number is not known, there is one already, it is not allowed (then the
    try has its entry); NotReady where the holder's key is not there.
    """
    check_can_advise(by, holder)
    sealed = spoken.digest(document)
    if ends <= max(at, starts):
        raise BadInput("authority_in_past", _("Choose a day that is still to come."), where="ends")
    if kind is Speaker.GUARDIAN and paper is not Paper.ORDER:
        raise BadInput("guardian_by_order", _("A court names a guardian. Give the order."))
    subject = helped.helped(holder, number, by)
    name = keys.known_as(subject, who)
    if speaking.flagged(subject, name):
        spoken.refuse(subject, by=by, at=at, via=via)
    with transaction.atomic():
        subjects.hold([subject.slot])
        if speaking.flagged(subject, name):
            raise RuleBroken("changed_meanwhile", _("Somebody changed this just now. Look again."))
        person = speaking.person(subject)
        if reason := cannot_begin(kind, person, at):
            raise giving.Refused((reason,))
        if Representative.objects.filter(subject=subject, who=name, ended_at=None).exists():
            raise RuleBroken(
                "speaks_already", _("This person is recorded already. End that first.")
            )
        entry = written(
            EntryType.SPEAKER_RECORDED,
            subject,
            by=by,
            at=at,
            via=via,
            reason=kind.value,
            detail=sealed,
        )
        return Representative.objects.create(
            subject=subject,
            kind=kind,
            who=name,
            paper=paper,
            entry_id=entry.pk,
            works_for=works_for,
            starts=starts,
            ends=authority_ends(ends, person, at),
            recorded_by=by,
            recorded_at=at,
        )


def end(*, representative: Representative, by: User, at: datetime, via: Via) -> Representative:
    """Somebody may speak for her no more, and every yes that this one gave has ended.

    Raises NotPermitted unless `by` is the holder's advocate; RuleBroken where it has ended already.
    """
    check_can_hear(by, representative.subject)
    slot = representative.subject_id
    with scopes.narrowing(act=Narrowing.SPEAKER_ENDED, everyone=True, slots=[slot]) as moment:
        subjects.hold([slot])
        found = [
            each for each in spoken.held(representative.subject) if each.pk == representative.pk
        ]
        if not found:
            raise RuleBroken("already_ended", _("This has ended already."))
        spoken.silence(found, by=by, via=via, moment=moment)
    return found[0]


@taking()
def stop(
    *,
    representative: Representative,
    by: User,
    at: datetime,
    via: Via,
    recipient: Organisation | None = None,
) -> None:
    """A no of one who may speak for her, said to an advocate: what any of them gave ends, to one
    recipient or to all, and no older paper comes into force. One no is enough, also in a dispute.

    Raises NotPermitted unless `by` is the holder's advocate; RuleBroken where the authority is over.
    """
    check_can_hear(by, representative.subject)
    subject = representative.subject
    with scopes.narrowing(
        act=Narrowing.SPEAKER_STOPPED,
        recipients=[recipient.pk] if recipient is not None else (),
        everyone=recipient is None,
        slots=[subject.slot],
    ) as moment:
        subjects.hold([subject.slot])
        if not speaking.speakers(moment.at).filter(pk=representative.pk).exists():
            raise RuleBroken("authority_over", _("This person may speak for her no more."))
        which = Q(subject=subject, spoken__isnull=False)
        spoken.stopped(
            which & Q(recipient=recipient) if recipient is not None else which,
            by=by,
            via=via,
            moment=moment,
        )
        said_once(subject.slot, recipient, None, by=by, via=via, moment=moment)
        written(EntryType.SPEAKER_STOPPED, subject, by=by, at=moment.at, via=via)
