"""What is written about an ask for a yes; and a no that takes back what waits."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType, Via
from consent.actions import tagging
from consent.models import ConsentEvent, Proposal, ProposalStep
from consent.queries import facts, keys, words
from consent.vocabulary import ProposalState, Turn
from governance.actions import scopes, trail
from governance.models import DataCategory, Organisation, Purpose, User
from governance.vocabulary import OrganisationKind

ENTRIES = {
    Turn.ASKED: EntryType.CONSENT_REQUESTED,
    Turn.DEFERRED: EntryType.CONSENT_DEFERRED,
    Turn.SIGNED: EntryType.CONSENT_SIGNED,
    Turn.REFUSED: EntryType.CONSENT_REFUSED,
    Turn.LAPSED: EntryType.CONSENT_LAPSED,
    Turn.CANCELLED: EntryType.CONSENT_CANCELLED,
}
CLOSED = {
    Turn.REFUSED: ProposalState.REFUSED,
    Turn.LAPSED: ProposalState.LAPSED,
    Turn.CANCELLED: ProposalState.CANCELLED,
}


def locked() -> QuerySet[Proposal]:
    rows = Proposal.objects.select_for_update(of=("self",))
    return rows.select_related(
        "subject__holder", "recipient", "purpose", "terms", "signed_by", "renews"
    )


def turned(proposal: Proposal, turn: Turn, *, by: User | None, at: datetime, via: Via) -> None:
    """One step with its entry. Which purpose it was about the log hears only of what was asked."""
    nonce = secrets.token_bytes(16)
    no = turn in CLOSED
    tag, reason = keys.tag_in(proposal.subject, nonce, no=no)
    entry = trail.record(
        type=ENTRIES[turn],
        by=by,
        at=at,
        via=via,
        resource=tag.hex(),
        reason=reason,
        purpose="" if no else proposal.purpose.code,
        subjects=1,
        subjects_root=subjects_root([tag]),
        nonce=nonce,
        detail=words.beside_ask(proposal.pk),
    )
    if reason:
        tagging.wait(entry.pk, [proposal.subject])
    ProposalStep.objects.create(proposal=proposal, turn=turn, at=at, entry=entry)


def closed(proposal: Proposal, turn: Turn, *, by: User | None, at: datetime, via: Via) -> None:
    """The ask is over without a yes."""
    proposal.state, proposal.closed_at = CLOSED[turn], at
    proposal.save(update_fields=["state", "closed_at"])
    turned(proposal, turn, by=by, at=at, via=via)


def came_into_force(proposal: Proposal, turns: Sequence[Turn], at: datetime) -> None:
    """The ask has become the yes `proposal.consent`; its steps stand under that yes's own entry."""
    proposal.state, proposal.closed_at = ProposalState.GIVEN, at
    proposal.save()
    first = ConsentEvent.objects.filter(consent=proposal.consent).order_by("pk")[:1].get()
    ProposalStep.objects.bulk_create(
        ProposalStep(proposal=proposal, turn=turn, at=at, entry_id=first.entry_id) for turn in turns
    )


def drop(
    slots: Sequence[int],
    *,
    recipient: Organisation | None = None,
    recipient_kind: OrganisationKind | None = None,
    purpose: Purpose | None = None,
    category: DataCategory | None = None,
    by: User,
    via: Via,
    moment: scopes.Moment,
) -> None:
    """Inside a no: every yes of theirs that it speaks about and that still waits is taken back.

    A no to one kind of information takes back whatever would open that kind.
    """
    waiting = locked().filter(subject__in=slots, state=ProposalState.WAITING)
    if recipient is not None:
        waiting = waiting.filter(recipient=recipient)
    if recipient_kind:
        waiting = waiting.filter(recipient__kind=recipient_kind)
    if purpose is not None:
        waiting = waiting.filter(purpose=purpose)
    if category is not None:
        waiting = waiting.filter(chosen__items__version__category=category)
    for proposal in waiting.order_by("pk"):
        closed(proposal, Turn.CANCELLED, by=by, at=moment.at, via=via)
        moment.tell(**facts.cancelled(proposal))
