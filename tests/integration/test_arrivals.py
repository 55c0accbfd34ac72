"""Coming in by invitation, and beginning anew through two others."""

from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from common.errors import BadInput, NotPermitted, RuleBroken
from governance import permissions
from governance.actions import invitations, memberships
from governance.models import Invitation, Membership, Organisation, User
from governance.queries import arrivals
from governance.rules import INVITATION_LIFE
from governance.vocabulary import OrganisationKind, Role, UserKind
from tests.integration.governance_world import NOW, PASSWORD, build, member, staff, stamp

pytestmark = pytest.mark.django_db
SETTLED = NOW + timedelta(days=8)
OTHER = "another-quiet-lantern-drifts"


@contextmanager
def refused(code):
    with pytest.raises((RuleBroken, BadInput, NotPermitted)) as refusal:
        yield
    assert refusal.value.code == code, refusal.value.message


def invited(world, roles=(Role.STEWARD,), by=None, at=NOW, **changes):
    given = {"organisation": world.holder, "roles": roles, **stamp(by or world.holder_admin, at)}
    return invitations.invite(**{**given, **changes})


def accepted(code, name="moss-lantern-05", at=NOW, password=PASSWORD):
    return invitations.accept(code=code, username=name, password=password, at=at, via=Via.DESK)


def last_entries(number):
    found = Entry.objects.exclude(type=EntryType.JOURNAL_CHANGED).order_by("-pk")[:number]
    return [(entry.type, entry.actor) for entry in reversed(found)]


def test_an_invitation_brings_in_a_new_person_with_just_these_roles_once():
    world = build()
    invitation, code = invited(world, [Role.STEWARD, Role.ADVOCATE])
    assert last_entries(1) == [(EntryType.INVITATION_MADE, world.holder_admin.ref)]
    user = accepted(code)
    assert permissions.can_steward(user, world.holder)
    assert permissions.can_advise(user, world.holder)
    assert not permissions.can_administer(user, world.holder)
    assert user.kind == UserKind.STAFF
    assert user.check_password(PASSWORD)
    assert last_entries(4) == [
        (EntryType.USER_CREATED, user.ref),
        (EntryType.INVITATION_ACCEPTED, user.ref),
        (EntryType.MEMBERSHIP_GRANTED, user.ref),
        (EntryType.MEMBERSHIP_GRANTED, user.ref),
    ]
    with refused("invitation_over"):
        accepted(code, "somebody-else-1")
    invitation.refresh_from_db()
    assert invitation.accepted_by == user


def test_a_code_is_nowhere_kept_in_clear():
    world = build()
    invitation, code = invited(world)
    for row in (invitation, *Entry.objects.all()):
        kept = " ".join(str(value) for value in vars(row).values())
        assert code not in kept
        assert code.replace("-", "") not in kept
    assert len(invitation.digest) == 64


def test_a_code_runs_out_to_the_second():
    world = build()
    _, code = invited(world)
    end = NOW + INVITATION_LIFE
    assert arrivals.invitation(code, end - timedelta(seconds=1)) is not None
    with refused("invitation_over"):
        accepted(code, at=end)
    assert not User.objects.filter(username="moss-lantern-05").exists()


def test_a_code_taken_back_opens_nothing_and_is_taken_back_once():
    world = build()
    invitation, code = invited(world)
    with refused("may_not_withdraw"):
        invitations.withdraw(invitation=invitation, **stamp(world.steward))
    invitations.withdraw(invitation=invitation, **stamp(world.convener))
    assert last_entries(1) == [(EntryType.INVITATION_WITHDRAWN, world.convener.ref)]
    with refused("invitation_over"):
        accepted(code)
    with refused("invitation_closed"):
        invitations.withdraw(invitation=invitation, **stamp(world.holder_admin))


def test_a_code_of_somebody_who_may_not_invite_any_more_opens_nothing():
    world = build()
    _, code = invited(world)
    second = member(world.holder_admin, "second-admin-3", world.holder, Role.ADMINISTRATOR)
    memberships.end(membership=Membership.objects.get(user=world.holder_admin), **stamp(second))
    with refused("invitation_over"):
        accepted(code)


def test_the_community_invites_an_administrator_only_where_there_is_none():
    world = build()
    with refused("may_not_grant"):
        invited(world, [Role.ADMINISTRATOR], world.convener)
    empty = Organisation.objects.create(name="Court", kind=OrganisationKind.COURT, created_at=NOW)
    with refused("may_not_grant"):
        invited(world, [Role.STEWARD], world.convener, organisation=empty)
    _, first = invited(world, [Role.ADMINISTRATOR], world.convener, organisation=empty)
    _, second = invited(world, [Role.ADMINISTRATOR], world.convener, organisation=empty)
    assert permissions.can_administer(accepted(first), empty)
    with refused("invitation_over"):  # there is one now
        accepted(second, "second-newcomer-2")


