"""A person's yes: give, pause, resume, withdraw."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit.vocabulary import EntryType, Via
from common.days import day_of, here
from common.errors import RuleBroken
from common.inputs import Text, taking
from common.words import sentence as _
from consent import rules
from consent.actions.happenings import end, happened, said_once
from consent.actions.sets import added_later, category_set
from consent.actions.subjects import client_digest, digest_key, find, hold
from consent.models import Consent, Subject, Terms
from consent.permissions import check_can_advise, check_can_speak
from consent.queries import facts, latest
from consent.vocabulary import LONGEST_NUMBER, Channel, Ending, Happening, Signer
from governance.actions import scopes
from governance.models import DataCategory, Organisation, Purpose, User
from governance.queries import clock, people
from governance.vocabulary import Narrowing


class Refused(RuleBroken):
    """A yes that does not come into force: every reason at once."""

    def __init__(self, problems: tuple[rules.Problem, ...]) -> None:
        super().__init__(problems[0].code, " ".join(problem.message for problem in problems))
        self.problems = problems


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
) -> Consent:
    """Record one person's yes to her holder disclosing to one recipient for one purpose.

    It comes into force only whole: raises Refused naming every missing element (R3, R6) and every
    other reason; NotPermitted unless `by` is the person or the holder's advocate. An older yes to
    the same is superseded in the same transaction. `record_until` defaults to the day of the yes,
    `starts` to the signing; doors offer `rules.default_end` (R4) as the end.
    """
    check_can_speak(by, subject)
    draft = rules.Draft(
        person=True,
        holder=True,
        recipient=True,
        purpose=True,
        categories=tuple(category.code for category in categories),
        terms=True,
        terms_published_at=terms.published_at,
        language=terms.language,
        terms_language=terms.language,
        answers=answers,
        signature=signature,
        signed_at=here(signed_at),
        starts=here(starts) if starts else None,
        ends=here(ends) if ends else None,
        record_until=record_until,
        signer=signer,
        authority=authority,
    )
    with _widening(subject, recipient, purpose) as moment:
        hold([subject.slot])  # her words, one by one
        noes = latest.noes(slots=[subject.slot], recipient=recipient, purpose=purpose)
        found = rules.problems(
            draft,
            at=at,
            longest_days=purpose.longest_days,
            latest_no=noes.get(subject.slot),
            latest_yes=latest.yes(subject=subject, recipient=recipient, purpose=purpose),
            from_recipient=people.is_member(by, recipient),
            categories_later=added_later(categories, signed_at),
            wiped_before=latest.wiped(holder=subject.holder_id, slots=[subject.slot]).get(
                subject.slot
            ),
        )
        if subject.holder_id == recipient.pk:
            found += (rules.Problem("holder_is_recipient", _("A yes is to somebody else.")),)
        if found:
            raise Refused(found)
        own: dict[str, Any] = {"by": by, "at": at, "via": via, "moment": moment}
        supersede(subject=subject, recipient=recipient, purpose=purpose, signed_at=signed_at, **own)
        consent = Consent.objects.create(
            subject=subject,
            holder=subject.holder,
            recipient=recipient,
            purpose=purpose,
            category_set=category_set(categories, signed_at),
            terms=terms,
            channel=channel,
            signer=signer,
            authority=authority,
            signature=signature,
            answers=answers,
            signed_at=signed_at,
            recorded_at=at,
            recorded_by=by,
            starts=starts or signed_at,
            ends=ends or signed_at,  # never empty here: `problems` names a missing end
            record_until=record_until or day_of(signed_at),
        )
        happened(
            consent, Happening.GIVEN, EntryType.CONSENT_GIVEN, by=by, at=at, via=via, moment=moment
        )
    return consent


def withdraw(*, consent: Consent, by: User, at: datetime, via: Via) -> Consent:
    """Stop sharing, now and whatever its form; when this returns, it has been acknowledged.

    Ends every yes of hers to this recipient and purpose: also those she gave through another holder,
    where one sign-in is known to both. Raises NotPermitted unless `by` is the person or the holder's
    advocate; RuleBroken where it has ended already.
    """
    check_can_speak(by, consent.subject)
    elsewhere = _also_hers(consent.subject_id)  # once: whom a stop ends, its epoch names
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
        for slot in sorted(set(elsewhere) - {each.subject_id for each in ended}):
            # There too nothing older comes into force.
            said_once(slot, current.recipient, current.purpose, by=by, via=via, moment=moment)
    return current


def _also_hers(slot: int) -> list[int]:
    """The same person as other holders know her: only where she signs in for both."""
    return list(
        Subject.objects.filter(account__subjects=slot)
        .exclude(slot=slot)
        .values_list("slot", flat=True)
    )


def _running_beside(consent: Consent, elsewhere: Sequence[int]) -> list[Consent]:
    """Her other yeses to the same recipient and purpose."""
    return list(
        _held().filter(
            subject__in=elsewhere,
            recipient=consent.recipient_id,
            purpose=consent.purpose_id,
            ended_at__isnull=True,
        )
    )


@taking(number=Text(most=LONGEST_NUMBER, least=1, name=_("Client number")))
def stop_by_number(
    *,
    holder: Organisation,
    number: str,
    by: User,
    at: datetime,
    via: Via,
    recipient: Organisation | None = None,
) -> None:
    """Record a stop said aloud, found by the holder's own client number; to one recipient or all.

    One deed, also where nothing runs: what she signed before it can no longer come into force. Says nothing of what was there: an advocate sees only that the stop is recorded. Raises
    NotPermitted unless `by` is the holder's advocate; RuleBroken where the number is not known.
    """
    check_can_advise(by, holder)
    digest = client_digest(digest_key(holder), number)
    slot = find(holder, [digest]).get(digest)
    if slot is None:
        raise RuleBroken("number_unknown", _("This number is not known here. Check it with her."))
    slots = [slot, *_also_hers(slot)]
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
        for each_slot in slots:
            said_once(each_slot, recipient, None, by=by, via=via, moment=moment)


@taking()
def pause(
    *, consent: Consent, by: User, at: datetime, via: Via, until: datetime | None = None
) -> Consent:
    """Pause sharing, until a day or until it is resumed. A pause of a pause only lengthens it."""
    check_can_speak(by, consent.subject)
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


def resume(*, consent: Consent, by: User, at: datetime, via: Via) -> Consent:
    """Let sharing go on after a pause; her own act, never anybody's silence."""
    check_can_speak(by, consent.subject)
    with transaction.atomic():
        current = _locked(consent)
        at = clock.now()  # the clock that stamped the pause, so that its end lies after it
        if not _paused(current, at):
            raise RuleBroken("not_paused", _("This is not paused."))
        current.paused_at = current.paused_until = None
        current.save(update_fields=["paused_at", "paused_until"])
        happened(current, Happening.RESUMED, EntryType.CONSENT_RESUMED, by=by, at=at, via=via)
    return current


