"""Tags that an entry could not bear itself: of what was written while a key was away, and of a key
that is about to be destroyed (ADR 18)."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from audit.rules import tag
from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType, Via
from common.errors import NotReady, RuleBroken
from consent.actions import subjects
from consent.models import LateTag, LeftTag, Subject
from consent.queries import keys, tags
from governance.actions import trail
from governance.models import Organisation

MOST = 500  # in one entry: its proofs are short, and nobody waits for the rest


def wait(entry: int, people: Iterable[Subject]) -> None:
    """Keep whom an entry is about that bears no tag of theirs; part of the deed that wrote it."""
    LateTag.objects.bulk_create(LateTag(entry_id=entry, subject=each) for each in people)


def catch_up(*, at: datetime) -> int:
    """The clock: what was written while a key was away gets its tag, now that the key is back.

    One entry for a holder and a round bears the tags of all of these, sorted, so that nobody reads
    from it which earlier entry belongs to which. Gives how many there were; whose key is still away
    go on waiting. Calling twice is harmless.
    """
    return sum(_caught_up(holder, at) for holder in tags.holders_waited_for())


def _caught_up(holder: Organisation, at: datetime) -> int:
    try:
        with transaction.atomic():
            return _tagged(holder, at)
    except (NotReady, RuleBroken):  # its key is away, or somebody was shredded just now
        return 0


def _tagged(holder: Organisation, at: datetime) -> int:
    waiting = tags.waiting().filter(subject__holder=holder).order_by("pk")
    chosen = dict(waiting.values_list("pk", "subject_id")[:MOST])
    subjects.hold(chosen.values())  # nobody among them is shredded meanwhile
    rows = list(
        LateTag.objects.select_for_update(of=("self",))
        .filter(pk__in=chosen, tagged__isnull=True)  # another clock may have been first
        .select_related("subject", "entry")
    )
    own = keys.those_opened(
        holder.ref, {row.subject_id: bytes(row.subject.wrapped_key) for row in rows}
    )
    made = {
        row.pk: tag(own[row.subject_id], bytes(row.entry.nonce))
        for row in rows
        if row.subject_id in own
    }
    if not made:
        return 0
    entry = trail.record(
        type=EntryType.SUBJECT_TAGGED,
        by=None,
        at=at,
        via=Via.TASK,
        resource=holder.ref,
        subjects=len(own),
        subjects_root=subjects_root(made.values()),
    )
    return LateTag.objects.filter(pk__in=made).update(tagged=entry.pk)


def leave(subject: Subject, pairs: Iterable[tuple[int, bytes]]) -> None:
    """Keep her tags in entries that are about others too: their proofs go through them.

    `pairs`: the entry that covers a tag, and the nonce it is made under. Nothing where her key does
    not open: then nobody can make them, and the others lose their way in these entries.
    """
    wanted = set(pairs)
    try:
        own = keys.own_key(subject)
    except NotReady:
        return
    made = {(entry, tag(own, nonce)) for entry, nonce in wanted}
    known = tags.left_already(subject, [entry for entry, _ in wanted])
    LeftTag.objects.bulk_create(
        LeftTag(entry_id=entry, subject=subject, tag=value) for entry, value in sorted(made - known)
    )
