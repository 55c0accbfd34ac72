"""Looking at who may do what: an auditor says of a role whether it should go on; it ends nothing."""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.inputs import of, taking
from governance.actions import details, trail
from governance.models import Membership, User
from oversight.actions import looking
from oversight.actions.cases import locked
from oversight.models import AuditCase, MembershipReview
from oversight.permissions import check_can_look
from oversight.queries import access
from oversight.queries.access import Page
from oversight.vocabulary import Look, Verdict


def look(
    *, case: AuditCase, by: User, at: datetime, via: Via, after: tuple[int, int] | None = None
) -> Page:
    """One page of who holds which role, and why it is worth a look; `after`: where the page before it
    ended. Raises as `looking.find` does."""
    asked = {} if after is None else {"after": "-".join(map(str, after))}
    looking.note(case=case, look=Look.ACCESS, asked=asked, by=by, at=at, via=via)
    return access.held(case, at, after=after)


@taking(reason=of(MembershipReview, "reason", lines=True))
@transaction.atomic
def review(
    *,
    case: AuditCase,
    membership: Membership,
    verdict: Verdict,
    reason: str,
    by: User,
    at: datetime,
    via: Via,
) -> MembershipReview:
    """Say whether a role should go on, and why. Its organisation ends it, or answers a finding.

    Raises NotPermitted; RuleBroken for a closed case.
    """
    check_can_look(by, case)
    locked(case)
    entry = trail.record(
        type=EntryType.MEMBERSHIP_REVIEWED,
        by=by,
        at=at,
        via=via,
        resource=membership.user.ref,
        reason=verdict.value,
        **details.sealed(by=by, reason=reason),
    )
    return MembershipReview.objects.create(
        case=case,
        membership=membership,
        verdict=verdict,
        reason=reason,
        by=by,
        at=at,
        entry=entry,
    )