def supersede(
    *,
    subject: Subject,
    recipient: Organisation,
    purpose: Purpose,
    signed_at: datetime,
    by: User,
    at: datetime,
    via: Via,
    moment: scopes.Moment | None,
) -> None:
    """End the yes that a newer one, signed at `signed_at`, replaces, inside its transaction."""
    same = {"subject": subject, "recipient": recipient, "purpose": purpose}
    older = _held().filter(ended_at__isnull=True, **same).first()
    if older is None:
        return
    if moment is None:
        raise RuleBroken("changed_meanwhile", _("Another yes was recorded just now. Look again."))
    end(older, Ending.SUPERSEDED, signed_at, by=by, via=via, moment=moment)


@contextmanager
def _widening(
    subject: Subject, recipient: Organisation, purpose: Purpose
) -> Iterator[scopes.Moment | None]:
    """A new yes widens, unless it replaces one: what the older one opened may be more."""
    replaces = Consent.objects.filter(
        subject=subject, recipient=recipient, purpose=purpose, ended_at__isnull=True
    ).exists()
    manager: AbstractContextManager[scopes.Moment | None] = (
        scopes.narrowing(
            act=Narrowing.CONSENT_SUPERSEDED, recipients=[recipient.pk], slots=[subject.slot]
        )
        if replaces
        else scopes.plain()
    )
    with manager as moment:
        yield moment


def _held() -> QuerySet[Consent]:
    rows = Consent.objects.select_for_update(of=("self",))
    return rows.select_related("subject__holder", "purpose", "recipient")


def _locked(consent: Consent) -> Consent:
    current = _held().get(pk=consent.pk)
    if current.ended_at is not None:
        raise RuleBroken("already_ended", _("This sharing has ended already."))
    return current


def _paused(consent: Consent, at: datetime) -> bool:
    return consent.paused_at is not None and (
        consent.paused_until is None or consent.paused_until > at
    )
