"""A person's yes: give, pause, resume, withdraw."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import taking
from common.words import sentence as _
from consent import rules
from consent.actions import drafts, giving, spoken
from consent.actions.giving import Refused, Signed
from consent.actions.happenings import end, happened, said_once
from consent.actions.standing import also_hers
from consent.actions.subjects import hold
from consent.models import Consent, Invalidation, Representative, Subject, Terms
from consent.permissions import check_can_say_no, check_can_speak
from consent.queries import facts
from consent.vocabulary import (
    Assent,
    Channel,
    Ending,
    Happening,
    Invalidity,
    Signer,
)
from governance.actions import scopes
from governance.models import DataCategory, Organisation, Purpose, User
from governance.queries import clock
from governance.vocabulary import Narrowing


@taking()
def give(
    *,
    subject: Subject,
    recipient: Organisation,
    purpose: Purpose,
    categories: Sequence[DataCategory],
    terms: Terms,
    channel: Channel,
    signer: Signer,
    signature: str,
    answers: str,
    signed_at: datetime,
    by: User,
    at: datetime,
    via: Via,
    ends: datetime | None,
    starts: datetime | None = None,
    record_until: date | None = None,
    authority: str = "",
    representative: Representative | None = None,
    assent: Assent | None = None,
) -> Consent:
    """Record one person's yes to her holder disclosing to one recipient for one purpose.

    It comes into force only whole: raises Refused naming every missing element (R3, R6) and every
    other reason, also where it would widen what runs and has not waited; NotPermitted unless `by` is
    the person or the holder's advocate. An older yes to the same is superseded in the same
    transaction. Without `ends` it ends as R4 says; `record_until` defaults to the day of the yes,
    `starts` to the signing, or to the end of the wait where a first yes has to wait. A guardian's yes
    names the `representative` who gave it, and her own `assent`; a flagged one's try is written down.
    """
    check_can_speak(by, subject)
    if representative is not None:
        spoken.check_not_flagged(representative, by=by, at=at, via=via)
    signed = Signed(
        subject=subject,
        recipient=recipient,
        purpose=purpose,
        categories=categories,
        terms=terms,
        channel=channel,
        signer=signer,
        signature=signature,
        answers=answers,
        signed_at=signed_at,
        ends=ends,
        starts=starts,
        record_until=record_until,
        authority=authority,
        representative=representative,
        assent=assent,
    )
    with giving.widening(subject, recipient, purpose) as moment:
        hold([subject.slot])  # her words, one by one
        if found := giving.problems(signed, by=by, at=at):
            raise Refused(found)
        starts = giving.cooled(signed, at)
        if starts >= signed.last:
            raise Refused(
                (
                    rules.Problem(
                        "ends_before_start",
                        _("It would end before it starts: it has to wait first."),
                    ),
                )
            )
        return giving.record(signed, starts=starts, by=by, at=at, via=via, moment=moment)


def withdraw(*, consent: Consent, by: User, at: datetime, via: Via) -> Consent:
    """Stop sharing, now and whatever its form; when this returns, it has been acknowledged.

    Ends every yes of hers to this recipient and purpose: also those she gave through another holder,
    where one sign-in is known to both. Raises NotPermitted unless `by` is the person or the holder's
    advocate; RuleBroken where it has ended already.
    """
    check_can_say_no(by, consent.subject)
    elsewhere = [
        each.slot for each in also_hers(consent.subject)
    ]  # once: whom a stop ends, its epoch names
    with scopes.narrowing(
        act=Narrowing.CONSENT_WITHDRAWN,
        recipients=[consent.recipient_id],
        slots=[consent.subject_id, *elsewhere],
    ) as moment:
        hold([consent.subject_id, *elsewhere])
        current = _locked(consent)
        ended = [current, *_running_beside(current, elsewhere)]
        for each in ended:
            end(each, Ending.WITHDRAWN, by=by, via=via, moment=moment)
        drafts.drop(
            [current.subject_id, *elsewhere],
            recipient=current.recipient,
            purpose=current.purpose,
            by=by,
            via=via,
            moment=moment,
        )
        for slot in sorted(set(elsewhere) - {each.subject_id for each in ended}):
            # There too nothing older comes into force.
            said_once(slot, current.recipient, current.purpose, by=by, via=via, moment=moment)
    return current


def _running_beside(consent: Consent, elsewhere: Sequence[int]) -> list[Consent]:
    """Her other yeses to the same recipient and purpose."""
    return list(
        giving.held().filter(
            subject__in=elsewhere,
            recipient=consent.recipient_id,
            purpose=consent.purpose_id,
            ended_at__isnull=True,
        )
    )


@taking()
def pause(
    *, consent: Consent, by: User, at: datetime, via: Via, until: datetime | None = None
) -> Consent:
    """Pause sharing, until a day or until it is resumed. A pause of a pause only lengthens it."""
    check_can_say_no(by, consent.subject)
    if until is not None and until <= at:
        raise RuleBroken("pause_in_past", _("Choose a day that is still to come."))
    with scopes.narrowing(
        act=Narrowing.CONSENT_PAUSED,
        recipients=[consent.recipient_id],
        slots=[consent.subject_id],
    ) as moment:
        current = _locked(consent)
        if _paused(current, moment.at):
            if current.paused_until is None:
                raise RuleBroken("already_paused", _("This is paused already."))
            if until is not None and until < current.paused_until:
                raise RuleBroken(
                    "pause_shorter", _("It is paused for longer already. Resume it instead.")
                )
        current.paused_at, current.paused_until = moment.at, until
        current.save(update_fields=["paused_at", "paused_until"])
        moment.tell(**facts.paused(current))
        drafts.drop(
            [current.subject_id],
            recipient=current.recipient,
            purpose=current.purpose,
            by=by,
            via=via,
            moment=moment,
        )
        happened(
            current,
            Happening.PAUSED,
            EntryType.CONSENT_PAUSED,
            by=by,
            at=moment.at,
            via=via,
            moment=moment,
        )
    return current


@taking()
def narrow(
    *,
    consent: Consent,
    by: User,
    at: datetime,
    via: Via,
    categories: Sequence[DataCategory] | None = None,
    ends: datetime | None = None,
    record_until: date | None = None,
) -> Consent:
    """Let less go, from now on: fewer kinds of information, an earlier end, an earlier last day.

    What she signed stays hers: the smaller yes bears the same signature and takes the other's place.
    What is not named stays as it is. Raises NotPermitted unless `by` is the person or the holder's
    advocate; RuleBroken where it has ended, or what is asked for is not less.
    """
    check_can_speak(by, consent.subject)
    with scopes.narrowing(
        act=Narrowing.CONSENT_NARROWED,
        recipients=[consent.recipient_id],
        slots=[consent.subject_id],
    ) as moment:
        hold([consent.subject_id])
        old = _locked(consent)
        new = giving.smaller(
            old, moment.at, categories=categories, ends=ends, record_until=record_until
        )
        # Told with this instant: after a restore the larger yes ends, whoever signed it when.
        end(old, Ending.SUPERSEDED, moment.at, by=by, via=via, moment=moment)
        drafts.drop(
            [old.subject_id],
            recipient=old.recipient,
            purpose=old.purpose,
            by=by,
            via=via,
            moment=moment,
        )
        new.save()
        giving.spoken_as(old, new)
        happened(
            new,
            Happening.NARROWED,
            EntryType.CONSENT_NARROWED,
            by=by,
            at=moment.at,
            via=via,
            moment=moment,
        )
        if new.paused_at is not None:
            moment.tell(**facts.paused(new))
            happened(
                new,
                Happening.PAUSED,
                EntryType.CONSENT_PAUSED,
                by=by,
                at=moment.at,
                via=via,
                moment=moment,
            )
    return new


@taking()
def invalidate(
    *, consent: Consent, reason: Invalidity, by: User, at: datetime, via: Via
) -> Consent:
    """Say that this yes never counted, for one of a closed list of reasons; it ends at once.

    A no like any other: what went out under it is asked back, and nothing signed before it comes
    into force. Raises NotPermitted unless `by` is the person or the holder's advocate; RuleBroken
    where it has ended.
    """
    check_can_say_no(by, consent.subject)
    with scopes.narrowing(
        act=Narrowing.CONSENT_INVALIDATED,
        recipients=[consent.recipient_id],
        slots=[consent.subject_id],
    ) as moment:
        hold([consent.subject_id])
        current = _locked(consent)
        end(current, Ending.INVALIDATED, by=by, via=via, moment=moment)
        Invalidation.objects.create(consent=current, reason=reason)
        drafts.drop(
            [current.subject_id],
            recipient=current.recipient,
            purpose=current.purpose,
            by=by,
            via=via,
            moment=moment,
        )
    return current


def resume(*, consent: Consent, by: User, at: datetime, via: Via) -> Consent:
    """Let sharing go on after a pause; her own act, never anybody's silence."""
    check_can_speak(by, consent.subject)
    with transaction.atomic():
        hold([consent.subject_id])
        current = _locked(consent)
        at = clock.now()  # the clock that stamped the pause, so that its end lies after it
        if not _paused(current, at):
            raise RuleBroken("not_paused", _("This is not paused."))
        current.paused_at = current.paused_until = None
        current.save(update_fields=["paused_at", "paused_until"])
        happened(current, Happening.RESUMED, EntryType.CONSENT_RESUMED, by=by, at=at, via=via)
    return current


def _locked(consent: Consent) -> Consent:
    current = giving.held().get(pk=consent.pk)
    if current.ended_at is not None:
        raise RuleBroken("already_ended", _("This sharing has ended already."))
    return current


def _paused(consent: Consent, at: datetime) -> bool:
    return consent.paused_at is not None and (
        consent.paused_until is None or consent.paused_until > at
    )
