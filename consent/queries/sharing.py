"""What one person shares, as she sees it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from consent.models import CategorySetItem, Consent, Objection, Spoken, Subject
from consent.queries import speaking
from consent.rules import Ask, ConsentFact, ObjectionFact, standing, word
from consent.rules.waiting import Extent
from consent.vocabulary import Ending, Standing
from governance.models import CategoryVersion, DataCategory, Organisation, Purpose, User


@dataclass(frozen=True)
class Sharing:
    """One consent as its person sees it: who, what, why, until when, and how it stands.

    `spoken`: who said yes for her, where it was not she. `disputed`: it waits until that is settled.
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


def subjects(account: User) -> QuerySet[Subject]:
    """The people, as organisations know them, that this sign-in is."""
    return Subject.objects.filter(account=account).select_related("holder").order_by("slot")


def of(account: User, at: datetime) -> list[Sharing]:
    """Everything this account ever said yes to: running ones first, then the newest."""
    found = [_seen(consent, at) for consent in _consents(account)]
    running = [each for each in found if each.standing in RUNNING]
    return running + [each for each in found if each.standing not in RUNNING]


def one(account: User, ref: str, at: datetime) -> Sharing | None:
    """One of this account's own sharings, or None for anybody else's."""
    consent = _consents(account).filter(ref=ref).first()
    return None if consent is None else _seen(consent, at)


RUNNING = {Standing.IN_FORCE, Standing.OBJECTED, Standing.PAUSED, Standing.NOT_STARTED}


def _consents(account: User) -> QuerySet[Consent]:
    return (
        Consent.objects.filter(subject__account=account)
        .select_related("subject__holder", "holder", "recipient", "purpose", "terms")
        .order_by("-recorded_at", "-pk")
    )


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
    )
