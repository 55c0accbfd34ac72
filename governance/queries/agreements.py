"""Readings of agreements."""

from datetime import UTC, datetime
from hashlib import sha256

import rfc8785
from django.db.models import Q, QuerySet

from governance.models import Agreement, User
from governance.queries import people
from governance.rules import AgreementFact
from governance.vocabulary import AgreementState, Role


def visible_to(user: User, at: datetime) -> QuerySet[Agreement]:
    """The agreements of the organisations this user is of."""
    own = people.organisations_of(user, at)
    return (
        Agreement.objects.filter(Q(holder__in=own) | Q(recipient__in=own))
        .select_related("holder", "recipient")
        .order_by("-created_at", "-pk")
    )


def to_sign(user: User, at: datetime) -> QuerySet[Agreement]:
    """The drafts that wait for a signature of an organisation this user administers."""
    own = people.organisations_of(user, at, Role.ADMINISTRATOR)
    drafts = Agreement.objects.filter(state=AgreementState.DRAFT, ends__gt=at)
    holds = drafts.filter(holder__in=own).exclude(signatures__organisation__in=own)
    receives = drafts.filter(recipient__in=own).exclude(signatures__organisation__in=own)
    return (holds | receives).distinct().order_by("-created_at", "-pk")


def in_force(at: datetime) -> QuerySet[Agreement]:
    """What is signed by both, not suspended, and in its period at this instant."""
    return Agreement.objects.filter(
        state=AgreementState.IN_FORCE, starts__lte=at, ends__gt=at
    ).select_related("holder", "recipient")


def fact(agreement: Agreement) -> AgreementFact:
    """What the agreement says, for the rules."""
    return AgreementFact(
        holder=agreement.holder_id,
        recipient=agreement.recipient_id,
        state=AgreementState(agreement.state),
        starts=agreement.starts,
        ends=agreement.ends,
        datasets=frozenset(agreement.datasets.values_list("dataset_id", flat=True)),
        purposes=frozenset(agreement.purposes.values_list("purpose_id", flat=True)),
        categories=frozenset(agreement.categories.values_list("category_id", flat=True)),
    )


def content_digest(agreement: Agreement) -> str:
    """SHA-256 of the canonical JSON of everything a signature stands for."""
    content = {
        "agreement": agreement.ref,
        "holder": agreement.holder.ref,
        "recipient": agreement.recipient.ref,
        "title": agreement.title,
        "obligations": list(agreement.obligations),
        "starts": agreement.starts.astimezone(UTC).isoformat(),
        "ends": agreement.ends.astimezone(UTC).isoformat(),
        "datasets": sorted(agreement.datasets.values_list("dataset__ref", flat=True)),
        "purposes": sorted(agreement.purposes.values_list("purpose__code", flat=True)),
        "categories": sorted(agreement.categories.values_list("category__code", flat=True)),
    }
    return sha256(rfc8785.dumps(content)).hexdigest()
