"""Comparing the log with what is kept is a deed: it leaves an entry with its verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from governance.actions import trail
from governance.models import User
from oversight.permissions import check_can_reconcile
from oversight.queries.checks import CHECKS
from oversight.queries.looks import Check
from oversight.vocabulary import Finding, Skipped

RESOURCE = "reconcile"
HOLDS, FINDINGS = "agrees", "differs"
Tell = Callable[[Finding], None]
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Reconciled:
    """How many rows were looked at, a row once for each comparison, how many findings there were, and
    how much could be compared in part only, for somebody's key was destroyed."""

    looked_at: int
    findings: int
    in_part: int = 0


def reconcile(
    *,
    by: User,
    at: datetime,
    via: Via,
    tell: Tell,
    progress: Progress = lambda what, done: None,
) -> Reconciled:
    """Compare releases, entries, packages, uses and downloads with one another, each pair both ways;
    consents with their events; and everybody in a release with their noes.

    `tell` is given each finding as it is found, `progress` what is being compared and how many rows
    of it are done; nothing is gathered. Raises NotPermitted unless `by` may; NotReady where the key
    of a holder is not there, for then nobody can tell whose entry is whose.
    """
    check_can_reconcile(by)
    looked_at = findings = in_part = 0
    for what, check in CHECKS:
        done, found, skipped = _run(check, what, tell, progress)
        looked_at, findings, in_part = looked_at + done, findings + found, in_part + skipped
    with transaction.atomic():
        trail.record(
            type=EntryType.LOG_VERIFIED,
            by=by,
            at=at,
            via=via,
            resource=RESOURCE,
            reason=FINDINGS if findings else HOLDS,
        )
    return Reconciled(looked_at, findings, in_part)


def _run(check: Check, what: str, tell: Tell, progress: Progress) -> tuple[int, int, int]:
    done = found = skipped = 0

    def step(count: int) -> None:
        nonlocal done
        done += count
        progress(what, done)

    for finding in check(step):
        if isinstance(finding, Skipped):
            skipped += 1
            continue
        found += 1
        tell(finding)
    return done, found, skipped
