"""What the deeds about helpers write, inside their transactions."""

from datetime import datetime

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.words import sentence as _
from consent.actions.wiping import known, unknown, written
from consent.models import Assignment, Block, EnrolmentCode, Subject
from consent.permissions import can_help, is_blocked
from consent.queries import enrolment, facts
from governance import permissions as governance
from governance.actions import scopes
from governance.models import Membership, Organisation, User
from governance.rules import closing
from governance.vocabulary import Role


def met(holder: Organisation, typed: str, by: User) -> Subject:
    """Whom a client number, or a code that an advocate once gave her, leads to.

    Raises RuleBroken where it leads to nobody, in the same words as where she keeps `by` away.
    """
    try:
        subject = known(holder, typed)
    except RuleBroken:
        code = _by_code(holder, typed)
        if code is None:
            raise
        subject = code.subject
    if is_blocked(by, subject):
        raise unknown()
    return subject


def helped(holder: Organisation, number: str, by: User) -> Subject:
    """The same where `by` helps her; in the same words where not."""
    subject = met(holder, number, by)
    if not can_help(by, subject):
        raise unknown()
    return subject


def _by_code(holder: Organisation, typed: str) -> EnrolmentCode | None:
    """A code that was given, used or not: here it opens nothing, it only says whose it was."""
    return enrolment.given_to(holder, typed)


def role_of(worker: User, holder: Organisation) -> Membership | None:
    """The role by which somebody can help here; None where they have none."""
    if not governance.can_advise(worker, holder):
        return None
    held = Membership.objects.filter(
        user=worker, organisation=holder, role=Role.ADVOCATE, ended_at__isnull=True
    )
    return held.first()


def not_free() -> RuleBroken:
    """The same words whatever the reason: whom she keeps away is hers to know."""
    return RuleBroken("cannot_help", _("This colleague cannot help this person now."))


def begin(subject: Subject, role: Membership, *, by: User, at: datetime, via: Via) -> Assignment:
    """From now on this advocate helps her; the caller holds her row."""
    made = Assignment.objects.create(subject=subject, membership=role, begun_by=by, started_at=at)
    written(EntryType.SUBJECT_ASSIGNED, subject, by=by, at=at, via=via, reason=role.user.ref)
    return made


def begin_first(subject: Subject, *, by: User, at: datetime, via: Via) -> None:
    """Whoever first gives her a code helps her, where nobody ever did."""
    role = role_of(by, subject.holder)
    if role is not None and not Assignment.objects.filter(subject=subject).exists():
        begin(subject, role, by=by, at=at, via=via)


def end(assignment: Assignment, *, by: User, via: Via, moment: scopes.Moment) -> None:
    assignment.ended_at = closing(assignment.started_at, moment.at)
    assignment.save(update_fields=["ended_at"])
    moment.tell(**facts.handed_on(assignment))
    worker = assignment.membership.user
    written(
        EntryType.SUBJECT_TRANSFERRED,
        assignment.subject,
        by=by,
        at=moment.at,
        via=via,
        reason=worker.ref,
    )


def keep_away(
    subject: Subject, worker: User, *, by: User, via: Via, moment: scopes.Moment
) -> Block:
    block = Block.objects.create(
        subject=subject, worker=worker, blocked_by=by, blocked_at=moment.at
    )
    moment.tell(**facts.kept_away(block))
    written(EntryType.WORKER_BLOCKED, subject, by=by, at=moment.at, via=via, reason=worker.ref)
    return block
