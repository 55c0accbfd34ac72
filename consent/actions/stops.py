"""A stop said aloud: recorded at once by whoever hears it, and asked about later."""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import Text, taking
from common.words import sentence as _
from consent.actions import drafts, helped
from consent.actions.happenings import end, said_once
from consent.actions.standing import also_hers
from consent.actions.subjects import hold
from consent.actions.wiping import written
from consent.models import Consent, SpokenStop
from consent.permissions import check_can_advise, check_can_help
from consent.vocabulary import LONGEST_NUMBER, Checked, Ending
from governance.actions import scopes
from governance.models import Organisation, User
from governance.rules import closing
from governance.vocabulary import Narrowing


@taking(number=Text(most=LONGEST_NUMBER, least=1, name=_("Client number")))
def record(
    *,
    holder: Organisation,
    number: str,
    by: User,
    at: datetime,
    via: Via,
    recipient: Organisation | None = None,
) -> None:
    """Record a stop said aloud, by the holder's own client number or a code that she was given; to
    one recipient or all.

    One deed, also where nothing runs: what she signed before it can no longer come into force. Says
    nothing of what was there: an advocate sees only that the stop is recorded. Raises NotPermitted
    unless `by` is the holder's advocate; RuleBroken where the number is not known, or she keeps
    `by` away.
    """
    check_can_advise(by, holder)
    subject = helped.met(holder, number, by)
    slots = [subject.slot, *(each.slot for each in also_hers(subject))]
    with scopes.narrowing(
        act=Narrowing.CONSENT_WITHDRAWN,
        recipients=[recipient.pk] if recipient is not None else (),
        everyone=recipient is None,
        slots=slots,
    ) as moment:
        hold(slots)
        running = Consent.objects.filter(subject__in=slots, ended_at__isnull=True)
        if recipient is not None:
            running = running.filter(recipient=recipient)
        for each in running.select_related("subject__holder", "recipient", "purpose"):
            end(each, Ending.WITHDRAWN, by=by, via=via, moment=moment)
        drafts.drop(slots, recipient=recipient, by=by, via=via, moment=moment)
        for each_slot in slots:
            said_once(each_slot, recipient, None, by=by, via=via, moment=moment)
        SpokenStop.objects.create(
            subject=subject, recipient=recipient, recorded_by=by, said_at=moment.at
        )


@taking()
@transaction.atomic
def check(*, stop: SpokenStop, checked: Checked, by: User, at: datetime, via: Via) -> SpokenStop:
    """Keep what she says of it, asked later. It stays stopped whatever she says: sharing again is a
    new yes.

    Raises NotPermitted unless `by` is an advocate who helps her; RuleBroken where she was asked
    already.
    """
    check_can_help(by, stop.subject)
    hold([stop.subject_id])
    rows = SpokenStop.objects.select_for_update(of=("self",)).select_related("subject__holder")
    current = rows.get(pk=stop.pk)
    if current.checked_at is not None:
        raise RuleBroken("stop_checked", _("She was asked about this stop already."))
    current.checked, current.checked_by = Checked(checked), by
    current.checked_at = closing(current.said_at, at)
    current.save(update_fields=["checked", "checked_by", "checked_at"])
    written(EntryType.STOP_CHECKED, current.subject, by=by, at=at, via=via, reason=current.checked)
    return current
