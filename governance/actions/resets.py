"""A lost password or device is set anew by two others: one asks, another agrees.

Each of the two tells the person half of a code, so that neither can come in in her place. From the
second hand's yes until the code is used nobody signs in to the account, and open sessions are over.
"""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common import codes
from common.errors import BadInput, NotPermitted, RuleBroken
from common.inputs import Text, taking
from common.words import sentence as _
from governance.actions import people, scopes, trail
from governance.models import AccountReset, User
from governance.queries import arrivals, factors
from governance.rules import AGREED_LIFE, ASKED_LIFE, pair_fault
from governance.vocabulary import Closing, ResetKind, UserKind

CODE = Text(most=codes.LONGEST, least=1, name=_("Code"))
PAIR = {
    "same_hand": _("One asks, another agrees: these are one and the same."),
    "not_a_hand": _("Whoever asked may not ask any more. It has to be asked anew."),
    "operator_needed": _("One of the two must be the operator at the machine."),
    "operator_not_needed": _("There are administrators enough: two of them do this."),
}


@taking()
@transaction.atomic
def ask(
    *, user: User, kind: ResetKind, by: User | None, at: datetime, via: Via
) -> tuple[AccountReset, str]:
    """The first hand (None: the operator at the machine): nothing changes yet for the person.

    Gives the first half of the code, told now and never again.
    """
    person = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    _check_person(person)
    may, place = arrivals.through(person, by, at)
    if not may:
        raise NotPermitted("may_not_reset", _("You may not let this person begin anew."))
    for earlier in AccountReset.objects.filter(
        user=person, closed_at__isnull=True, used_at__isnull=True
    ):
        if earlier.agreed_at is None and earlier.expires_at > at:
            raise RuleBroken("reset_waits", _("This was asked already and waits for a second yes."))
        close(reset=earlier, by=by, at=at, via=via)
    code = codes.fresh()
    reset = AccountReset.objects.create(
        user=person,
        organisation=place,
        kind=ResetKind(kind),
        asked_by=by,
        asked_at=at,
        expires_at=at + ASKED_LIFE,
        first_digest=codes.digest(code, arrivals.FIRST_HALF),
    )
    _record(EntryType.RESET_ASKED, reset, by, at, via)
    return reset, code


@taking()
def agree(
    *, reset: AccountReset, by: User | None, at: datetime, via: Via
) -> tuple[AccountReset, str]:
    """The second hand: sessions are over, the account is shut, the second half of the code is told."""
    with scopes.closing(act=Closing.ACCOUNT_SHUT) as moment:
        person = User.objects.select_for_update(no_key=True).get(pk=reset.user_id)
        found = AccountReset.objects.select_for_update().get(pk=reset.pk)
        _check_person(person)
        allowed = arrivals.hands_over(person, found.organisation, at)
        if by is not None and by.pk not in allowed.users:
            raise NotPermitted("may_not_reset", _("You may not let this person begin anew."))
        if found.closed_at or found.agreed_at or found.expires_at <= at:
            raise RuleBroken("reset_over", _("This does not wait for a second yes any more."))
        fault = pair_fault(found.asked_by_id, by.pk if by else None, allowed)
        if fault:
            told = PAIR[fault]
            raise RuleBroken(fault, told)
        code = codes.fresh()
        found.agreed_by, found.agreed_at = by, at
        found.second_digest = codes.digest(code, arrivals.SECOND_HALF)
        found.save(update_fields=["agreed_by", "agreed_at", "second_digest"])
        person.shut_at = person.signed_out_at = at
        person.save(update_fields=["shut_at", "signed_out_at"])
        moment.tell(what="shut", user=person.ref)
        _record(EntryType.RESET_AGREED, found, by, at, via)
    return found, code


@taking()
@transaction.atomic
def withdraw(*, reset: AccountReset, by: User, at: datetime, via: Via) -> AccountReset:
    """What was asked is taken back before anybody agreed: by a hand, or by the person herself."""
    found = AccountReset.objects.select_for_update().get(pk=reset.pk)
    allowed = arrivals.hands_over(found.user, found.organisation, at)
    if by.pk not in {*allowed.users, found.user_id, found.asked_by_id}:
        raise NotPermitted("may_not_reset", _("You may not take this back."))
    if found.closed_at or found.agreed_at:
        # After the second yes only the code opens the account; taking it back would do so as well.
        raise RuleBroken("reset_over", _("This cannot be taken back any more."))
    return close(reset=found, by=by, at=at, via=via)


def close(*, reset: AccountReset, by: User | None, at: datetime, via: Via) -> AccountReset:
    """An open reset is over, inside the caller's transaction; a shut account stays shut."""
    reset.closed_at = at
    reset.save(update_fields=["closed_at"])
    _record(EntryType.RESET_WITHDRAWN, reset, by, at, via)
    return reset


@taking(first=CODE, second=CODE, password=people.PASSWORD, former=people.PASSWORD)
@transaction.atomic
def use(
    *,
    first: str,
    second: str,
    by: User,
    at: datetime,
    via: Via,
    password: str | None = None,
    former: str | None = None,
) -> User:
    """The person, `by`, begins anew: both halves, once.

    `password` is the new one where the password was lost; otherwise `former` is the one she has.
    The door asks for the device she has, or sets up the new one in the same transaction.
    """
    person = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    found = arrivals.reset(first, second, at)
    if found is None or found.user_id != person.pk:
        raise RuleBroken("codes_over", _("These two codes do not open anything, or not any more."))
    _check_person(person)
    if found.kind == ResetKind.DEVICE:
        if former is None or not person.check_password(former):
            raise BadInput("password_wrong", _("This password is not right."), where="former")
    elif password is None:
        raise BadInput("password_weak", _("Choose a new password."), where="password")
    else:
        people.set_password(person, password)
    found.used_at = at
    found.save(update_fields=["used_at"])
    person.shut_at, person.signed_out_at = None, at
    person.save(update_fields=["password", "shut_at", "signed_out_at"])
    factors.links_of(person).delete()  # whoever was in may have linked a provider of their own
    _record(EntryType.RESET_USED, found, person, at, via)
    return person


@taking()
@transaction.atomic
def acknowledge(*, reset: AccountReset, by: User, at: datetime, via: Via) -> AccountReset:
    """The person has read that she began anew, when, and through whom."""
    found = AccountReset.objects.select_for_update().get(pk=reset.pk)
    if found.user_id != by.pk or found.used_at is None:
        raise NotPermitted("may_not_acknowledge", _("This is not about you."))
    found.told_at = at
    found.save(update_fields=["told_at"])
    _record(EntryType.USER_CHANGED, found, by, at, via, reason="told")
    return found


def expires(reset: AccountReset) -> datetime | None:
    """Until when the two halves work, once they are both there."""
    return reset.agreed_at + AGREED_LIFE if reset.agreed_at else None


def _check_person(person: User) -> None:
    if person.kind != UserKind.STAFF or person.ended_at is not None or not person.is_active:
        raise RuleBroken("account_ended", _("This is no account of staff that is open."))


def _record(
    type: EntryType,
    reset: AccountReset,
    by: User | None,
    at: datetime,
    via: Via,
    reason: str | None = None,
) -> None:
    trail.record(
        type=type,
        by=by,
        at=at,
        via=via,
        resource=f"{reset.user.ref}/{reset.ref}",
        reason=reset.kind if reason is None else reason,
    )
