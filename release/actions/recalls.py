"""Asking recipients to delete what they received, and what they say they did.

A no only ends what may be sent. Here the clock finds whose yes has ended since a package was picked
up, and asks it back: the tables are the queue, and finding the same twice asks once.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction

from audit.rules import NONCE_SIZE
from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType, Via
from common.errors import NotReady, RuleBroken
from common.inputs import taking
from common.words import sentence as _
from consent.queries import keys
from consent.rules import Slots
from governance.actions import trail
from governance.models import User
from governance.queries import scopes
from governance.queries.scopes import Epochs
from release.models import Recall, Recalled, RecallStep, RecallWatch, Release
from release.permissions import check_can_fetch
from release.queries import facts
from release.queries import recalls as found
from release.queries.standing import epochs_of
from release.rules import timing
from release.rules.bits import chunks_of
from release.rules.person_keys import in_hexadecimal, key_blocks
from release.rules.recalls import AskedBack
from release.rules.slots import without
from release.vocabulary import RecallState, Reported, Step

MOST = 1000  # of each kind at one round of the clock
ENTRIES = {
    Step.ACKNOWLEDGED: EntryType.RECALL_ACKNOWLEDGED,
    Step.REPORTED: EntryType.RECALL_REPORTED,
    Step.OVERDUE: EntryType.RECALL_OVERDUE,
}


def open_due(*, at: datetime) -> int:
    """Ask back what has to be; gives how many recalls were opened. Called by the clock.

    Raises NotReady, after all others are done, where a holder's key is not there: its people's tags
    cannot be made, and its packages are looked through at the next call.
    """
    for release in found.unwatched()[:MOST]:
        _watch(release)
    opened, waits = 0, None
    for watch in found.due(at)[:MOST]:
        try:
            opened += _looked_through(watch.pk, at)
        except NotReady as reason:
            waits = reason
    if waits is not None:
        raise waits
    return opened


def _watch(release: Release) -> None:
    """From the package's own epochs on: somebody may have said no while it was being sent."""
    before = epochs_of(release)
    RecallWatch.objects.get_or_create(
        release=release,
        defaults={
            "epoch_everyone": before.everyone,
            "epoch_scope": before.scope,
            "look_at": release.good_until or release.answered_at,
        },
    )


@transaction.atomic
def _looked_through(pk: int, at: datetime) -> int:
    watch = RecallWatch.objects.select_for_update().get(pk=pk)
    release = Release.objects.select_related(
        "holder", "recipient", "purpose", "version", "request__agreement"
    ).get(pk=watch.release_id)
    before = Epochs(everyone=watch.epoch_everyone, scope=watch.epoch_scope)
    moves = scopes.moves_since(before, release.recipient_id)  # first: the facts are younger
    whole = moves.whole or watch.look_at is None or watch.look_at <= at
    only = None if whole else np.array(sorted(moves.slots), dtype=np.int32)
    wanted = found.to_ask(release, at, only)
    for each in wanted.back:
        _open(release, each, at)
    watch.epoch_everyone, watch.epoch_scope = moves.epochs.everyone, moves.epochs.scope
    watch.look_at = _next(watch.look_at, wanted.look_at, at, whole=whole)
    watch.save()
    return len(wanted.back)


def _next(
    before: datetime | None, ends: datetime | None, at: datetime, *, whole: bool
) -> datetime | None:
    if ends is None:
        return None
    if whole or before is None:
        return max(ends, at + timing.LOOK_THROUGH)
    return min(before, ends)


