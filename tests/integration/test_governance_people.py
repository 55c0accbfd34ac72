"""Organisations, accounts, roles, seats, keys and tokens: who may make them, and what they open."""

import os
import stat
from datetime import timedelta
from io import StringIO
from itertools import product
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pyrage import x25519

from audit import actions as audit
from audit.models import Entry
from audit.vocabulary import EntryType, Via
from common.errors import BadInput, NotPermitted, RuleBroken
from governance import permissions
from governance.actions import boards, keys, memberships, organisations, people, tokens
from governance.models import Membership, Organisation, RecipientKey, Seat, User
from governance.queries import people as readings
from governance.vocabulary import OrganisationKind, Role, SeatKind, UserKind
from tests.integration.governance_world import (
    LATER,
    NOW,
    PASSWORD,
    begin,
    build,
    member,
    staff,
    stamp,
)

pytestmark = pytest.mark.django_db
CHECKS = {
    Role.STEWARD: (permissions.check_can_steward, permissions.can_steward),
    Role.REQUESTER: (permissions.check_can_ask, permissions.can_ask),
    Role.AUDITOR: (permissions.check_can_audit, permissions.can_audit),
    Role.ADVOCATE: (permissions.check_can_advise, permissions.can_advise),
    Role.ADMINISTRATOR: (permissions.check_can_administer, permissions.can_administer),
}


def refusal(code, deed, **given):
    with pytest.raises((RuleBroken, BadInput, NotPermitted)) as refused:
        deed(**given)
    assert refused.value.code == code, refused.value.message


def test_sayso_begins_once_with_a_community_and_its_administrator():
    convener = begin()
    assert permissions.can_convene(convener)
    assert Organisation.objects.get().verified_at == NOW
    assert convener.check_password(PASSWORD)
    assert Entry.objects.filter(reason="first").count() == 3
    again = {"username": "b-b-b", "password": PASSWORD, "at": NOW, "via": Via.COMMAND}
    refusal("already_begun", people.create_first_administrator, organisation_name="Other", **again)
    assert Organisation.objects.count() == User.objects.count() == 1


def test_the_first_organisation_is_a_community():
    given = {"username": "river-maple-41", "password": PASSWORD, "organisation_name": "Police"}
    kind = OrganisationKind.POLICE
    first = people.create_first_administrator
    refusal("community_first", first, kind=kind, at=NOW, via=Via.COMMAND, **given)
    assert not User.objects.exists()


@pytest.mark.parametrize(("role", "asked"), list(product(Role, CHECKS)))
def test_a_role_opens_its_own_door_in_its_own_organisation_and_nothing_else(role, asked):
    world = build()
    user = member(world.holder_admin, "one-role-only", world.holder, role)
    check, can = CHECKS[asked]
    opens = role == asked
    assert can(user, world.holder) is opens
    if opens:
        check(user, world.holder)
    else:
        with pytest.raises(NotPermitted):
            check(user, world.holder)
    assert not can(user, world.recipient)
    assert not permissions.can_sit(user, world.board)
    assert not permissions.can_convene(user)
    memberships.end(membership=Membership.objects.get(user=user, role=role), **stamp(user))
    assert not can(user, world.holder)


@pytest.mark.parametrize("role", CHECKS)
def test_being_a_superuser_opens_nothing_and_an_inactive_account_less(role):
    world = build()
    _, can = CHECKS[role]
    admin = User.objects.create(username="top", kind=UserKind.STAFF, is_superuser=True)
    assert not can(admin, world.holder)
    assert not permissions.can_convene(admin)
    assert not permissions.can_sit(admin, world.board)
    assert not permissions.can_pause_purpose(admin)
    user = member(world.holder_admin, "one-role-only", world.holder, role)
    assert can(user, world.holder)
    for someone in (user, world.convener, world.seats[0].user):
        someone.is_active = False
        someone.save()
    assert not can(user, world.holder)
    assert not permissions.can_convene(world.convener)
    assert not permissions.can_make_account(world.convener, UserKind.STAFF)
    assert not permissions.can_pause_purpose(world.seats[0].user)


