"""What is to be shredded, when, and what the law keeps from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from audit import queries as log
from audit.rules import opened_detail
from consent.models import LegalHold, Shredding, Subject
from consent.queries import keys
from consent.rules.holds import HoldFact, held, shredded_on
from governance.models import Organisation, User


@dataclass(frozen=True)
class Waiting:
    """One shredding that is not carried out yet, as pages show it.

    `on`: when it will be; None while nobody has agreed. `held_until`: the law keeps the record
    until then at the longest; None where it does not.
    """

    shredding: Shredding
    holder: Organisation
    on: datetime | None
    held_until: datetime | None


@dataclass(frozen=True)
class Kept:
    """One legal hold in force, as pages show it."""

    hold: LegalHold
    holder: Organisation


def open_ones() -> QuerySet[Shredding]:
    """Neither carried out nor called off."""
    return (
        Shredding.objects.filter(
            called_off_at__isnull=True,
            shredded_at__isnull=True,
            subject__shredded_at__isnull=True,  # a restored copy learnt it from the file of noes
        )
        .select_related("subject__holder", "asked_by", "agreed_by", "entry")
        .order_by("asked_at", "pk")
    )


def holds_in_force(at: datetime) -> QuerySet[LegalHold]:
    return (
        LegalHold.objects.filter(ends__gt=at, lifted_at__isnull=True)
        .select_related("subject__holder", "placed_by", "entry")
        .order_by("ends", "pk")
    )


def delay() -> timedelta:
    """Between the second yes and the end."""
    return timedelta(days=settings.SHRED_DAYS)


def is_held(subject: Subject, at: datetime) -> bool:
    return held(_holds(subject), at)


def due(shredding: Shredding) -> datetime | None:
    """When it is carried out; None while nobody has agreed."""
    if shredding.agreed_at is None:
        return None
    return shredded_on(shredding.agreed_at, _holds(shredding.subject), delay())


def due_by(at: datetime) -> list[Shredding]:
    """What two have agreed to, nobody called off, and the law does not keep: the delay has passed."""
    agreed = open_ones().filter(agreed_at__isnull=False)
    return [each for each in agreed if (due(each) or at) <= at]


def uncleaned(until: datetime) -> QuerySet[Shredding]:
    """Carried out by then, and not yet out of the file of noes."""
    return Shredding.objects.filter(shredded_at__lte=until, cleaned_at__isnull=True).select_related(
        "subject"
    )


def of_holders(holders: Sequence[Organisation], at: datetime) -> list[Waiting]:
    """What waits at these organisations."""
    return [_waiting(each, at) for each in open_ones().filter(subject__holder__in=holders)]


def kept_by(holders: Sequence[Organisation], at: datetime) -> list[Kept]:
    """The holds at these organisations."""
    found = holds_in_force(at).filter(subject__holder__in=holders)
    return [Kept(each, each.subject.holder) for each in found]


def of_account(account: User, at: datetime) -> tuple[list[Waiting], list[Kept]]:
    """What waits for whoever signs in so, and what the law keeps of hers."""
    waiting = [_waiting(each, at) for each in open_ones().filter(subject__account=account)]
    kept = holds_in_force(at).filter(subject__account=account)
    return waiting, [Kept(each, each.subject.holder) for each in kept]


def why(shredding: Shredding) -> str:
    """The words of whoever asked, opened with the person's own key.

    Raises NotReady where her holder's key is not there.
    """
    return _opened(shredding)


def document(hold: LegalHold) -> str:
    """The SHA-256 of the paper a hold rests on, opened likewise; empty after a restore."""
    return _opened(hold)


def _opened(row: Shredding | LegalHold) -> str:
    sealed = log.sealed_detail(row.entry_id)
    if sealed is None:
        return ""
    return opened_detail(keys.own_key(row.subject), bytes(row.entry.nonce), sealed)


def _waiting(shredding: Shredding, at: datetime) -> Waiting:
    subject = shredding.subject
    ends = [fact.until for fact in _holds(subject) if at < fact.until]
    return Waiting(shredding, subject.holder, due(shredding), max(ends) if ends else None)


def _holds(subject: Subject) -> Iterable[HoldFact]:
    rows = LegalHold.objects.filter(subject=subject).values_list("ends", "lifted_at")
    return [HoldFact(ends, lifted_at) for ends, lifted_at in rows]
