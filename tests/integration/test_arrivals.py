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
from governance.actions import invitations, leaving, memberships, people, resets
from governance.models import AccountReset, Invitation, Membership, Organisation, User
from governance.queries import arrivals
from governance.rules import AGREED_LIFE, ASKED_LIFE, INVITATION_LIFE
from governance.vocabulary import OrganisationKind, ResetKind, Role, UserKind
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
    found = Entry.objects.order_by("-pk")[:number]
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


# beginning anew -----------------------------------------------------------------------------------


def three(world):
    """Two more administrators beside the holder's own; all of them settled."""
    return [
        member(world.holder_admin, name, world.holder, Role.ADMINISTRATOR)
        for name in ("second-admin-3", "third-admin-4")
    ]


def asked(person, by, kind=ResetKind.BOTH, at=SETTLED):
    return resets.ask(user=person, kind=kind, by=by, at=at, via=Via.DESK)


def agreed(reset, by, at=SETTLED):
    return resets.agree(reset=reset, by=by, at=at, via=Via.DESK)


def used(person, first, second, at=SETTLED, **given):
    return resets.use(
        first=first, second=second, by=person, at=at, via=Via.DESK, **{"password": OTHER, **given}
    )


def test_two_administrators_let_somebody_begin_anew_once():
    world = build()
    second, _ = three(world)
    before = world.steward.get_session_auth_hash()
    reset, first_half = asked(world.steward, world.holder_admin)
    world.steward.refresh_from_db()
    assert world.steward.get_session_auth_hash() == before, "one hand alone changes nothing"
    reset, second_half = agreed(reset, second)
    world.steward.refresh_from_db()
    assert world.steward.get_session_auth_hash() != before
    assert world.steward.shut_at == SETTLED
    used(world.steward, first_half, second_half)
    world.steward.refresh_from_db()
    assert world.steward.check_password(OTHER)
    assert world.steward.shut_at is None
    with refused("codes_over"):
        used(world.steward, first_half, second_half)
    assert last_entries(3) == [
        (EntryType.RESET_ASKED, world.holder_admin.ref),
        (EntryType.RESET_AGREED, second.ref),
        (EntryType.RESET_USED, world.steward.ref),
    ]
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        AccountReset.objects.update(used_at=None)
    assert arrivals.untold(world.steward) == reset
    with refused("may_not_acknowledge"):
        resets.acknowledge(reset=reset, **stamp(second))
    resets.acknowledge(reset=reset, **stamp(world.steward))
    assert arrivals.untold(world.steward) is None


def test_whoever_asked_does_not_agree_and_nobody_has_a_hand_in_their_own():
    world = build()
    second, _ = three(world)
    reset, _ = asked(world.steward, world.holder_admin)
    with refused("same_hand"):
        agreed(reset, world.holder_admin)
    with refused("may_not_reset"):
        asked(second, second)
    own, _ = asked(second, world.holder_admin)
    with refused("may_not_reset"):
        agreed(own, second)


def test_an_accomplice_made_just_now_is_no_second_hand():
    world = build()
    three(world)
    reset, _ = asked(world.steward, world.holder_admin)
    _, code = invited(world, [Role.ADMINISTRATOR], at=SETTLED)
    accomplice = accepted(code, at=SETTLED)
    with refused("may_not_reset"):
        agreed(reset, accomplice)
    agreed(reset, User.objects.get(username="second-admin-3"))


def test_half_a_code_and_two_first_halves_open_nothing():
    world = build()
    second, _ = three(world)
    reset, first = asked(world.steward, world.holder_admin)
    with refused("codes_over"):
        used(world.steward, first, first)
    reset, other = agreed(reset, second)
    for pair in ((first, first), (other, other), (first, "xxxx-xxxx-xxxx-xxxx")):
        with refused("codes_over"):
            used(world.steward, *pair)
    with refused("codes_over"):
        used(world.requester, first, other)
    used(world.steward, other, first)  # in whichever order


def test_asked_and_agreed_run_out_and_a_shut_account_stays_shut():
    world = build()
    second, third = three(world)
    reset, _ = asked(world.steward, world.holder_admin)
    late = SETTLED + ASKED_LIFE
    with refused("reset_over"):
        agreed(reset, second, at=late)
    reset, first = asked(world.steward, world.holder_admin, at=late)
    reset, other = agreed(reset, second, at=late)
    over = late + AGREED_LIFE
    with refused("codes_over"):
        used(world.steward, first, other, at=over)
    world.steward.refresh_from_db()
    assert world.steward.shut_at is not None
    again, first = asked(world.steward, third, at=over)
    world.steward.refresh_from_db()
    assert world.steward.shut_at is not None, "asking anew does not open it"
    _, other = agreed(again, second, at=over)
    used(world.steward, first, other, at=over)