def test_a_survivors_account_may_nothing_even_if_guardian_says_so():
    world = build()
    survivor = staff(world.convener, "still-pond-02", UserKind.SURVIVOR)
    for role in Role:
        permissions.grant(survivor, world.community, role)
    permissions.seat(survivor, world.board)
    assert not any(can(survivor, world.community) for _, can in CHECKS.values())
    assert not permissions.can_sit(survivor, world.board)
    assert not permissions.can_convene(survivor)
    assert not permissions.can_pause_purpose(survivor)
    assert not permissions.can_make_account(survivor, UserKind.SURVIVOR)


def test_the_community_appoints_only_where_nobody_administers():
    world = build()
    user = staff(world.convener, "grey-otter-77")
    here = {"user": user, "organisation": world.holder, **stamp(world.convener)}
    refusal("may_not_grant", memberships.grant, role=Role.ADMINISTRATOR, **here)
    last = Membership.objects.get(user=world.holder_admin)
    memberships.end(membership=last, **stamp(world.holder_admin))
    refusal("may_not_grant", memberships.grant, role=Role.STEWARD, **here)
    memberships.grant(role=Role.ADMINISTRATOR, **here)
    assert permissions.can_administer(user, world.holder)
    assert not permissions.can_administer(world.holder_admin, world.holder)


def test_roles_are_for_staff_and_asking_loading_and_auditing_for_machines_too():
    world = build()
    here = {"organisation": world.recipient, **stamp(world.recipient_admin)}
    machine = staff(world.convener, "copper-mill-90", UserKind.MACHINE)
    survivor = staff(world.convener, "still-pond-02", UserKind.SURVIVOR)
    for role in set(Role) - {Role.REQUESTER, Role.STEWARD, Role.AUDITOR}:
        refusal("role_not_for_kind", memberships.grant, user=machine, role=role, **here)
    refusal("role_not_for_kind", memberships.grant, user=survivor, role=Role.ADVOCATE, **here)
    memberships.grant(user=machine, role=Role.REQUESTER, **here)
    refusal("role_held", memberships.grant, user=machine, role=Role.REQUESTER, **here)
    memberships.grant(user=machine, role=Role.STEWARD, **here)
    assert permissions.can_ask(machine, world.recipient)
    assert permissions.can_steward(machine, world.recipient)


def test_a_role_ends_once_and_can_be_granted_again():
    world = build()
    asking = Membership.objects.get(user=world.requester)
    outsider = world.seats[0].user
    refusal("may_not_end_role", memberships.end, membership=asking, **stamp(outsider))
    memberships.end(membership=asking, **stamp(world.recipient_admin))
    refusal("role_ended", memberships.end, membership=asking, **stamp(world.recipient_admin))
    assert not permissions.can_ask(world.requester, world.recipient)
    assert not readings.is_member(world.requester, world.recipient)
    memberships.grant(
        user=world.requester,
        organisation=world.recipient,
        role=Role.REQUESTER,
        **stamp(world.recipient_admin),
    )
    assert permissions.can_ask(world.requester, world.recipient)


def test_what_guardian_keeps_is_what_memberships_and_seats_say():
    world = build()
    boards.end_seat(seat=world.seats[0], **stamp(world.convener))
    asking = Membership.objects.get(user=world.requester)
    memberships.end(membership=asking, **stamp(world.requester))
    held = Membership.objects.filter(ended_at__isnull=True)
    said = {(row.user_id, permissions.GRANTS[Role(row.role)], row.organisation_id) for row in held}
    fields = ("user", "permission__codename", "content_object")
    kept = permissions.OrganisationUserPermission.objects.values_list(*fields)
    assert set(kept) == said
    sat = Seat.objects.filter(ended_at__isnull=True).values_list("user", "board")
    model = world.seats[0].user.boarduserpermission_set.model
    assert set(model.objects.values_list("user", "content_object")) == set(sat)