def _open(release: Release, back: AskedBack, at: datetime) -> Recall:
    nonce = secrets.token_bytes(NONCE_SIZE)
    recall = Recall(
        release=release,
        columns=list(back.columns),
        people=len(back.slots),
        opened_at=at,
        due_at=at + timing.DELETE_WITHIN,
    )
    tags = _tags(release, back.slots, nonce)
    entry = trail.record(
        type=EntryType.RECALL_OPENED,
        by=None,
        at=at,
        via=Via.TASK,
        resource=recall.ref,
        purpose=release.purpose.code,
        subjects=len(back.slots),
        subjects_root=subjects_root(tags) if tags else None,
        nonce=nonce,
    )
    recall.entry_id = entry.pk
    recall.save()
    Recalled.objects.bulk_create(
        Recalled(recall=recall, block=block, bits=bits) for block, bits in chunks_of(back.slots)
    )
    return recall


def _tags(release: Release, slots: Slots, nonce: bytes) -> Sequence[bytes]:
    """Everybody's but of those whose key is destroyed: theirs can be made no more."""
    left = without(slots, found.destroyed(slots))
    return keys.tags_of(release.holder.ref, left.tolist(), nonce) if len(left) else []


def acknowledge(*, recall: Recall, by: User, at: datetime, via: Via) -> Recall:
    """The recipient says that it has the recall.

    Raises NotPermitted unless `by` may ask in the recipient's name; RuleBroken where it was
    acknowledged or reported before.
    """
    check_can_fetch(by, recall.release)
    with transaction.atomic():
        _step(recall, Step.ACKNOWLEDGED, by=by, at=at, via=via)
    return recall


@taking()
def report(*, recall: Recall, reported: Reported, by: User, at: datetime, via: Via) -> Recall:
    """The recipient says what it did; that also says that it has the recall.

    Raises NotPermitted unless `by` may ask in the recipient's name; RuleBroken where it was
    reported before.
    """
    check_can_fetch(by, recall.release)
    with transaction.atomic():
        _step(recall, Step.REPORTED, by=by, at=at, via=via, reported=reported)
    return recall


def mark_overdue(*, at: datetime) -> int:
    """Write down which recalls are past their day; gives how many. Called by the clock.

    They are overdue at that second, whether or not this has run: this is for the log.
    """
    count = 0
    for recall in found.overdue(at).select_related("release__purpose")[:MOST]:
        with transaction.atomic():
            current = _locked(recall)
            if not current.steps.filter(step__in=[Step.REPORTED, Step.OVERDUE]).exists():
                _written(current, Step.OVERDUE, by=None, at=at, via=Via.TASK)
                count += 1
    return count


def people(*, recall: Recall, by: User) -> list[str]:
    """The person keys, as the recipient has them in its packages, of whom the recall is about.

    Raises NotPermitted unless `by` may ask in the recipient's name; NotReady where the holder's key
    is not there.
    """
    check_can_fetch(by, recall.release)
    release = recall.release
    key = facts.ring().derived(release.holder.ref, f"person-key:{release.request.agreement.ref}")
    # In the order of the keys: that of our slots would link one recall to another.
    return sorted(in_hexadecimal(key_blocks(key, found.slots(recall))))


def _locked(recall: Recall) -> Recall:
    return (
        Recall.objects.select_for_update(of=("self",))
        .select_related("release__purpose")
        .get(pk=recall.pk)
    )


def _step(recall: Recall, step: Step, **given: Any) -> None:
    current = _locked(recall)
    standing = found.standing_of(current, given["at"])
    if standing.state == RecallState.REPORTED:
        raise RuleBroken("already_reported", _("It was reported before: nothing is left to say."))
    if step in standing.steps:
        raise RuleBroken("already_acknowledged", _("You have said before that you have it."))
    _written(current, step, **given)


def _written(
    recall: Recall,
    step: Step,
    *,
    by: User | None,
    at: datetime,
    via: Via,
    reported: Reported | None = None,
) -> None:
    entry = trail.record(
        type=ENTRIES[step],
        by=by,
        at=at,
        via=via,
        resource=recall.ref,
        purpose=recall.release.purpose.code,
        reason=reported.value if reported else "",
    )
    RecallStep.objects.create(
        recall=recall,
        step=step,
        reported=reported.value if reported else "",
        at=at,
        by=by,
        entry_id=entry.pk,
    )
