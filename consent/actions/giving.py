"""The inside of every yes: what stands against it, whether it waits, and its row."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from audit.vocabulary import EntryType, Via
from common.days import day_of, here
from common.errors import RuleBroken
from common.words import sentence as _
from consent import rules
from consent.actions.happenings import end, happened
from consent.actions.sets import added_later, category_set, versions_at
from consent.models import Consent, Proposal, Representative, Spoken, Subject, Terms
from consent.queries import latest, texts
from consent.queries import speaking as known
from consent.queries.proposals import categories_of
from consent.queries.sharing import extent, versions_of
from consent.rules import speaking
from consent.rules.waiting import AT_ONCE, Extent, cooling, widens
from consent.vocabulary import Assent, Channel, Ending, Happening, Signer
from governance.actions import scopes
from governance.models import DataCategory, Organisation, Purpose, User
from governance.queries import people
from governance.vocabulary import Narrowing


class Refused(RuleBroken):
    """A yes that does not come into force: every reason at once."""

    def __init__(self, problems: tuple[rules.Problem, ...]) -> None:
        super().__init__(problems[0].code, " ".join(problem.message for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class Signed:
    """A yes as it was signed. Without `ends` it ends as R4 says; it starts when it is signed, and
    covers what was recorded up to that day, unless it says otherwise."""

    subject: Subject
    recipient: Organisation
    purpose: Purpose
    categories: Sequence[DataCategory]
    terms: Terms
    channel: Channel
    signer: Signer
    signature: str
    answers: str
    signed_at: datetime
    ends: datetime | None = None
    starts: datetime | None = None
    record_until: date | None = None
    authority: str = ""
    representative: Representative | None = None
    assent: Assent | None = None

    @property
    def last(self) -> datetime:
        usual = rules.default_end(self.signed_at, self.purpose.longest_days)
        if self.representative is not None:  # nobody's yes outlasts his authority
            usual = min(usual, self.representative.ends)
        return self.ends or usual

    @property
    def paper(self) -> str:
        """What stands for the signer's authority: the recorded one's reference."""
        return self.authority if self.representative is None else self.representative.ref

    @property
    def extent(self) -> Extent:
        return Extent(
            versions=versions_at(self.categories, self.signed_at),
            starts=self.starts or self.signed_at,
            ends=self.last,
            record_until=self.record_until or day_of(self.signed_at),
        )


def of(proposal: Proposal) -> Signed:
    """What she signed of what she was asked for. Raises ValueError where she signed nothing."""
    if proposal.signed_at is None or proposal.chosen_id is None:
        raise ValueError("Nothing was signed yet.")
    return Signed(
        subject=proposal.subject,
        recipient=proposal.recipient,
        purpose=proposal.purpose,
        categories=categories_of(proposal.chosen_id),
        terms=proposal.terms,
        channel=Channel(proposal.channel),
        signer=Signer.SELF,
        signature=proposal.signature,
        answers=proposal.answers,
        signed_at=proposal.signed_at,
        ends=proposal.ends,
        record_until=proposal.record_until,
    )


def problems(signed: Signed, *, by: User, at: datetime) -> tuple[rules.Problem, ...]:
    """Everything that stands against this yes now; none: it may come into force."""
    subject, recipient, purpose = signed.subject, signed.recipient, signed.purpose
    draft = rules.Draft(
        person=True,
        holder=True,
        recipient=True,
        purpose=True,
        categories=tuple(category.code for category in signed.categories),
        terms=True,
        terms_published_at=signed.terms.published_at,
        language=signed.terms.language,
        terms_language=signed.terms.language,
        answers=signed.answers,
        signature=signed.signature,
        signed_at=here(signed.signed_at),
        starts=here(signed.starts) if signed.starts else None,
        ends=here(signed.last),
        record_until=signed.record_until,
        signer=signed.signer,
        authority=signed.paper,
        terms_replaced=texts.replaced(signed.terms, at),
    )
    noes = latest.noes(slots=[subject.slot], recipient=recipient, purpose=purpose)
    wiped = latest.wiped(holder=subject.holder_id, slots=[subject.slot])
    found = rules.problems(
        draft,
        at=at,
        longest_days=purpose.longest_days,
        latest_no=noes.get(subject.slot),
        latest_yes=latest.yes(subject=subject, recipient=recipient, purpose=purpose),
        from_recipient=people.is_member(by, recipient),
        categories_later=added_later(signed.categories, signed.signed_at),
        wiped_before=wiped.get(subject.slot),
    )
    if subject.holder_id == recipient.pk:
        found += (rules.Problem("holder_is_recipient", _("A yes is to somebody else.")),)
    return (*found, *_spoken(signed, at))


def _spoken(signed: Signed, at: datetime) -> tuple[rules.Problem, ...]:
    """What stands against it because of who gave it."""
    speaker, subject = signed.representative, signed.subject
    hers = speaker is None or speaker.subject_id == subject.slot
    if not hers or (signed.signer == Signer.SELF) is not (speaker is None):
        return (
            rules.Problem(
                "representative_missing", _("Name the recorded person who may speak for her.")
            ),
        )
    return speaking.problems(
        speaking.SignedFact(
            recipient=signed.recipient.pk,
            signed_at=signed.signed_at,
            ends=signed.last,
            speaker=None if speaker is None else known.speaker(speaker),
            assent=signed.assent,
        ),
        known.person(subject),
        at=at,
    )


def wait() -> timedelta:
    """How long a yes waits that has to."""
    return timedelta(hours=settings.COOLING_HOURS)


def waits(signed: Signed, at: datetime) -> timedelta:
    """How long after its signing this yes waits, as things stand now."""
    older = _runs(signed, at)
    return cooling(
        recipient_kind=signed.recipient.kind,
        old=None if older is None else extent(older, at),
        new=signed.extent,
        wait=wait(),
    )


def cooled(signed: Signed, at: datetime) -> datetime:
    """When it may start: where nothing runs yet, a yes that has to wait starts later. Raises Refused
    where it would widen what runs and has not waited: until then the smaller one goes on."""
    left = waits(signed, at)
    starts = signed.starts or signed.signed_at
    if left == AT_ONCE or signed.signed_at + left <= at:
        return starts
    if _runs(signed, at) is not None:
        raise Refused(
            (
                rules.Problem(
                    "has_to_wait",
                    _("This lets more go than before, so it waits. Ask her, and let her sign."),
                ),
            )
        )
    return max(starts, signed.signed_at + left)


def _runs(signed: Signed, at: datetime) -> Consent | None:
    """What runs to the same; one that has run out runs no more."""
    return Consent.objects.filter(ended_at__isnull=True, ends__gt=at, **_same(signed)).first()


def _same(signed: Signed) -> dict[str, Any]:
    return {
        "subject": signed.subject,
        "recipient": signed.recipient,
        "purpose": signed.purpose,
    }


def held() -> QuerySet[Consent]:
    rows = Consent.objects.select_for_update(of=("self",))
    return rows.select_related("subject__holder", "purpose", "recipient", "terms")


@contextmanager
def widening(
    subject: Subject,
    recipient: Organisation,
    purpose: Purpose,
    act: Narrowing = Narrowing.CONSENT_SUPERSEDED,
) -> Iterator[scopes.Moment | None]:
    """A new yes widens, unless it replaces one: what the older one opened may be more."""
    replaces = Consent.objects.filter(
        subject=subject, recipient=recipient, purpose=purpose, ended_at__isnull=True
    ).exists()
    manager: AbstractContextManager[scopes.Moment | None] = (
        scopes.narrowing(act=act, recipients=[recipient.pk], slots=[subject.slot])
        if replaces
        else scopes.plain()
    )
    with manager as moment:
        yield moment


FIRST = {
    Happening.GIVEN: EntryType.CONSENT_GIVEN,
    Happening.RENEWED: EntryType.CONSENT_RENEWED,
    Happening.NARROWED: EntryType.CONSENT_NARROWED,
}


def record(
    signed: Signed,
    *,
    happening: Happening = Happening.GIVEN,
    starts: datetime | None = None,
    by: User,
    at: datetime,
    via: Via,
    moment: scopes.Moment | None,
) -> Consent:
    """Write the yes and end the one it replaces; whoever calls has asked for problems and waits."""
    older = held().filter(ended_at__isnull=True, **_same(signed)).first()
    if older is not None:
        if moment is None:
            raise changed()
        end(older, Ending.SUPERSEDED, signed.signed_at, by=by, via=via, moment=moment)
    consent = Consent.objects.create(
        subject=signed.subject,
        holder=signed.subject.holder,
        recipient=signed.recipient,
        purpose=signed.purpose,
        category_set=category_set(signed.categories, signed.signed_at),
        terms=signed.terms,
        channel=signed.channel,
        signer=signed.signer,
        authority=signed.paper,
        signature=signed.signature,
        answers=signed.answers,
        signed_at=signed.signed_at,
        recorded_at=at,
        recorded_by=by,
        starts=starts or signed.starts or signed.signed_at,
        ends=signed.last,
        record_until=signed.record_until or day_of(signed.signed_at),
    )
    if signed.representative is not None and signed.assent is not None:
        Spoken.objects.create(
            consent=consent, representative=signed.representative, assent=signed.assent
        )
    happened(consent, happening, FIRST[happening], by=by, at=at, via=via, moment=moment)
    return consent


def changed() -> RuleBroken:
    return RuleBroken("changed_meanwhile", _("Another yes was recorded just now. Look again."))


def smaller(
    old: Consent,
    at: datetime,
    *,
    categories: Sequence[DataCategory] | None,
    ends: datetime | None,
    record_until: date | None,
) -> Consent:
    """The yes that takes the place of a larger one; what was paused stays paused."""
    before = extent(old, at)
    kept = old.category_set
    if categories is not None:
        kept = category_set(categories, old.signed_at)
    new = Consent(
        subject=old.subject,
        holder=old.holder,
        recipient=old.recipient,
        purpose=old.purpose,
        category_set=kept,
        terms=old.terms,
        channel=old.channel,
        signer=old.signer,
        authority=old.authority,
        signature=old.signature,
        answers=old.answers,
        signed_at=old.signed_at,
        recorded_at=at,
        recorded_by=old.recorded_by,
        starts=max(old.starts, at),
        ends=ends or old.ends,
        record_until=record_until or old.record_until,
        paused_at=at if before.paused else None,
        paused_until=old.paused_until if before.paused else None,
    )
    if new.ends <= new.starts:
        raise RuleBroken("end_in_past", _("Choose a day that is still to come, or stop sharing."))
    after = Extent(versions_of(new), new.starts, new.ends, new.record_until)
    if not after.versions:
        raise RuleBroken("nothing_left", _("Nothing would be left. Stop sharing instead."))
    same = (before.versions, before.ends, before.record_until)
    if widens(replace(before, paused=False), after) or same == (
        after.versions,
        after.ends,
        after.record_until,
    ):
        raise RuleBroken("not_less", _("This would not be less than you share now."))
    return new


def spoken_as(old: Consent, new: Consent) -> None:
    """What takes the place of another one's yes was given by the same one, and she said the same."""
    said = Spoken.objects.filter(consent=old).first()
    if said is not None:
        Spoken.objects.create(
            consent=new, representative_id=said.representative_id, assent=said.assent
        )
