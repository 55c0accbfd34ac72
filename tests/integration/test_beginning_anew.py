"""Beginning anew: two others let somebody set a lost password or device, each with half a code."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from governance.actions import leaving, memberships, people, resets
from governance.models import AccountReset, User
from governance.queries import arrivals
from governance.rules import AGREED_LIFE, ASKED_LIFE
from governance.vocabulary import ResetKind, Role, UserKind
from tests.integration.governance_world import NOW, PASSWORD, build, member, staff, stamp
from tests.integration.test_arrivals import accepted, invited, last_entries, refused

pytestmark = pytest.mark.django_db
SETTLED = NOW + timedelta(days=8)
OTHER = "another-quiet-lantern-drifts"


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
    reset, _ = asked(world.holder_admin, world.convener)
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
