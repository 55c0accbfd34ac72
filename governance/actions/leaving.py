"""Somebody leaves: everything they hold ends at once, in one deed.

`holdings` is the list of what that is; whoever adds a kind of way in adds its ending there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from governance import permissions
from governance.actions import invitations, resets, scopes, trail
from governance.models import (
    AccountReset,
    ApiToken,
    Invitation,
    Membership,
    Organisation,
    Seat,
    User,
)
from governance.queries import clock
from governance.queries.scopes import Epochs
from governance.rules import closing
from governance.vocabulary import Narrowing, Role

TRIES = 5


@dataclass(frozen=True)
class Left:
    """What ended: how many of each, and whether the account itself did."""

    roles: int
    seats: int
    tokens: int
    invitations: int
    account: bool


@dataclass(frozen=True)
class _Hand:
    """Who lets somebody go, when, and the epochs as they stand."""

    by: User
    at: datetime
    via: Via
    epochs: dict[int, Epochs]


class _JoinedMeanwhile(Exception):
    """A role began elsewhere after the scopes to lock were chosen."""


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
    for _ in range(TRIES):
        try:
            return _off_board(user, organisation, by, via)
        except _JoinedMeanwhile:
            continue
    raise RuleBroken("changing", "Somebody is giving this person new roles. Try again.")


def _off_board(user: User, organisation: Organisation | None, by: User, via: Via) -> Left:
    bodies = set(_roles(user, organisation).values_list("organisation", flat=True))
    with _narrowed(bodies) as (at, epochs):
        person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        # Asked here: what they hold decides who may, and it holds still only now.
        permissions.check_can_off_board(by, person, organisation)
        if person.ended_at is not None:
            raise RuleBroken("account_ended", "This account has ended already.")
        if not set(_roles(person, organisation).values_list("organisation", flat=True)) <= bodies:
            raise _JoinedMeanwhile
        return holdings(
            person=person, organisation=organisation, by=by, at=at, via=via, epochs=epochs
        )


def holdings(
    *,
    person: User,
    organisation: Organisation | None,
    by: User,
    at: datetime,
    via: Via,
    epochs: dict[int, Epochs],
) -> Left:
    """End everything somebody holds, inside the transaction of the deed that lets them go."""
    hand = _Hand(by, at, via, epochs)
    roles = _end_roles(person, organisation, hand)
    seats = _end_seats(person, organisation, hand)
    tokens = _end_tokens(person, organisation, hand)
    pending = _end_invitations(person, organisation, hand)
    for reset in AccountReset.objects.filter(
        Q(asked_by=person, agreed_at__isnull=True) | Q(user=person),
        used_at__isnull=True,
        closed_at__isnull=True,
    ):
        resets.close(reset=reset, by=by, at=at, via=via)
    left = Left(roles, seats, tokens, pending, account=not _still_there(person))
    person.signed_out_at = at
    if left.account:
        person.is_active, person.ended_at = False, at
        person.set_unusable_password()
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


@contextmanager
def _narrowed(bodies: set[int]) -> Iterator[tuple[datetime, dict[int, Epochs]]]:
    """The scopes of these organisations moved; nothing to move where there is no role."""
    if not bodies:
        with scopes.gate(), transaction.atomic():
            yield clock.now(), {}
        return
    with scopes.narrowing(act=Narrowing.MEMBERSHIP_ENDED, recipients=bodies) as moment:
        yield moment.at, {body: moment.of(body) for body in bodies}


def _end_roles(person: User, organisation: Organisation | None, hand: _Hand) -> int:
    held = list(_roles(person, organisation).select_related("organisation").order_by("pk"))
    for membership in held:
        body = membership.organisation
        membership.ended_at = closing(membership.started_at, hand.at)
        membership.save(update_fields=["ended_at"])
        permissions.take_back(person, body, Role(membership.role))
        epochs = hand.epochs[body.pk]
        trail.record(
            type=EntryType.MEMBERSHIP_ENDED,
            by=hand.by,
            at=hand.at,
            via=hand.via,
            resource=f"{body.ref}/{person.ref}",
            reason=membership.role,
            epoch_everyone=epochs.everyone,
            epoch_scope=epochs.scope,
        )
    return len(held)


def _end_seats(person: User, organisation: Organisation | None, hand: _Hand) -> int:
    held = Seat.objects.filter(user=person, ended_at__isnull=True).select_related("board")
    if organisation is not None:
        held = held.filter(organisation=organisation)
    ending = list(held.order_by("pk"))
    for seat in ending:
        seat.ended_at = closing(seat.started_at, hand.at)
        seat.save(update_fields=["ended_at"])
        permissions.unseat(person, seat.board)
        trail.record(
            type=EntryType.SEAT_ENDED,
            by=hand.by,
            at=hand.at,
            via=hand.via,
            resource=f"{seat.board.ref}/seat-{seat.pk}",
        )
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
        token.revoked_at = hand.at
        token.save(update_fields=["revoked_at"])
        trail.record(
            type=EntryType.TOKEN_REVOKED,
            by=hand.by,
            at=hand.at,
            via=hand.via,
            resource=f"{token.organisation.ref}/{token.user.ref}/token-{token.pk}",
            reason="left",
        )
    return len(ending)


def _end_invitations(person: User, organisation: Organisation | None, hand: _Hand) -> int:
    held = Invitation.objects.filter(
        invited_by=person, accepted_at__isnull=True, withdrawn_at__isnull=True
    ).select_related("organisation")
    if organisation is not None:
        held = held.filter(organisation=organisation)
    ending = list(held.order_by("pk"))
    for invitation in ending:
        invitations.close(invitation=invitation, by=hand.by, at=hand.at, via=hand.via)
    return len(ending)
