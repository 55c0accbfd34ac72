"""Preparing one release: gather, decide, write the parts, catch up with noes, commit.

The protocol's section 6: epochs first, then facts, unlocked; parts written outside any transaction;
what moved meanwhile is written again, at last under the shared locks or left out.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from pyrage import x25519

from audit.tlog.subjects import subjects_root
from audit.tlog.texts import HASH_SIZE
from consent.queries import keys as subject_keys
from consent.rules import Slots
from governance.actions import scopes
from governance.models import RecipientKey
from governance.queries import clock
from governance.queries import scopes as scope_queries
from governance.queries.scopes import Epochs
from governance.vocabulary import PackageFormat
from release.actions import answers, leases
from release.engine.parts import Engine, Keys, Limits, Source, Written
from release.engine.plan import Shape
from release.models import DatasetVersion, Release
from release.queries import facts, versions
from release.rules import timing
from release.rules.decide import (
    People,
    Plan,
    Refusal,
    WholeFacts,
    decide,
    revised,
    whole_grounds,
)
from release.rules.slots import both
from release.storage import store
from release.vocabulary import ReleaseState


class StartAgain(Exception):
    """What the writing stood on has changed as a whole."""


@dataclass(frozen=True)
class Tagged:
    """The people of one part, sorted, and the tag of each: 32 bytes after 32 bytes."""

    slots: Slots
    tags: bytes

    def of(self, slots: Slots) -> list[bytes] | None:
        """Their tags, or None where somebody is not among them."""
        at = np.searchsorted(self.slots, slots)
        at = at[at < len(self.slots)]
        if len(at) < len(slots) or np.any(self.slots[at] != slots):
            return None
        return [self.tags[start : start + HASH_SIZE] for start in (at * HASH_SIZE).tolist()]


@dataclass
class Work:
    """One preparing of one release: what was decided and what has been written so far."""

    release: Release
    worker: str
    version: DatasetVersion
    key: RecipientKey
    whole: WholeFacts
    plan: Plan
    until: datetime
    epochs: Epochs
    nonce: bytes
    sources: list[Source]
    parts: dict[int, Written]
    roots: dict[int, bytes]
    tagged: dict[int, Tagged] = field(default_factory=dict)
    stale: dict[int, Written] = field(default_factory=dict)
    seconds_a_part: float = 0.0
    left_out: list[Slots] = field(default_factory=list)


def answer(release: Release, worker: str, attempt: int = 0) -> Release:
    """Decide one waiting release and write its package or its refusal; the caller has the lease.

    `attempt`: how often it was begun before; each gives itself twice as long.
    Raises StartAgain where the whole changed meanwhile, leases.Lost where the lease has run out,
    NotReady where it cannot be done now.
    """
    version = facts.current_version(release)
    since = clock.now()
    epochs = scope_queries.epochs(release.recipient_id)  # first; the facts are younger than it
    until = since + timing.margin(version.rows if version else 0, attempt)
    gathered = facts.gather_facts(release, version, since, until)
    decided = decide(gathered)
    if isinstance(decided, Refusal):
        return _refuse(release, decided, version, worker)
    key = facts.current_key(release)
    if version is None or key is None:  # decide() has refused already; said again for the reader
        raise StartAgain
    work = Work(
        release=release,
        worker=worker,
        version=version,
        key=key,
        whole=gathered.whole,
        plan=decided,
        until=until,
        epochs=epochs,
        nonce=secrets.token_bytes(16),
        sources=[Source(*row) for row in versions.sources(version)],
        parts={},
        roots={},
    )
    try:
        with _engine(work) as running:
            _write(running, work, work.sources)
            _catch_up(running, work)
            done = _commit(running, work)
    except (DatabaseError, InterfaceError):
        raise  # cut off at its commit, it may have committed: the sweep looks whose the drafts are
    except BaseException:
        _throw_away(work.parts.values())
        raise
    return done


def _engine(work: Work) -> Engine:
    release, ring = work.release, facts.ring()
    agreement = release.request.agreement
    types = facts.column_types(work.version)
    identity, *former = ring.identities(release.holder.ref)
    return Engine(
        shape=Shape(
            columns=work.plan.columns,
            types=tuple(types[column.name] for column in work.plan.columns),
            people_per_row=work.version.people_per_row,
            format=PackageFormat(release.format),
        ),
        keys=Keys(
            identity=identity,
            former=tuple(former),
            person=ring.derived(release.holder.ref, f"person-key:{agreement.ref}"),
            recipient=x25519.Recipient.from_str(work.key.public_key),
        ),
        limits=Limits(settings.ENGINE_MEMORY_MB, settings.ENGINE_WORKERS),
        store=store(),
        folder=f"packages/{release.ref}",
    )


def _write(running: Engine, work: Work, sources: Iterable[Source]) -> None:
    """Write these parts with the plan's people; drafts they replace are thrown away."""
    chosen = list(sources)
    began = clock.now()

    def name(source: Source) -> str:
        return f"{secrets.token_hex(8)}-{source.number}.age"

    older = {source.number: work.parts.pop(source.number, None) for source in chosen}
    for source in chosen:
        work.roots.pop(source.number, None)
    for written in running.write(chosen, work.plan.people, name):
        work.parts[written.source.number] = written
        work.roots[written.source.number] = subjects_root(_tags(work, written))
    _throw_away(part for part in older.values() if part is not None)
    took = (clock.now() - began).total_seconds()
    work.seconds_a_part = took / max(1, len(chosen))


