"""Comparing the log with what is kept is a deed: it leaves an entry with its verdict."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from django.db import transaction

from audit.vocabulary import EntryType, Via
from governance.actions import trail
from governance.models import User
from oversight.permissions import check_can_reconcile
from oversight.queries.checks import CHECKS
from oversight.queries.looks import Check
from oversight.vocabulary import Finding, Locked, Skipped, Uncommitted

RESOURCE = "reconcile"
HOLDS, IN_PART, FINDINGS = "agrees", "agrees-in-part", "differs"
Tell = Callable[[Finding], None]
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Unchecked:
    """How many rows of one comparison hang on the key of a holder that does not open here."""

    holder: str
    what: str
    count: int


@dataclass(frozen=True)
class Reconciled:
    """How many rows were looked at, a row once for each comparison, how many findings there were, how
    much could be compared in part only, for somebody's key was destroyed, how much was written before
    entries committed to it, and what waits for a key."""

    looked_at: int
    findings: int
    in_part: int
    uncommitted: int
    unchecked: tuple[Unchecked, ...]


def reconcile(
    *,
    by: User,
    at: datetime,
    via: Via,
    tell: Tell,
    progress: Progress = lambda what, done: None,
) -> Reconciled:
    """Compare releases, entries, packages, uses and downloads with one another, each pair both ways;
    consents with their events and with what was committed to; and everybody in a release with their noes.

    `tell` is given each finding as it is found, `progress` what is being compared and how many rows
    of it are done; nothing is gathered. Where the key of a holder is not there, nobody can tell whose
    entry is whose: everything else is compared, and what was not is counted. Raises NotPermitted
    unless `by` may.
    """
    check_can_reconcile(by)
    looked_at = findings = in_part = uncommitted = 0
    unchecked: list[Unchecked] = []
    for what, check in CHECKS:
        one = _run(check, what, tell, progress)
        looked_at, findings = looked_at + one.looked_at, findings + one.findings
        in_part, uncommitted = in_part + one.in_part, uncommitted + one.uncommitted
        unchecked += one.unchecked
    with transaction.atomic():
        trail.record(
            type=EntryType.LOG_VERIFIED,
            by=by,
            at=at,
            via=via,
            resource=RESOURCE,
            reason=FINDINGS if findings else IN_PART if unchecked else HOLDS,
        )
    return Reconciled(
        looked_at,
        findings,
        in_part,
        uncommitted,
        tuple(sorted(unchecked, key=lambda each: each.holder)),
    )


def _run(check: Check, what: str, tell: Tell, progress: Progress) -> Reconciled:
    done = found = skipped = bare = 0
    locked: Counter[str] = Counter()

    def step(count: int) -> None:
        nonlocal done
        done += count
        progress(what, done)

    for finding in check(step):
        match finding:
            case Skipped():
                skipped += 1
            case Uncommitted():
                bare += 1
            case Locked(holder=holder):
                locked[holder] += 1
            case Finding():
                found += 1
                tell(finding)
            case never:
                assert_never(never)
    waits = (Unchecked(holder, what, count) for holder, count in sorted(locked.items()))
    return Reconciled(done, found, skipped, bare, tuple(waits))
