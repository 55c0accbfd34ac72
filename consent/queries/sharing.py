"""What one person shares, as she sees it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet

from consent.models import (
    CategorySetItem,
    Consent,
    ConsentEvent,
    Objection,
    Spoken,
    Subject,
)
from consent.queries import keeping, speaking
from consent.rules import Ask, ConsentFact, ObjectionFact, standing, word
from consent.rules.waiting import Extent
from consent.vocabulary import Ending, Happening, Standing
from governance.models import CategoryVersion, DataCategory, Organisation, Purpose, User


@dataclass(frozen=True)
class Sharing:
    """One consent as its person sees it: who, what, why, until when, and how it stands.

    `spoken`: who said yes for her, where it was not she. `disputed`: it waits until that is settled.
    `reworded`: it ended because a newer text, and no newer yes, took the place of its own.
    """

    consent: Consent
    standing: Standing
    holder: Organisation
    recipient: Organisation
    purpose: Purpose
    categories: tuple[DataCategory, ...]
    until: datetime
    paused_until: datetime | None
    spoken: Spoken | None = None
    disputed: bool = False
    reworded: bool = False

    @property
    def kept_until(self) -> datetime | None:
        """Until when the recipient may keep what it got, where her terms name a day; not where the
        yes never counted."""
        if self.consent.ending == Ending.INVALIDATED:
            return None
        return keeping.until(self.consent.terms.keep_until)


@dataclass(frozen=True)
class EndingSoon:
    """How many people's yeses to one recipient for one purpose end soon."""

    recipient: Organisation
    purpose: Purpose
    people: int


def subjects(account: User) -> QuerySet[Subject]:
    """The people, as organisations know them, that this sign-in is."""
    return Subject.objects.filter(account=account).select_related("holder").order_by("slot")


def of(account: User, at: datetime) -> list[Sharing]:
    """Everything this account ever said yes to: running ones first, then the newest."""
    return _running_first(_consents(account), at)


def of_subject(subject: Subject, at: datetime) -> list[Sharing]:
    """The same of one person as one holder knows her."""
    return _running_first(_whole().filter(subject=subject), at)


def _running_first(consents: Iterable[Consent], at: datetime) -> list[Sharing]:
    found = [_seen(consent, at) for consent in consents]
    running = [each for each in found if each.standing in RUNNING]
    return running + [each for each in found if each.standing not in RUNNING]


def one(account: User, ref: str, at: datetime) -> Sharing | None:
    """One of this account's own sharings, or None for anybody else's."""
    consent = _consents(account).filter(ref=ref).first()
    return None if consent is None else _seen(consent, at)


RUNNING = {Standing.IN_FORCE, Standing.OBJECTED, Standing.PAUSED, Standing.NOT_STARTED}


def _consents(account: User) -> QuerySet[Consent]:
    return _whole().filter(subject__account=account)


def _whole() -> QuerySet[Consent]:
    rows = Consent.objects.select_related(
        "subject__holder", "holder", "recipient", "purpose", "terms"
    )
    return rows.order_by("-recorded_at", "-pk")


def fact(consent: Consent) -> ConsentFact:
    """The consent as the rules know it."""
    return ConsentFact(
        starts=consent.starts,
        ends=consent.ends,
        record_until=consent.record_until,
        versions=versions_of(consent),
        paused_at=consent.paused_at,
        paused_until=consent.paused_until,
        ended_at=consent.ended_at,
        ending=Ending(consent.ending) if consent.ending else None,
        authority=speaking.authority(consent),
    )


def versions_of(consent: Consent) -> frozenset[int]:
    """The category versions that a yes covers."""
    items = CategorySetItem.objects.filter(set=consent.category_set_id)
    return frozenset(items.values_list("version_id", flat=True))


def extent(consent: Consent, at: datetime) -> Extent:
    """How far a yes that runs reaches."""
    own = fact(consent)
    paused = own.paused_at is not None and (own.paused_until is None or own.paused_until > at)
    return Extent(own.versions, own.starts, own.ends, own.record_until, paused)


def objections(subject: Subject) -> list[ObjectionFact]:
    """The person's standing noes as the rules know them."""
    return [
        ObjectionFact(
            recipient=each.recipient_id,
            recipient_kind=each.recipient_kind or None,
            purpose=each.purpose_id,
            category=each.category_id,
        )
        for each in Objection.objects.filter(subject=subject, lifted_at__isnull=True)
    ]


def _seen(consent: Consent, at: datetime) -> Sharing:
    own = fact(consent)
    versions = {
        version.pk: version
        for version in CategoryVersion.objects.filter(pk__in=own.versions).select_related(
            "category"
        )
    }
    stands = standing(own, at, at)
    if stands is Standing.PAUSED and own.lasts_until <= at:
        stands = Standing.EXPIRED  # nothing is left that could go on
    if stands is Standing.IN_FORCE:
        stands = word(
            consents=[own],
            objections=objections(consent.subject),
            ask=Ask(consent.recipient_id, consent.recipient.kind, consent.purpose_id),
            categories={pk: version.category_id for pk, version in versions.items()},
            since=at,
            until=at,
        ).standing
    return Sharing(
        consent=consent,
        standing=stands,
        holder=consent.holder,
        recipient=consent.recipient,
        purpose=consent.purpose,
        categories=tuple(
            sorted((version.category for version in versions.values()), key=lambda c: c.code)
        ),
        until=own.lasts_until,
        paused_until=consent.paused_until if stands is Standing.PAUSED else None,
        spoken=None if own.authority is None else speaking.spoken(consent),
        disputed=own.authority is not None and own.authority.disputed,
        reworded=own.ending is Ending.SUPERSEDED and reworded(consent.pk),
    )


def reworded(consent: int) -> bool:
    """Whether this yes, which was superseded, was so by the clock: a newer text came, and no yes to it.

    Whoever says yes anew is named.
    """
    events = ConsentEvent.objects.filter(consent=consent, happening=Happening.SUPERSEDED)
    return events.filter(by__isnull=True).exists()


def ending(holders: Collection[Organisation], at: datetime, within: timedelta) -> list[EndingSoon]:
    """Of yeses at these holders, how many people's end by themselves within so long."""
    counted = (
        Consent.objects.filter(
            holder__in=holders, ended_at__isnull=True, ends__gt=at, ends__lte=at + within
        )
        .values("recipient", "purpose")
        .annotate(people=Count("subject", distinct=True))
        .order_by("recipient", "purpose")
    )
    rows = list(counted)
    recipients = Organisation.objects.in_bulk({row["recipient"] for row in rows})
    purposes = Purpose.objects.in_bulk({row["purpose"] for row in rows})
    return [
        EndingSoon(recipients[row["recipient"]], purposes[row["purpose"]], row["people"])
        for row in rows
    ]
