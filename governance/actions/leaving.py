"""Somebody leaves: everything they hold ends at once, in one deed.

`holdings` is the list of what that is; whoever adds a kind of way in adds its ending there.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import taking
from common.words import sentence as _
from governance import permissions
from governance.actions import (
    boards,
    invitations,
    machines,
    memberships,
    resets,
    scopes,
    tokens,
    trail,
)
from governance.models import (
    AccountReset,
    ApiToken,
    Invitation,
    Membership,
    Organisation,
    Seat,
    User,
)
from governance.vocabulary import Closing, Narrowing

TRIES = 5


@dataclass(frozen=True)
class Left:
    """What ended: how many of each, and whether the account itself did."""

    roles: int
    seats: int
    tokens: int
    applications: int
    invitations: int
    account: bool


@dataclass(frozen=True)
class _Hand:
    """Who lets somebody go, when, how, and the moment that tells the file of noes."""

    by: User
    at: datetime
    via: Via
    moment: scopes.Moment


class _JoinedMeanwhile(Exception):
    """A role began elsewhere after the scopes to lock were chosen."""


@taking()
def off_board(
    *,
    user: User,
    by: User,
    at: datetime,
    via: Via,
    organisation: Organisation | None = None,
) -> Left:
    """Everything this user holds ends at once: roles, seats, tokens, sessions, what is pending.

    With an organisation, only what they hold there; where nothing is left elsewhere, or without an
    organisation, the account ends for good. What they asked for and waits is void from now on, and
    a download of theirs stops before its next part. Raises NotPermitted; RuleBroken where the
    account has ended already.
    """
    for _try in range(TRIES):
        try:
            return _off_board(user, organisation, by, via)
        except _JoinedMeanwhile:
            continue
    raise RuleBroken("changing", _("Somebody is giving this person new roles. Try again."))


def _off_board(user: User, organisation: Organisation | None, by: User, via: Via) -> Left:
    bodies = set(_roles(user, organisation).values_list("organisation", flat=True))
    with _narrowed(bodies) as moment:
        person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        # Asked here: what they hold decides who may, and it holds still only now.
        permissions.check_can_off_board(by, person, organisation)
        if person.ended_at is not None:
            raise RuleBroken("account_ended", _("This account has ended already."))
        if not set(_roles(person, organisation).values_list("organisation", flat=True)) <= bodies:
            raise _JoinedMeanwhile
        return holdings(
            person=person, organisation=organisation, by=by, at=moment.at, via=via, moment=moment
        )


def holdings(
    *,
    person: User,
    organisation: Organisation | None,
    by: User,
    at: datetime,
    via: Via,
    moment: scopes.Moment,
) -> Left:
    """End everything somebody holds, inside the transaction of the deed that lets them go."""
    hand = _Hand(by, at, via, moment)
    roles = _end_roles(person, organisation, hand)
    seats = _end_seats(person, organisation, hand)
    tokens = _end_tokens(person, organisation, hand)
    applications = machines.end_held(person=person, organisation=organisation, **vars(hand))
    pending = _end_invitations(person, organisation, hand)
    gone = not _still_there(person)
    # Whose account goes on keeps the two halves that were agreed: nothing else opens it again.
    own = Q(user=person) if gone else Q(user=person, agreed_at__isnull=True)
    for reset in AccountReset.objects.filter(
        Q(asked_by=person, agreed_at__isnull=True) | own,
        used_at__isnull=True,
        closed_at__isnull=True,
    ):
        resets.close(reset=reset, by=by, at=at, via=via)
    left = Left(roles, seats, tokens, applications, pending, account=gone)
    person.signed_out_at = at
    if left.account:
        person.is_active, person.ended_at = False, at
        person.set_unusable_password()
        moment.tell(what="account", user=person.ref)
    person.save(update_fields=["signed_out_at", "is_active", "ended_at", "password"])
    trail.record(
        type=EntryType.USER_ENDED if left.account else EntryType.USER_CHANGED,
        by=by,
        at=at,
        via=via,
        resource=person.ref,
        reason="left",
    )
    return left


def _roles(user: User, organisation: Organisation | None) -> QuerySet[Membership]:
    held = Membership.objects.filter(user=user, ended_at__isnull=True)
    return held if organisation is None else held.filter(organisation=organisation)


def _still_there(person: User) -> bool:
    seats = Seat.objects.filter(user=person, ended_at__isnull=True)
    return _roles(person, None).exists() or seats.exists()


def _narrowed(bodies: set[int]) -> AbstractContextManager[scopes.Moment]:
    """The scopes of these organisations move; nothing moves where there is no role."""
    if not bodies:
        return scopes.closing(act=Closing.ACCOUNT_ENDED)
    return scopes.narrowing(act=Narrowing.MEMBERSHIP_ENDED, recipients=bodies)


def _end_roles(person: User, organisation: Organisation | None, hand: _Hand) -> int:
    held = list(_roles(person, organisation).select_related("organisation", "user").order_by("pk"))
    for membership in held:
        memberships.finish(membership=membership, **vars(hand))
    return len(held)


def _end_seats(person: User, organisation: Organisation | None, hand: _Hand) -> int:
    held = Seat.objects.filter(user=person, ended_at__isnull=True).select_related("board", "user")
    if organisation is not None:
        held = held.filter(organisation=organisation)
    ending = list(held.order_by("pk"))
    for seat in ending:
        boards.vacate(seat=seat, **vars(hand))
    return len(ending)


def _end_tokens(person: User, organisation: Organisation | None, hand: _Hand) -> int:
    """Those of the user, and those whose secret they were told when they issued them."""
    held = ApiToken.objects.filter(
        Q(user=person) | Q(issued_by=person), revoked_at__isnull=True
    ).select_related("organisation", "user")
    if organisation is not None:
        held = held.filter(organisation=organisation)
    ending = list(held.order_by("pk"))
    for token in ending:
        tokens.close(token=token, reason="left", **vars(hand))
    return len(ending)


def _end_invitations(person: User, organisation: Organisation | None, hand: _Hand) -> int:
    held = Invitation.objects.filter(
        invited_by=person, accepted_at__isnull=True, withdrawn_at__isnull=True
    ).select_related("organisation")
    if organisation is not None:
        held = held.filter(organisation=organisation)
    ending = list(held.order_by("pk"))
    for invitation in ending:
        invitations.close(invitation=invitation, **vars(hand))
    return len(ending)
