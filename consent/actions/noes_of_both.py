"""Once a person has joined two records of hers, every no of either counts for both; a yes stays where
it was given.

Source: design, SubjectLink. Noes said after joining count wherever she is known by themselves.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from audit.vocabulary import Via
from consent.actions import drafts, giving, standing
from consent.actions.happenings import end, said_once
from consent.models import Consent, Objection, Proposal, Subject
from consent.queries.objections import own, words
from consent.vocabulary import Ending, ProposalState
from governance.actions import scopes
from governance.models import Organisation, Purpose, User

AT_ONCE = timedelta(microseconds=1)  # how long a no lasts that does not go on standing
Stop = tuple[Organisation | None, Purpose | None, datetime]  # to whom, what for, when


def count(first: Subject, second: Subject, *, by: User, via: Via, moment: scopes.Moment) -> None:
    """Inside a no that holds both: what she said about one she has said about the other, too."""
    for told, other in ((first, second), (second, first)):
        _standing(told, other, by=by, via=via, moment=moment)
    # Read before any is written: a stop that is carried over is not carried back.
    stopped = [(second, each) for each in _stops(first)] + [
        (first, each) for each in _stops(second)
    ]
    for other, stop in stopped:
        _stopped(other, stop, by=by, via=via, moment=moment)


def _standing(told: Subject, other: Subject, *, by: User, via: Via, moment: scopes.Moment) -> None:
    there = {words(each) for each in _stand(other)}
    for no in _stand(told):
        if words(no) in there:
            continue
        named: standing.Named = {
            "recipient": no.recipient,
            "recipient_kind": no.recipient_kind,
            "purpose": no.purpose,
            "category": no.category,
        }
        standing.said(other, named, by=by, via=via, moment=moment)
        drafts.drop([other.slot], **named, by=by, via=via, moment=moment)


def _stand(subject: Subject) -> QuerySet[Objection]:
    """Her own standing noes: what belongs to something undecided stays where it is."""
    rows = own(Objection.objects.filter(subject=subject, lifted_at__isnull=True))
    return rows.select_related("recipient", "purpose", "category").order_by("pk")


def _stops(subject: Subject) -> list[Stop]:
    """What she stopped here, each the last time: yeses that she ended, and stops said aloud."""
    last: dict[tuple[Organisation | None, Purpose | None], datetime] = {}
    for recipient, purpose, at in _all_stops(subject):
        key = (recipient, purpose)
        last[key] = max(at, last.get(key, at))
    return [(recipient, purpose, at) for (recipient, purpose), at in last.items()]


def _all_stops(subject: Subject) -> Iterator[Stop]:
    ended = Consent.objects.filter(subject=subject, ending=Ending.WITHDRAWN)
    for yes in ended.select_related("recipient", "purpose"):
        if yes.ended_at is not None:
            yield yes.recipient, yes.purpose, yes.ended_at
    aloud = Objection.objects.filter(subject=subject, lifted_at=F("made_at") + AT_ONCE)
    for no in aloud.select_related("recipient", "purpose"):
        yield no.recipient, no.purpose, no.made_at


def _stopped(other: Subject, stop: Stop, *, by: User, via: Via, moment: scopes.Moment) -> None:
    """A yes that she signed before it ends; where no newer yes stands or waits, none that is older
    comes into force any more."""
    recipient, purpose, at = stop
    about = Q(subject=other)
    about &= Q() if recipient is None else Q(recipient=recipient)
    about &= Q() if purpose is None else Q(purpose=purpose)
    running = giving.held().filter(about, ended_at__isnull=True)
    for each in running.filter(signed_at__lte=at):
        end(each, Ending.WITHDRAWN, by=by, via=via, moment=moment)
    newer = Proposal.objects.filter(about, state=ProposalState.WAITING, signed_at__gt=at)
    if newer.exists() or running.filter(signed_at__gt=at).exists():
        return
    drafts.drop([other.slot], recipient=recipient, purpose=purpose, by=by, via=via, moment=moment)
    said_once(other.slot, recipient, purpose, by=by, via=via, moment=moment)