def test_what_is_asked_waits_once_and_is_taken_back_before_the_second_yes_only():
    world = build()
    second, third = three(world)
    reset, _ = asked(world.steward, world.holder_admin)
    with refused("reset_waits"):
        asked(world.steward, second)
    with refused("may_not_reset"):
        resets.withdraw(reset=reset, **stamp(world.requester, SETTLED))
    resets.withdraw(reset=reset, **stamp(world.steward, SETTLED))
    with refused("reset_over"):
        agreed(reset, second)
    reset, _ = asked(world.steward, world.holder_admin)
    agreed(reset, second)
    with refused("reset_over"):
        resets.withdraw(reset=reset, **stamp(third, SETTLED))
    with refused("reset_over"):
        agreed(reset, third)


def test_what_is_not_lost_must_still_be_shown():
    world = build()
    second, _ = three(world)
    reset, first = asked(world.holder_admin, second, ResetKind.DEVICE)
    reset, other = agreed(reset, User.objects.get(username="third-admin-4"))
    world.holder_admin.set_password(PASSWORD)
    world.holder_admin.save()
    for wrong in (None, OTHER):
        with refused("password_wrong"):
            used(world.holder_admin, first, other, former=wrong)
    used(world.holder_admin, first, other, former=PASSWORD)
    world.holder_admin.refresh_from_db()
    assert world.holder_admin.check_password(PASSWORD), "the password stays as it was"
    reset, first = asked(world.steward, second, ResetKind.PASSWORD)
    reset, other = agreed(reset, world.holder_admin)
    for weak in (None, "short"):
        with refused("password_weak"):
            used(world.steward, first, other, password=weak)


def test_where_own_administrators_are_too_few_the_community_stands_in():
    world = build()
    second = staff(world.convener, "second-convener-2")
    reset, _ = asked(world.steward, world.holder_admin)
    agreed(reset, world.convener)
    three(world)
    with refused("may_not_reset"):  # now there are enough of their own
        asked(world.steward, world.convener)
    with refused("may_not_reset"):
        asked(world.steward, second)


def test_of_an_administrator_only_the_place_where_they_administer_decides():
    world = build()
    memberships.grant(
        user=world.holder_admin,
        organisation=world.recipient,
        role=Role.BOARD_MEMBER,
        **stamp(world.recipient_admin),
    )
    assert arrivals.places(world.holder_admin) == [world.holder]
    with refused("may_not_reset"):
        asked(world.holder_admin, world.recipient_admin)


def test_where_one_is_left_the_operator_is_the_other_hand():
    world = build()
    with refused("may_not_reset"):
        asked(world.convener, world.steward)
    reset, first = asked(world.holder_admin, world.convener)
    second = staff(world.recipient_admin, "not-yet-an-admin-2")
    with refused("may_not_reset"):
        agreed(reset, second)
    out = StringIO()
    # The command takes the real clock, so what waits is asked at the real clock's day.
    AccountReset.objects.all().delete()
    call_command("resetstaff", world.holder_admin.username, stdout=out, stderr=StringIO())
    reset = AccountReset.objects.get()
    assert (reset.asked_by, reset.kind) == (None, ResetKind.BOTH)
    assert Entry.objects.filter(type=EntryType.RESET_ASKED).last().actor == "operator"
    at = reset.asked_at
    with pytest.raises(CommandError, match="same_hand"):
        call_command("resetstaff", world.holder_admin.username)
    _, other = agreed(reset, world.convener, at=at)
    used(world.holder_admin, out.getvalue().strip(), other, at=at)
    reset, _ = asked(world.holder_admin, world.convener, at=at)
    call_command("resetstaff", world.holder_admin.username, stdout=out, stderr=StringIO())
    reset.refresh_from_db()
    assert (reset.agreed_by, reset.asked_by) == (None, world.convener)


def test_the_operator_has_no_hand_where_there_are_administrators_enough():
    world = build()
    three(world)
    with pytest.raises(CommandError, match="may_not_reset"):
        call_command("resetstaff", world.steward.username)
    with pytest.raises(CommandError, match="no member of staff"):
        call_command("resetstaff", "nobody-at-all")
    AccountReset.objects.all().delete()
    reset, _ = asked(world.steward, world.holder_admin, at=NOW + timedelta(days=8))
    with refused("operator_not_needed"):
        resets.agree(reset=reset, by=None, at=SETTLED, via=Via.COMMAND)


def test_a_leaver_does_not_begin_anew():
    world = build()
    second, _ = three(world)
    reset, first = asked(world.steward, world.holder_admin)
    reset, other = agreed(reset, second)
    leaving.off_board(user=world.steward, **stamp(world.holder_admin))
    with refused("codes_over"):
        used(world.steward, first, other)
    with refused("account_ended"):
        asked(world.steward, world.holder_admin)


def test_nobody_but_staff_begins_anew_this_way():
    world = build()
    three(world)
    for kind in (UserKind.SURVIVOR, UserKind.MACHINE):
        user = people.create_user(username=f"one-{kind}", kind=kind, **stamp(world.convener))
        with refused("account_ended"):
            asked(user, world.convener)