def test_organisations_come_in_by_the_community_and_once():
    world = build()
    given = {"name": "Court Clerk", "kind": OrganisationKind.COURT}
    refusal("may_not_convene", organisations.create, **given, **stamp(world.holder_admin))
    made = organisations.create(**given, **stamp(world.convener))
    assert made.verified_at is None
    again = {"name": " court clerk ", "kind": OrganisationKind.COURT}
    refusal("organisation_name_taken", organisations.create, **again, **stamp(world.convener))
    refusal("bad_name", organisations.create, name="\n", kind="court", **stamp(world.convener))
    refusal("may_not_convene", organisations.verify, organisation=made, **stamp(world.steward))
    assert organisations.verify(organisation=made, **stamp(world.convener)).verified_at == NOW
    refusal("already_verified", organisations.verify, organisation=made, **stamp(world.convener))


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("username", {"username": "a b"}),
        ("username", {"username": "ab"}),
        ("username", {"username": "naïve"}),
        ("username_taken", {"username": "RIVER-MAPLE-41"}),
        ("password_weak", {"password": "short"}),
        ("password_weak", {"password": "password1234"}),
        ("language", {"language": "xx"}),
        ("machine_password", {"kind": UserKind.MACHINE, "password": PASSWORD}),
    ],
)
def test_an_account_that_cannot_be_is_not_made(code, change):
    given = {"username": "moss-lantern-05", "kind": UserKind.STAFF, "password": PASSWORD}
    refusal(code, people.create_user, **{**given, **change}, **stamp(begin()))
    assert User.objects.count() == 1


def test_advocates_make_survivors_accounts_only_and_the_log_names_none_of_them():
    world = build()
    advocate = member(world.holder_admin, "open-door-14", world.holder, Role.ADVOCATE)
    given = {"username": "still-pond-02", "password": PASSWORD}
    refusal(
        "may_not_make_account", people.create_user, kind=UserKind.STAFF, **given, **stamp(advocate)
    )
    refusal(
        "may_not_make_account",
        people.create_user,
        kind=UserKind.SURVIVOR,
        **given,
        **stamp(world.steward),
    )
    made = people.create_user(kind=UserKind.SURVIVOR, language="es", **given, **stamp(advocate))
    entry = Entry.objects.order_by("-pk").first()
    assert (entry.type, entry.resource, entry.actor) == (EntryType.USER_CREATED, "", advocate.ref)
    assert made.ref.encode() not in bytes(entry.leaf)


def test_without_a_password_nobody_signs_in():
    made = staff(begin(), "moss-lantern-05")
    assert not made.has_usable_password()


def test_a_board_is_made_by_the_community_and_its_seats_by_staff_accounts():
    world = build()
    here = stamp(world.convener)
    refusal("may_not_convene", boards.create, name="Other", **stamp(world.holder_admin))
    refusal("board_name_taken", boards.create, name="winter board", **here)
    survivor = staff(world.convener, "still-pond-02", UserKind.SURVIVOR)
    given = {"board": world.board, "kind": SeatKind.SURVIVOR, **here}
    refusal("seat_for_staff", boards.fill_seat, user=survivor, **given)
    refusal("seat_held", boards.fill_seat, user=world.seats[0].user, **given)
    outsider = world.seats[1].user
    refusal("may_not_end_seat", boards.end_seat, seat=world.seats[0], **stamp(outsider))
    boards.end_seat(seat=world.seats[0], **stamp(world.seats[0].user))
    refusal("seat_ended", boards.end_seat, seat=world.seats[0], **here)
    assert not permissions.can_sit(world.seats[0].user, world.board)
    assert permissions.can_sit(outsider, world.board)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("charter_numbers", {"quorum": 0}),
        ("charter_numbers", {"survivor_minimum": 0}),
        ("charter_threshold", {"threshold_percent": 50}),
        ("charter_threshold", {"threshold_percent": 101}),
        ("charter_days", {"answer_days": 0}),
        ("charter_days", {"answer_days": 181}),
    ],
)
def test_a_charter_without_survivors_majority_or_time_is_not_adopted(code, change):
    world = build()
    given = {"quorum": 1, "survivor_minimum": 1, "threshold_percent": 51, "answer_days": 1}
    case = {"board": world.board, **stamp(world.convener)}
    refusal(code, boards.adopt_charter, **{**given, **change}, **case)
    assert boards.adopt_charter(**given, **case).number == 2


@pytest.mark.parametrize(
    "text", ["age1", "AGE-SECRET-KEY-1QQQQ", "age1" + "q" * 58, "ssh-ed25519 AAAA"]
)
def test_what_is_no_age_public_key_is_not_registered(text):
    world = build()
    case = {"organisation": world.recipient, **stamp(world.recipient_admin)}
    refusal("public_key", keys.register, public_key=text, **case)
    refusal("bad_public_key", keys.register, public_key=" ", **case)
    assert not RecipientKey.objects.exists()


