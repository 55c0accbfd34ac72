"""What happens around one person, as her own list tells it: who helps her, looked, is kept away or may
speak for her, that this is disputed, what she joined and what she asked. Each line has its entry.

Who may never speak for her is not among it: somebody could make her show him the list.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from audit.vocabulary import EntryType
from consent.models import (
    Assignment,
    Block,
    Dispute,
    Look,
    Question,
    Representative,
    Subject,
    SubjectLink,
)
from consent.queries import sharing
from governance.models import User
from release.queries.events import Event, hers, within
from release.vocabulary import Deed

HOUR = timedelta(hours=1)
AROUND = {
    *(EntryType.SUBJECT_ASSIGNED, EntryType.SUBJECT_TRANSFERRED, EntryType.SUBJECT_READ),
    *(EntryType.WORKER_BLOCKED, EntryType.WORKER_UNBLOCKED),
    *(EntryType.SPEAKER_RECORDED, EntryType.SPEAKER_ENDED),
    *(EntryType.SUBJECT_LINKED, EntryType.SUBJECT_UNLINKED),
    *(EntryType.DISPUTE_REPORTED, EntryType.DISPUTE_RESOLVED),
    *(EntryType.QUESTION_ASKED, EntryType.QUESTION_ANSWERED, EntryType.QUESTION_ERASED),
}


def of(account: User) -> list[Event]:
    """Around all whom this sign-in is, newest first."""
    found = [each for subject in sharing.subjects(account) for each in of_subject(subject)]
    return sorted(found, key=lambda each: (each.at, each.entry or 0), reverse=True)


def of_subject(subject: Subject) -> list[Event]:
    """Around one person as one holder knows her.

    Raises NotReady where the holder's key is not there: its entries are found by her tag.
    """
    told = [*_helping(subject), *_speaking(subject), *_joined(subject), *_asked(subject)]
    return [*_with_entries(subject, told), *_looked(subject)]


def _helping(subject: Subject) -> Iterator[Event]:
    helped = Assignment.objects.filter(subject=subject).select_related("membership__user")
    for row in helped:
        worker = row.membership.user
        began = EntryType.SUBJECT_ASSIGNED
        yield Event(Deed.AROUND, row.started_at, subject, None, word=began, worker=worker)
        if row.ended_at is not None:
            ended = EntryType.SUBJECT_TRANSFERRED
            yield Event(Deed.AROUND, row.ended_at, subject, None, word=ended, worker=worker)
    for away in Block.objects.filter(subject=subject).select_related("worker"):
        blocked = EntryType.WORKER_BLOCKED
        yield Event(Deed.AROUND, away.blocked_at, subject, None, word=blocked, worker=away.worker)
        if away.lifted_at is not None:
            lifted = EntryType.WORKER_UNBLOCKED
            yield Event(Deed.AROUND, away.lifted_at, subject, None, word=lifted, worker=away.worker)


def _speaking(subject: Subject) -> Iterator[Event]:
    for row in Representative.objects.filter(subject=subject):
        word, kind = EntryType.SPEAKER_RECORDED, row.kind
        yield Event(Deed.AROUND, row.recorded_at, subject, None, word=word, kind=kind)
        if row.ended_at is not None:
            word = EntryType.SPEAKER_ENDED
            yield Event(Deed.AROUND, row.ended_at, subject, None, word=word, kind=kind)
    for dispute in Dispute.objects.filter(subject=subject):
        word = EntryType.DISPUTE_REPORTED
        yield Event(Deed.AROUND, dispute.reported_at, subject, None, word=word)
        if dispute.resolved_at is not None:
            word = EntryType.DISPUTE_RESOLVED
            yield Event(Deed.AROUND, dispute.resolved_at, subject, None, word=word)


def _joined(subject: Subject) -> Iterator[Event]:
    for row in SubjectLink.objects.filter(subject=subject):
        word = EntryType.SUBJECT_LINKED
        yield Event(Deed.AROUND, row.linked_at, subject, None, word=word)
        if row.split_at is not None:
            word = EntryType.SUBJECT_UNLINKED
            yield Event(Deed.AROUND, row.split_at, subject, None, word=word)


def _asked(subject: Subject) -> Iterator[Event]:
    for row in Question.objects.filter(subject=subject):
        steps = (
            (EntryType.QUESTION_ASKED, row.asked_at),
            (EntryType.QUESTION_ANSWERED, row.answered_at),
            (EntryType.QUESTION_ERASED, row.erased_at),
        )
        for word, at in steps:
            if at is not None:
                yield Event(Deed.AROUND, at, subject, None, word=word, kind=row.topic)


def _with_entries(subject: Subject, told: list[Event]) -> list[Event]:
    """The same, each with the entry of that type and instant that bears her tag."""
    if not told:
        return []
    entries = list(hers(subject, {each.word for each in told}, {each.at for each in told}))
    found = []
    for each in told:
        known = [
            (entry, later)
            for entry, later in entries
            if entry.type == each.word and entry.time == each.at
        ]
        if known:
            entry, later = known[0]
            entries.remove(known[0])  # two at one instant have an entry each
            found.append(replace(each, entry=entry.pk, later=later))
        else:
            found.append(each)
    return found


def _looked(subject: Subject) -> Iterator[Event]:
    """Looks are kept by the hour; the entry of each lies within it and names the worker."""
    for row in Look.objects.filter(subject=subject).select_related("worker"):
        told = Event(
            *(Deed.AROUND, row.hour, subject, None),
            word=EntryType.SUBJECT_READ,
            worker=row.worker,
        )
        until, who = row.hour + HOUR, row.worker.ref
        for entry, later in within(subject, EntryType.SUBJECT_READ, who, row.hour, until):
            told = replace(told, entry=entry.pk, later=later)
        yield told