def test_roles_that_do_not_go_together_are_refused_at_every_step():
    world = build()
    with refused("roles_clash"):
        invited(world, [Role.AUDITOR, Role.ADMINISTRATOR])
    with refused("roles"):
        invited(world, [])
    _, code = invited(world, [Role.ADVOCATE])
    with refused("roles_clash"):
        invitations.join(code=code, **stamp(world.requester))
    assert Invitation.objects.get().accepted_at is None
    with refused("roles_clash"):
        memberships.grant(
            user=world.requester,
            organisation=world.holder,
            role=Role.STEWARD,
            **stamp(world.holder_admin),
        )


def test_who_has_an_account_joins_with_it():
    world = build()
    _, code = invited(world, [Role.ADVOCATE])
    invitations.join(code=code, **stamp(world.steward))
    assert permissions.can_advise(world.steward, world.holder)
    assert permissions.can_steward(world.steward, world.holder)
    _, again = invited(world, [Role.ADVOCATE])
    with refused("role_held"):
        invitations.join(code=again, **stamp(world.steward))
    survivor = staff(world.convener, "still-pond-02", UserKind.SURVIVOR)
    with refused("role_not_for_kind"):
        invitations.join(code=again, **stamp(survivor))


@pytest.mark.parametrize(
    ("code", "name", "password"),
    [
        ("username", "a b", PASSWORD),
        ("username_taken", "HOLDER-ADMIN-X", PASSWORD),
        ("password_weak", "moss-lantern-05", "short"),
    ],
)
def test_a_bad_name_or_password_uses_up_no_code(code, name, password):
    world = build()
    User.objects.create(username="holder-admin-x", kind=UserKind.STAFF)
    _, secret = invited(world)
    with refused(code):
        accepted(secret, name, password=password)
    assert accepted(secret).username == "moss-lantern-05"


def test_the_database_refuses_that_a_used_code_opens_again():
    world = build()
    invitation, code = invited(world)
    accepted(code)
    rows = Invitation.objects.filter(pk=invitation.pk)
    for change in ({"accepted_at": None, "accepted_by": None}, {"digest": "0" * 64}):
        with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
            rows.update(**change)


# the beginning ------------------------------------------------------------------------------------


def spoken(*arguments):
    out, told = StringIO(), StringIO()
    call_command("createfirstadmin", *arguments, stdout=out, stderr=told)
    return out.getvalue().strip(), told.getvalue()


def test_the_first_administrator_comes_in_with_a_code_and_no_password_on_any_command_line():
    code, told = spoken("--organisation", "Northern community")
    assert "/desk/invited/" in told
    user = invitations.accept(
        code=code,
        username="north-hazel-7",
        password=PASSWORD,
        at=Invitation.objects.get().created_at,
        via=Via.DESK,
    )
    assert permissions.can_convene(user)
    community = Organisation.objects.get()
    assert (community.kind, community.name) == (OrganisationKind.COMMUNITY, "Northern community")
    assert community.verified_at is not None
    assert Entry.objects.filter(type=EntryType.INVITATION_MADE).get().actor == "operator"


def test_beginning_twice_leaves_one_code_that_opens_and_nothing_is_doubled():
    first, _ = spoken("--organisation", "Northern community")
    second, _ = spoken()
    at = Invitation.objects.order_by("-pk").first().created_at
    assert arrivals.invitation(first, at) is None
    with refused("invitation_over"):
        accepted(first, at=at)
    accepted(second, at=at)
    assert Organisation.objects.count() == Membership.objects.count() == 1
    out, _ = spoken("--organisation", "Other")
    assert out == "There is an administrator already. Nothing was done."
    assert Organisation.objects.count() == 1


def test_once_there_is_an_administrator_a_first_code_is_dead():
    code, _ = spoken("--organisation", "Northern community")
    at = Invitation.objects.get().created_at
    user = User.objects.create(username="by-other-means", kind=UserKind.STAFF)
    Membership.objects.create(
        user=user, organisation=Organisation.objects.get(), role="administrator", started_at=at
    )
    with refused("already_begun"):
        accepted(code, at=at)


def test_the_first_beginning_asks_for_a_name_where_somebody_is_there(monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _: "Harbour community")
    spoken()
    assert Organisation.objects.get().name == "Harbour community"

    def nobody(_):
        raise EOFError

    Organisation.objects.all().update(kind=OrganisationKind.COURT)
    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(CommandError, match="--organisation"):
        spoken()