def _tags(work: Work, written: Written) -> list[bytes]:
    """The tags of a part's people; a part written again is of people whose tags are made already."""
    number = written.source.number
    known = work.tagged[number].of(written.slots) if number in work.tagged else None
    if known is not None:
        return known
    try:
        tags = subject_keys.tags_of(work.release.holder.ref, written.slots.tolist(), work.nonce)
    except subject_keys.KeyDestroyed as moved:  # shredded since the words were gathered
        raise StartAgain from moved
    work.tagged[number] = Tagged(written.slots, b"".join(tags))
    return tags


def _throw_away(parts: Iterable[Written]) -> None:
    for part in parts:
        if part.name:
            store().delete(part.name)


def _catch_up(running: Engine, work: Work) -> None:
    """Write the touched parts again, outside the lock, while that gets shorter."""
    before = len(work.sources) + 1
    for _ in range(timing.LONGEST_ROUNDS):
        touched = _apply_moves(work)
        cost = len(touched) * work.seconds_a_part
        if cost <= timing.ROUND_ENOUGH or len(touched) >= before:
            _mark_stale(work, touched)
            return
        before = len(touched)
        _write(running, work, touched)
    _mark_stale(work, _apply_moves(work))


def _mark_stale(work: Work, touched: list[Source]) -> None:
    """Parts whose people said no since: the commit writes them again under the lock."""
    for source in touched:
        part = work.parts.pop(source.number)
        _throw_away([part])
        work.roots.pop(source.number)
        work.stale[source.number] = part


def _apply_moves(work: Work) -> list[Source]:
    """Take into the plan every no since its epochs; gives the parts that hold any of them.

    Raises StartAgain where a no was about the whole and the whole is no longer as it was.
    """
    moves = scope_queries.moves_since(work.epochs, work.release.recipient_id)
    if moves.epochs == work.epochs:
        return []
    if moves.whole and facts.gather_whole(work.release, work.version) != work.whole:
        raise StartAgain
    gone = np.array(sorted(moves.slots), dtype=np.int32)
    inside = both(gone, work.plan.people.slots)
    if len(inside):
        words = facts.gather_words(work.release, clock.now(), work.until, inside)
        before = work.plan.people
        work.plan = revised(work.plan, words, inside)
        inside = _changed(before, work.plan.people, inside)
    work.epochs = moves.epochs
    return [part.source for part in work.parts.values() if np.isin(inside, part.slots).any()]


def _changed(before: People, after: People, slots: Slots) -> Slots:
    """Those of the slots for whom less is open than before."""
    found = []
    for slot in slots:
        old = before.where(before.slots == slot)
        new = after.where(after.slots == slot)
        if (
            not len(new.slots)
            or new.groups[0] != old.groups[0]
            or new.record_until[0] != old.record_until[0]
        ):
            found.append(slot)
    return np.array(found, dtype=np.int32)


def _commit(running: Engine, work: Work) -> Release:
    """The last look and the writing down, under the shared locks."""
    with scopes.steady(recipient=work.release.recipient_id) as moment:
        if moment.at >= work.until:
            raise StartAgain
        current = _still_waiting(work.release, work.worker)
        whole = facts.gather_whole(current, work.version)
        against = whole_grounds(whole, moment.at, moment.at)
        if against:
            _throw_away(work.parts.values())
            work.parts.clear()
            return answers.record_refusal(current, Refusal(against), work.version, moment)
        if whole != work.whole or facts.current_key(current) != work.key:
            raise StartAgain
        _mark_stale(work, _apply_moves(work))
        stale = [part.source for part in work.stale.values()]
        if len(stale) * work.seconds_a_part <= timing.LOCKED_MOST:
            _write(running, work, stale)
        else:
            # Too much changed to write it again in time: these parts' people are kept back.
            work.left_out = [part.slots for part in work.stale.values()]
        return answers.record(_prepared(current, work, moment))


def _still_waiting(release: Release, worker: str) -> Release:
    current = Release.objects.select_for_update(of=("self",)).get(pk=release.pk)
    if current.state != ReleaseState.WAITING:
        raise StartAgain  # another worker has answered; the lease had run out
    leases.check(release=release, worker=worker)
    return release


def _refuse(
    release: Release, refusal: Refusal, version: DatasetVersion | None, worker: str
) -> Release:
    """A refusal of the whole is an answer too: written under the same locks."""
    with scopes.steady(recipient=release.recipient_id) as moment:
        current = _still_waiting(release, worker)
        return answers.record_refusal(current, refusal, version, moment)


def _prepared(release: Release, work: Work, moment: scopes.Moment) -> answers.Prepared:
    return answers.Prepared(
        release=release,
        version=work.version,
        key=work.key,
        plan=work.plan,
        parts=[part for part in work.parts.values() if part.rows],
        roots=[work.roots[part.source.number] for part in work.parts.values() if part.rows],
        in_period=[part.in_period for part in work.parts.values()],
        left_out=work.left_out,
        nonce=work.nonce,
        moment=moment,
    )
