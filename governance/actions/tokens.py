"""A machine's way in: made once, shown once, kept only as a digest."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import BadInput, RuleBroken
from common.inputs import of, taking
from common.words import sentence as _
from governance import permissions
from governance.actions import memberships, scopes, trail
from governance.models import ApiToken, Membership, Organisation, User
from governance.rules import MACHINE_ROLES
from governance.vocabulary import Closing, UserKind

PREFIX = "sayso_"
LONGEST_DAYS = 365


@taking(label=of(ApiToken, "label"))
@transaction.atomic
def issue(
    *,
    user: User,
    organisation: Organisation,
    label: str,
    by: User,
    at: datetime,
    via: Via,
    days: int = 90,
) -> tuple[ApiToken, str]:
    """A token for a machine of this organisation, and the secret, told only now."""
    memberships.hold(by)  # whoever is let go at this moment issues nothing afterwards
    permissions.check_can_administer(by, organisation)
    if not 1 <= days <= LONGEST_DAYS:
        raise BadInput("token_days", _("A token lasts 1 to %(most)s days.", most=LONGEST_DAYS))
    asks = Membership.objects.filter(
        user=user, organisation=organisation, role__in=MACHINE_ROLES, ended_at__isnull=True
    )
    if user.kind != UserKind.MACHINE or not asks.exists():
        raise RuleBroken("token_for_machine", _("Tokens are for machines of this body."))
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        organisation=organisation,
        digest=sha256(secret.encode("ascii")).hexdigest(),
        label=label.strip(),
        issued_by=by,
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    trail.record(type=EntryType.TOKEN_ISSUED, by=by, at=at, via=via, resource=_resource(token))
    return token, secret


def revoke(*, token: ApiToken, by: User, at: datetime, via: Via) -> ApiToken:
    """From now on nobody comes in with this token."""
    with scopes.closing(act=Closing.TOKEN_REVOKED) as moment:
        found = (
            ApiToken.objects.select_for_update(of=("self",))
            .select_related("organisation", "user")
            .get(pk=token.pk)
        )
        permissions.check_can_administer(by, found.organisation)
        if found.revoked_at is not None:
            raise RuleBroken("token_revoked", _("This token is revoked already."))
        close(token=found, by=by, at=at, via=via, moment=moment)
    return found


def close(
    *,
    token: ApiToken,
    by: User,
    at: datetime,
    via: Via,
    moment: scopes.Moment,
    reason: str = "",
) -> None:
    """A token is over, inside the caller's transaction; for the deeds that close one."""
    token.revoked_at = at
    token.save(update_fields=["revoked_at"])
    moment.tell(what="token", digest=token.digest)
    trail.record(
        type=EntryType.TOKEN_REVOKED,
        by=by,
        at=at,
        via=via,
        resource=_resource(token),
        reason=reason,
    )


def _resource(token: ApiToken) -> str:
    return f"{token.organisation.ref}/{token.user.ref}/token-{token.pk}"
