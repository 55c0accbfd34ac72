"""After a restore: what was said of who speaks for a person, and is forgotten here."""

from collections.abc import Callable
from datetime import date
from typing import Any

from audit.vocabulary import EntryType
from consent.actions import spoken
from consent.actions.found_again import Told
from consent.models import Death, Dispute, Flag, Minority, Subject
from governance.vocabulary import REPLAYED

Hand = dict[str, Any]  # by, via and the moment of the no


def repeat(told: Told, subject: Subject, hand: Hand) -> bool:
    """One of `KINDS` said again, to a person whose row is held. Gives whether it changed anything."""
    return KINDS[told["what"]](told, subject, hand)


def _minor(told: Told, subject: Subject, hand: Hand) -> bool:
    if Minority.objects.filter(ref=told["ref"]).exists():
        return False
    majority = date.fromisoformat(told["majority"])
    minority = Minority(ref=told["ref"], subject=subject, majority=majority, alone=told["alone"])
    spoken.minority_stands(minority, **hand)
    return True


def _flagged(told: Told, subject: Subject, hand: Hand) -> bool:
    if Flag.objects.filter(subject=subject, who=told["who"]).exists():
        return False
    flag = Flag(ref=told["ref"], subject=subject, who=told["who"], threat=told["threat"])
    spoken.flag_stands(flag, **hand)
    return True


def _silenced(told: Told, subject: Subject, hand: Hand) -> bool:
    found = [each for each in spoken.held(subject) if each.ref == told["ref"]]
    spoken.silence(found, **hand)
    return bool(found)


def _disputed(told: Told, subject: Subject, hand: Hand) -> bool:
    mine = Dispute.objects.filter(subject=subject)
    if mine.filter(ref=told["ref"]).exists() or mine.filter(resolved_at=None).exists():
        return False
    spoken.dispute_stands(Dispute(ref=told["ref"], subject=subject), **hand)
    return True


def _died(told: Told, subject: Subject, hand: Hand) -> bool:
    """What two had said, or one with the paper, the file of noes says now: it stands for the paper."""
    mine = Death.objects.filter(subject=subject)
    known = mine.filter(ref=told["ref"]).first()
    if known is not None and (known.counts_at or known.taken_back_at):
        return False
    for each in mine.filter(taken_back_at=None):  # said here by one, and waiting for a second
        if each.counts_at is not None:
            return False
        each.taken_back_at, each.taken_back_by = hand["moment"].at, hand["by"]
        each.save(update_fields=["taken_back_at", "taken_back_by"])
    again = {} if known is not None else {"ref": told["ref"]}
    death = Death(subject=subject, documented=True, **again)
    death.reported_by, death.reported_at = hand["by"], hand["moment"].at
    death.entry = spoken.noted(EntryType.DEATH_REPORTED, subject, reason=REPLAYED, **hand)
    spoken.death_counts(death, **hand)
    return True


KINDS: dict[str, Callable[[Told, Subject, Hand], bool]] = {
    "minor": _minor,
    "flagged": _flagged,
    "silenced": _silenced,
    "disputed": _disputed,
    "died": _died,
}
