"""Somebody leaves: everything they hold is over in one deed, and what they asked for is void."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from pyrage import x25519

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from common.errors import NotPermitted, RuleBroken, Void
from governance import permissions
from governance.actions import (
    boards,
    invitations,
    keys,
    leaving,
    memberships,
    people,
    resets,
    tokens,
)
from governance.models import ApiToken, Invitation, Membership, ScopeMove, Seat, User
from governance.queries import people as readings
from governance.vocabulary import ResetKind, Role, SeatKind, UserKind
from release.models import Release
from release.tasks import tick
from release.vocabulary import ReleaseState, VoidGround
from tests import staffroom
from tests.integration.governance_world import NOW, build, member, staff, stamp
from tests.integration.test_arrivals import accepted, invited, refused
from tests.worlds import hand as held_by
from tests.worlds import small_world

pytestmark = pytest.mark.django_db


def off_board(user, by, **where):
    return leaving.off_board(user=user, **where, **stamp(by))


def test_everything_somebody_holds_ends_in_one_deed():
    world = build()
    leaver = member(world.holder_admin, "leaver-birch-1", world.holder, Role.ADMINISTRATOR)
    machine = staff(world.recipient_admin, "copper-mill-90", UserKind.MACHINE)
    here = {"organisation": world.recipient, **stamp(world.recipient_admin)}
    memberships.grant(user=machine, role=Role.REQUESTER, **here)
    memberships.grant(user=leaver, role=Role.ADMINISTRATOR, **here)
    boards.fill_seat(board=world.board, user=leaver, kind=SeatKind.LEGAL, **stamp(world.convener))
    issued = {"user": machine, "organisation": world.recipient, "label": "nightly"}
    _, secret = tokens.issue(**issued, **stamp(leaver))
    _, other = tokens.issue(**issued, **stamp(world.recipient_admin))
    _, code = invited(world, by=leaver)
    late = NOW + timedelta(days=8)
    reset, _ = resets.ask(user=world.steward, kind=ResetKind.BOTH, **stamp(leaver, late))
    moved = ScopeMove.objects.count()

    left = off_board(leaver, world.convener)

    assert (left.roles, left.seats, left.tokens, left.invitations) == (2, 1, 1, 1)
    assert left.account
    assert not Membership.objects.filter(user=leaver, ended_at__isnull=True).exists()
    assert not Seat.objects.filter(user=leaver, ended_at__isnull=True).exists()
    leaver.refresh_from_db()
    assert not leaver.has_usable_password()
    assert not permissions.can_administer(leaver, world.holder)
    assert not permissions.can_sit(leaver, world.board)
    assert readings.token(secret, timezone.now()) is None
    assert readings.token(other, NOW) is not None, "only what the leaver was told"
    with refused("invitation_over"):
        accepted(code)
    with refused("reset_over"):
        resets.agree(reset=reset, **stamp(world.holder_admin, late))
    assert ScopeMove.objects.count() == moved + 2, "each organisation's epoch moved"
    kinds = set(Entry.objects.filter(actor=world.convener.ref).values_list("type", flat=True))
    assert {
        EntryType.MEMBERSHIP_ENDED,
        EntryType.SEAT_ENDED,
        EntryType.TOKEN_REVOKED,
        EntryType.INVITATION_WITHDRAWN,
        EntryType.RESET_WITHDRAWN,
        EntryType.USER_ENDED,
    } <= kinds
    with refused("account_ended"):
        off_board(leaver, world.convener)


def test_who_left_is_given_nothing_any_more_and_the_database_holds_to_it():
    world = build()
    off_board(world.steward, world.holder_admin)
    case = {"user": world.steward, "organisation": world.holder, "role": Role.STEWARD}
    with refused("account_ended"):
        memberships.grant(**case, **stamp(world.holder_admin))
    with refused("account_ended"):
        boards.fill_seat(
            board=world.board,
            user=world.steward,
            kind=SeatKind.LEGAL,
            **stamp(world.convener),
        )
    _, code = invited(world, [Role.ADVOCATE])
    with refused("account_ended"):
        invitations.join(code=code, **stamp(world.steward))
    rows = User.objects.filter(pk=world.steward.pk)
    for change in ({"ended_at": None}, {"is_active": True}, {"ended_at": NOW}):
        with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
            rows.update(**change)


def test_where_something_is_held_elsewhere_only_what_is_here_ends():
    world = build()
    both = member(world.holder_admin, "works-in-two-2", world.holder, Role.STEWARD)
    memberships.grant(
        user=both,
        organisation=world.recipient,
        role=Role.AUDITOR,
        **stamp(world.recipient_admin),
    )
    before = both.get_session_auth_hash()
    with refused("may_not_off_board"):
        off_board(both, world.holder_admin)
    with refused("may_not_off_board"):
        off_board(both, world.holder_admin, organisation=world.recipient)
    left = off_board(both, world.holder_admin, organisation=world.holder)
    both.refresh_from_db()
    assert (left.roles, left.account) == (1, False)
    assert both.is_active
    assert both.get_session_auth_hash() != before, "every open session is over all the same"
    assert permissions.can_audit(both, world.recipient)
    assert not permissions.can_steward(both, world.holder)
    assert off_board(both, world.recipient_admin, organisation=world.recipient).account


def test_an_administrator_lets_nobody_go_who_holds_nothing_there():
    world = build()
    here = {"organisation": world.recipient}
    just_made = staff(world.convener, "just-made-11")
    for stranger in (world.steward, world.seats[0].user, world.convener, just_made):
        before = (stranger.is_active, stranger.signed_out_at)
        with refused("may_not_off_board"):
            off_board(stranger, world.recipient_admin, **here)
        stranger.refresh_from_db()
        assert (stranger.is_active, stranger.signed_out_at) == before
    machine = staff(world.recipient_admin, "copper-mill-90", UserKind.MACHINE)
    grant = {"user": machine, **here, "role": Role.REQUESTER, **stamp(world.recipient_admin)}
    membership = memberships.grant(**grant)
    tokens.issue(user=machine, **here, label="nightly", **stamp(world.recipient_admin))
    memberships.end(membership=membership, **stamp(world.recipient_admin))
    assert off_board(machine, world.recipient_admin, **here).tokens in (0, 1)


def test_the_two_halves_of_somebody_who_stays_elsewhere_stay_good():
    world = build()
    both = member(world.holder_admin, "works-in-two-2", world.holder, Role.STEWARD)
    there = {"organisation": world.recipient, "role": Role.AUDITOR}
    memberships.grant(user=both, **there, **stamp(world.recipient_admin))
    late = NOW + timedelta(days=8)
    reset, _ = resets.ask(user=both, kind=ResetKind.BOTH, **stamp(world.holder_admin, late))
    resets.agree(reset=reset, **stamp(world.convener, late))
    off_board(both, world.recipient_admin, organisation=world.recipient)
    reset.refresh_from_db()
    assert reset.closed_at is None, "nothing else lets them in again"
    off_board(both, world.holder_admin, organisation=world.holder)
    reset.refresh_from_db()
    assert reset.closed_at is not None


def test_a_seat_that_speaks_for_nobody_is_the_communitys_to_end():
    world = build()
    seated = world.seats[0].user
    memberships.grant(
        user=seated, organisation=world.holder, role=Role.ADVOCATE, **stamp(world.holder_admin)
    )
    with refused("may_not_off_board"):
        off_board(seated, world.holder_admin)
    left = off_board(seated, world.holder_admin, organisation=world.holder)
    assert (left.seats, left.account) == (0, False)
    assert permissions.can_sit(seated, world.board)
    assert off_board(seated, world.convener).seats == 1


def test_nobody_lets_themselves_go_and_nobody_lets_go_a_survivor():
    world = build()
    for by in (world.convener, world.holder_admin):
        with refused("may_not_off_board"):
            off_board(by, by)
    survivor = staff(world.convener, "still-pond-02", UserKind.SURVIVOR)
    with refused("may_not_off_board"):
        off_board(survivor, world.convener)


def test_a_machine_leaves_with_its_tokens():
    world = build()
    machine = staff(world.recipient_admin, "copper-mill-90", UserKind.MACHINE)
    here = {"user": machine, "organisation": world.recipient, **stamp(world.recipient_admin)}
    memberships.grant(role=Role.REQUESTER, **here)
    _, secret = tokens.issue(label="nightly", **here)
    assert off_board(machine, world.recipient_admin).tokens == 1
    assert readings.token(secret, NOW) is None


ENGINES = ["db", "cache", "cached_db"]


@pytest.mark.parametrize("engine", ENGINES)
def test_open_sessions_are_over_whatever_store_they_lie_in(settings, engine):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    room = staffroom.build()
    device = staffroom.enter(Client(), room.steward)
    assert device.get("/desk/").status_code == 200
    leaving.off_board(user=room.steward, **staffroom.hand(room.holder_admin))
    assert device.get("/desk/")["Location"] == "/desk/sign-in/"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_second_yes_ends_open_sessions_in_whatever_store_and_shuts_the_door(settings, engine):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    room = staffroom.build()
    device = staffroom.enter(Client(), room.steward)
    half = Client()
    secret = staffroom.secret_of(room.steward)
    half.post("/desk/sign-in/", {"login": room.steward.username, "password": staffroom.PASSWORD})
    late = timezone.now() + timedelta(days=8)
    given = {"at": late, "via": Via.DESK}
    reset, _ = resets.ask(user=room.steward, kind=ResetKind.DEVICE, by=room.holder_admin, **given)
    resets.agree(reset=reset, by=room.convener, **given)
    assert device.get("/desk/")["Location"] == "/desk/sign-in/"
    half.post("/desk/code/", {"code": staffroom.code(secret)})
    assert half.get("/desk/")["Location"] == "/desk/sign-in/", "half a sign-in is over too"
    again = staffroom.enter(Client(), room.steward)
    assert again.get("/desk/")["Location"] == "/desk/sign-in/", "shut until the codes are used"


def test_half_a_sign_in_is_over_where_its_person_left_or_was_signed_out_meanwhile():
    room = staffroom.build()
    for end in ({"is_active": False}, {"signed_out_at": timezone.now()}):
        client = Client()
        secret = staffroom.secret_of(room.steward)
        client.post(
            "/desk/sign-in/", {"login": room.steward.username, "password": staffroom.PASSWORD}
        )
        User.objects.filter(pk=room.steward.pk).update(**end)
        client.post("/desk/code/", {"code": staffroom.code(secret)})
        assert client.get("/desk/")["Location"] == "/desk/sign-in/"
        User.objects.filter(pk=room.steward.pk).update(is_active=True)


# what was asked for, and what runs ----------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_a_leaver_asked_for_is_void_and_nothing_waits_in_its_place(settings, tmp_path):
    settings.SAYSO_DATA = tmp_path
    world = small_world(2)
    release, before = world.prepare(), Release.objects.count()
    leaving.off_board(user=world.requester, **held_by(world.recipient_admin))
    with pytest.raises(NotPermitted):
        world.fetch(release)
    other = people.create_user(
        username="delta-elm-6", kind=UserKind.STAFF, **held_by(world.recipient_admin)
    )
    memberships.grant(
        user=other,
        organisation=world.recipient,
        role=Role.REQUESTER,
        **held_by(world.recipient_admin),
    )
    with pytest.raises(Void):
        world.hand_over(release, by=other)
    release.refresh_from_db()
    assert release.void_ground == VoidGround.REQUEST
    assert Release.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_a_download_that_runs_stops_before_its_next_part(settings, tmp_path):
    settings.SAYSO_DATA = tmp_path
    world = small_world(12, each=4, part_rows=12)
    release = world.prepare()
    parts = release.parts.count()
    assert parts > 2
    whole = len(world.fetch(release))
    handed = world.hand_over(release)
    received = b""
    chunks = iter(handed.chunks)
    name = f"{release.ref}-part-00001"
    while name.encode() not in received:
        received += next(chunks)
    leaving.off_board(user=world.requester, **held_by(world.recipient_admin))
    rest: list[bytes] = []
    with pytest.raises(Void):
        rest.extend(chunks)
    received += b"".join(rest)
    assert len(received) < whole
    assert received.count(b"PK\x03\x04") <= 4, "manifest, proof, and no more than the part begun"
    assert Entry.objects.filter(type=EntryType.DOWNLOAD_STOPPED, reason="not-allowed").exists()


# a lost key ---------------------------------------------------------------------------------------


def replaced(world):
    fresh = x25519.Identity.generate()
    keys.register(
        organisation=world.recipient,
        public_key=str(fresh.to_public()),
        **held_by(world.recipient_admin),
    )
    return fresh


@pytest.mark.django_db(transaction=True)
def test_what_was_sealed_to_a_lost_key_is_void_at_once_and_remade_by_the_clock(settings, tmp_path):
    settings.SAYSO_DATA = tmp_path
    world = small_world(3)
    release = world.prepare()
    fresh = replaced(world)
    tick(timezone.now())
    release.refresh_from_db()
    assert release.void_ground == VoidGround.KEY
    with pytest.raises(Void):
        world.fetch(release)
    remade = release.replaced_by.get()
    assert (remade.state, remade.key.public_key) == (ReleaseState.PREPARED, str(fresh.to_public()))
    world.identity = fresh
    assert world.received(remade) == {"c-1", "c-2", "c-3"}
    assert tick(timezone.now()) == 0 or not remade.replaced_by.exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_sealed_to_a_lost_key_is_handed_over_though_no_clock_has_run(settings, tmp_path):
    settings.SAYSO_DATA = tmp_path
    world = small_world(3)
    release = world.prepare()
    replaced(world)
    with pytest.raises(Void):
        world.fetch(release)


@pytest.mark.django_db(transaction=True)
def test_an_ended_key_without_a_new_one_remakes_nothing_until_there_is_one(settings, tmp_path):
    settings.SAYSO_DATA = tmp_path
    world = small_world(3)
    release = world.prepare()
    keys.end(key=release.key, **held_by(world.recipient_admin))
    tick(timezone.now())
    release.refresh_from_db()
    assert release.voided_at is None
    assert not release.replaced_by.exists()
    replaced(world)
    tick(timezone.now())
    newer = release.replaced_by.get()
    assert newer.state == ReleaseState.PREPARED
    entry = Entry.objects.get(type=EntryType.RELEASE_ASKED, resource=newer.ref)
    assert (entry.actor, entry.via, entry.reason) == ("clock", Via.TASK, "replaces")


def test_a_wrong_fingerprint_changes_nothing():
    world = build()
    key = str(x25519.Identity.generate().to_public())
    for typed, code in (("00000000", "fingerprint"), ("abc", "fingerprint"), ("", "bad_confirmed")):
        with refused(code):
            keys.register(
                organisation=world.recipient,
                public_key=key,
                confirmed=typed,
                **stamp(world.recipient_admin),
            )
    assert readings.current_key(world.recipient) is None
    assert not Invitation.objects.exists()
    assert not ApiToken.objects.exists()


def test_a_leaver_is_asked_after_the_locks_and_a_role_begun_meanwhile_is_not_forgotten(monkeypatch):
    """A role that begins between choosing the scopes and holding them is ended in the next try."""
    world = build()
    real = leaving._narrowed
    tries = []

    def slow(bodies):
        tries.append(set(bodies))
        if len(tries) == 1:
            memberships.grant(
                user=world.steward,
                organisation=world.recipient,
                role=Role.AUDITOR,
                **stamp(world.recipient_admin),
            )
        return real(bodies)

    monkeypatch.setattr(leaving, "_narrowed", slow)
    left = off_board(world.steward, world.convener)
    assert (left.roles, len(tries)) == (2, 2)
    assert tries[1] == {world.holder.pk, world.recipient.pk}
    monkeypatch.setattr(leaving, "TRIES", 0)
    with pytest.raises(RuleBroken) as refusal:
        off_board(world.requester, world.convener)
    assert refusal.value.code == "changing"