def test_only_its_administrator_registers_an_organisations_key():
    world = build()
    key = str(x25519.Identity.generate().to_public())
    case = {"organisation": world.recipient, "public_key": key}
    for user in (world.convener, world.holder_admin, world.requester):
        refusal("may_not_administer", keys.register, **case, **stamp(user))
    padded = {**case, "public_key": f"  {key.upper()}\n"}
    made = keys.register(**padded, **stamp(world.recipient_admin))
    assert made.public_key == key
    refusal("key_in_use", keys.register, **case, **stamp(world.recipient_admin))


def test_a_token_opens_the_door_until_it_runs_out_or_is_revoked():
    world = build()
    machine = staff(world.recipient_admin, "copper-mill-90", UserKind.MACHINE)
    here = {"organisation": world.recipient, **stamp(world.recipient_admin)}
    case = {"user": machine, "label": "night fetch", **here}
    refusal("token_for_machine", tokens.issue, **case)
    memberships.grant(user=machine, role=Role.REQUESTER, **here)
    refusal("token_for_machine", tokens.issue, **{**case, "user": world.requester})
    refusal("token_days", tokens.issue, days=0, **case)
    refusal("token_days", tokens.issue, days=366, **case)
    refusal("bad_label", tokens.issue, **{**case, "label": " "})
    refusal("may_not_administer", tokens.issue, **{**case, "by": world.convener})
    token, secret = tokens.issue(days=2, **case)
    assert secret not in {str(value) for value in vars(token).values()}
    assert readings.token(secret, NOW) == token
    assert readings.token(secret + "x", NOW) is None
    assert readings.token(secret, token.expires_at - timedelta(seconds=1)) == token
    assert readings.token(secret, token.expires_at) is None
    refusal("may_not_administer", tokens.revoke, token=token, **stamp(world.holder_admin))
    tokens.revoke(token=token, **stamp(world.recipient_admin))
    assert readings.token(secret, NOW) is None
    refusal("token_revoked", tokens.revoke, token=token, **stamp(world.recipient_admin))


def test_a_token_of_an_inactive_machine_opens_nothing():
    world = build()
    machine = staff(world.recipient_admin, "copper-mill-90", UserKind.MACHINE)
    here = {"user": machine, "organisation": world.recipient, **stamp(world.recipient_admin)}
    memberships.grant(role=Role.REQUESTER, **here)
    _, secret = tokens.issue(label="night fetch", **here)
    User.objects.filter(pk=machine.pk).update(is_active=False)
    assert readings.token(secret, LATER) is None


def made_keys():
    out = StringIO()
    call_command("makekeys", stdout=out)
    return out.getvalue()


def test_keys_are_made_for_the_log_and_each_organisation_and_never_replaced(settings, tmp_path):
    settings.SAYSO_KEYS = tmp_path / "keys"
    convener = begin()
    given = {"name": "Bridge Study", "kind": OrganisationKind.RESEARCH}
    newcomer = organisations.create(**given, **stamp(convener))
    assert "service: made" in made_keys()
    names = {"service", *Organisation.objects.values_list("ref", flat=True)}
    files = [each for each in Path(settings.SAYSO_KEYS).iterdir() if each.name != ".lock"]
    wanted = {f"{name}.{ending}" for name in names for ending in ("kek", "keys")}
    assert {file.name for file in files} == wanted | {"noes.recipient"}
    assert {stat.S_IMODE(os.stat(file).st_mode) for file in files} == {0o600}
    before = {file.name: file.read_text() for file in files}
    again = made_keys()
    assert again.count("already there") == len(names)
    assert ": made" not in again
    assert {file.name: file.read_text() for file in files} == before
    (settings.SAYSO_KEYS / f"{newcomer.ref}.keys").unlink()
    assert f"{newcomer.ref}: made" in made_keys()


def test_a_key_that_was_used_and_is_missing_is_not_replaced(settings, tmp_path):
    settings.SAYSO_KEYS = tmp_path / "keys"
    world = build()
    holder = f"{world.holder.ref}.keys"
    with pytest.raises(CommandError, match=holder):
        made_keys()
    assert not settings.SAYSO_KEYS.exists()


def test_the_logs_key_is_not_replaced_once_it_has_signed(settings, tmp_path):
    settings.SAYSO_KEYS = tmp_path / "keys"
    begin()
    assert audit.sequence() > 0
    (settings.SAYSO_KEYS / "service.keys").unlink()
    with pytest.raises(CommandError, match=r"service\.keys"):
        made_keys()
