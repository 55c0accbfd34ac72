"""Who may speak for a person, and what is known of her that decides it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from common.days import begins, day_of
from consent.models import (
    Consent,
    Death,
    Dispute,
    Flag,
    Minority,
    Representative,
    Spoken,
    Subject,
)
from consent.rules import AuthorityFact
from consent.rules.speaking import PersonFact, SpeakerFact
from consent.vocabulary import Signer, Speaker
from governance.models import Organisation, User


def authority(consent: Consent) -> AuthorityFact | None:
    """By what somebody else gave this yes; None where she gave it herself."""
    if consent.signer == Signer.SELF:
        return None
    disputed = open_disputes().filter(subject=consent.subject_id).exists()
    said = spoken(consent)
    if said is None:
        return AuthorityFact(ends=None, disputed=disputed)
    speaker = said.representative
    return AuthorityFact(speaker.ends, speaker.ended_at, disputed)


def spoken(consent: Consent) -> Spoken | None:
    """Who gave this yes for her; None where she did, or nobody knows."""
    return Spoken.objects.filter(consent=consent).select_related("representative").first()


def person(subject: Subject) -> PersonFact:
    """What is known of her that says whose yes counts."""
    minority = minorities().filter(subject=subject).first()
    death = deaths().filter(subject=subject).first()
    return PersonFact(
        minor_until=None if minority is None else begins(minority.majority),
        alone=minority is not None and minority.alone,
        died_at=None if death is None else death.counts_at,
        disputed=open_disputes().filter(subject=subject).exists(),
    )


def speaker(representative: Representative) -> SpeakerFact:
    """One who may speak for her, as the rules know it."""
    return SpeakerFact(
        kind=Speaker(representative.kind),
        starts=representative.starts,
        ends=representative.ends,
        ended_at=representative.ended_at,
        flagged=flagged(representative.subject, representative.who),
        works_for=representative.works_for_id,
    )


def flagged(subject: Subject, who: str) -> bool:
    """Whether this one may never speak for her."""
    return Flag.objects.filter(subject=subject, who=who).exists()


def silent(slots: Collection[int]) -> dict[int, PersonFact]:
    """Those of the slots whose own yes may not be enough: minors, and who has died."""
    wanted = Subject.objects.filter(
        Q(pk__in=minorities().values("subject")) | Q(pk__in=deaths().values("subject"))
    )
    found = {}
    several = list(slots)
    for start in range(0, len(several), 5000):
        for each in wanted.filter(slot__in=several[start : start + 5000]):
            found[each.slot] = person(each)
    return found


def open_disputes() -> QuerySet[Dispute]:
    rows = Dispute.objects.filter(resolved_at__isnull=True)
    return rows.select_related("subject__holder", "reported_by").order_by("reported_at", "pk")


def minorities() -> QuerySet[Minority]:
    rows = Minority.objects.filter(ended_at__isnull=True)
    return rows.select_related("subject__holder").order_by("majority", "pk")


def deaths() -> QuerySet[Death]:
    """Those that count."""
    return reported_deaths().filter(counts_at__isnull=False)


def reported_deaths() -> QuerySet[Death]:
    rows = Death.objects.filter(taken_back_at__isnull=True)
    return rows.select_related("subject__holder", "reported_by").order_by("reported_at", "pk")


def speakers(at: datetime) -> QuerySet[Representative]:
    """Whose authority is in force."""
    rows = Representative.objects.filter(ended_at__isnull=True, starts__lte=at, ends__gt=at)
    return rows.select_related("subject__holder", "works_for").order_by("recorded_at", "pk")


@dataclass(frozen=True)
class Hers:
    """Who may speak for her, as she sees it."""

    holder: Organisation
    minor_until: datetime | None
    alone: bool
    disputed: bool
    speakers: tuple[Representative, ...]


def of(account: User, at: datetime) -> list[Hers]:
    """For each place she is known at: who may speak for her; nothing where only she does."""
    found = []
    for subject in Subject.objects.filter(account=account).select_related("holder"):
        known = person(subject)
        others = tuple(speakers(at).filter(subject=subject))
        minor = known.minor_until if known.minor_until and at < known.minor_until else None
        if others or minor:
            found.append(Hers(subject.holder, minor, known.alone, known.disputed, others))
    return found


def grown_up(at: datetime) -> QuerySet[Consent]:
    """Yeses that others gave for people who are of age by now: they have ended, and nobody has asked
    her yet."""
    rows = Consent.objects.filter(
        signer=Signer.GUARDIAN,
        ended_at__isnull=True,
        subject__in=minorities().filter(majority__lte=day_of(at)).values("subject"),
        subject__shredded_at__isnull=True,
        purpose__retired_at__isnull=True,
    )
    return rows.select_related("subject__holder", "recipient", "purpose", "terms").order_by("pk")


def of_age(at: datetime) -> QuerySet[Minority]:
    """Whose day has come, while what others said yes to for them was not asked afresh."""
    return minorities().filter(majority__lte=day_of(at), subject__in=grown_up(at).values("subject"))
