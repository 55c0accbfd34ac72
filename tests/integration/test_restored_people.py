"""Ways in that ended after a backup are not opened by restoring it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Model
from django.utils import timezone
from pyrage import x25519

from consent.actions.replaying import replay
from governance import models as g
from governance import permissions
from governance.actions import (
    boards,
    invitations,
    keys,
    leaving,
    machines,
    memberships,
    resets,
    tokens,
)
from governance.models import User
from governance.vocabulary import MachineScope, ResetKind, Role, SeatKind, UserKind
from release.actions import backups
from release.queries import readiness
from tests.backups import restored
from tests.integration.governance_world import World, build, member, staff, stamp

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("backups_can_be_made"),
]


@dataclass
class Stage:
    """A world in which somebody holds one of everything, and two who hold little."""

    world: World
    leaver: User
    seated: User
    machine: User
    key: g.RecipientKey
    token: g.ApiToken
    client: g.MachineClient
    invitation: g.Invitation
    reset: g.AccountReset


@pytest.fixture
def stage() -> Stage:
    now = timezone.now()
    world = build()
    leaver = member(world.holder_admin, "leaver-birch-1", world.holder, Role.ADMINISTRATOR)
    seated = staff(world.convener, "seated-birch-2")
    machine = staff(world.recipient_admin, "copper-mill-90", UserKind.MACHINE)
    here = {"organisation": world.recipient, **stamp(world.recipient_admin)}
    memberships.grant(user=machine, role=Role.REQUESTER, **here)
    for user in (leaver, seated):
        boards.fill_seat(board=world.board, user=user, kind=SeatKind.LEGAL, **stamp(world.convener))
    key = keys.register(public_key=str(x25519.Identity.generate().to_public()), **here)
    token, _ = tokens.issue(user=machine, label="nightly", **here)
    client, _ = machines.register(user=machine, label="nightly", scopes=[MachineScope.READ], **here)
    wanted = {"organisation": world.holder, "roles": [Role.STEWARD]}
    invitation, _ = invitations.invite(**wanted, **stamp(leaver, now))
    reset, _ = resets.ask(user=world.steward, kind=ResetKind.BOTH, **stamp(leaver, now))
    return Stage(world, leaver, seated, machine, key, token, client, invitation, reset)


def fresh(row: Model) -> Any:
    return type(row)._default_manager.get(pk=row.pk)


def of(user: User) -> list[bool]:
    """What a user still is: a member, one with a seat, one who can sign in."""
    roles = g.Membership.objects.filter(user=user, ended_at__isnull=True)
    seats = g.Seat.objects.filter(user=user, ended_at__isnull=True)
    found = fresh(user)
    return [
        roles.exists(),
        seats.exists(),
        found.is_active and found.ended_at is None and found.shut_at is None,
    ]


def everything(stage: Stage) -> list[bool]:
    """What the one who left opened: their own roles, seat, account, and what hung on them."""
    return [
        *of(stage.leaver),
        permissions.can_administer(stage.leaver, stage.world.holder),
        permissions.can_sit(stage.leaver, stage.world.board),
        fresh(stage.invitation).withdrawn_at is None,
    ]


@dataclass(frozen=True)
class Way:
    """How a way in ends, and whether it is open."""

    end: Callable[[Stage], object]
    open: Callable[[Stage], object]


def _new_key(stage: Stage) -> object:
    return keys.register(
        organisation=stage.world.recipient,
        public_key=str(x25519.Identity.generate().to_public()),
        **stamp(stage.world.recipient_admin),
    )


def _oldest_secret(stage: Stage) -> bool:
    secret = stage.client.secrets.order_by("pk")[0]
    return bool(secret.expires_at > timezone.now() + timedelta(days=1))


WAYS: dict[str, Way] = {
    "somebody leaves": Way(
        lambda s: leaving.off_board(user=s.leaver, **stamp(s.world.convener)), everything
    ),
    "somebody without a role leaves": Way(
        lambda s: leaving.off_board(user=s.seated, **stamp(s.world.convener)),
        lambda s: of(s.seated)[1:],
    ),
    "somebody leaves one organisation": Way(
        lambda s: leaving.off_board(
            user=s.machine, organisation=s.world.recipient, **stamp(s.world.recipient_admin)
        ),
        lambda s: [
            of(s.machine)[0],
            fresh(s.token).revoked_at is None,
            fresh(s.client).ended_at is None,
        ],
    ),
    "a role ends": Way(
        lambda s: memberships.end(
            membership=s.world.steward.memberships.get(), **stamp(s.world.holder_admin)
        ),
        lambda s: permissions.can_steward(s.world.steward, s.world.holder),
    ),
    "a seat ends": Way(
        lambda s: boards.end_seat(seat=s.seated.seats.get(), **stamp(s.world.convener)),
        lambda s: permissions.can_sit(s.seated, s.world.board),
    ),
    "a token is revoked": Way(
        lambda s: tokens.revoke(token=s.token, **stamp(s.world.recipient_admin)),
        lambda s: fresh(s.token).revoked_at is None,
    ),
    "an application ends": Way(
        lambda s: machines.end(client=s.client, **stamp(s.world.recipient_admin)),
        lambda s: fresh(s.client).ended_at is None,
    ),
    "a secret is replaced at once": Way(
        lambda s: machines.rotate(
            client=s.client,
            overlap=timedelta(0),
            **stamp(s.world.recipient_admin, timezone.now() + timedelta(seconds=1)),
        ),
        _oldest_secret,
    ),
    "an invitation is taken back": Way(
        lambda s: invitations.withdraw(
            invitation=s.invitation, **stamp(s.world.holder_admin, timezone.now())
        ),
        lambda s: fresh(s.invitation).withdrawn_at is None,
    ),
    "an account is shut to begin anew": Way(
        lambda s: resets.agree(reset=s.reset, **stamp(s.world.holder_admin, timezone.now())),
        lambda s: of(s.world.steward)[2],
    ),
    "a key is lost": Way(
        lambda s: keys.end(key=s.key, **stamp(s.world.recipient_admin)),
        lambda s: fresh(s.key).ended_at is None,
    ),
    "a key is replaced": Way(_new_key, lambda s: fresh(s.key).ended_at is None),
}


NOTHING_ENDS: dict[str, Callable[[Stage], object]] = {
    "a new secret after all have run out": lambda s: machines.rotate(
        client=s.client, **stamp(s.world.recipient_admin, timezone.now() + timedelta(days=400))
    ),
    "somebody leaves where they hold nothing": lambda s: leaving.off_board(
        user=s.world.steward, organisation=s.world.recipient, **stamp(s.world.convener)
    ),
}


@pytest.mark.parametrize("deed", NOTHING_ENDS.values(), ids=NOTHING_ENDS)
def test_a_deed_that_ended_nothing_is_no_no_and_asks_for_no_hand_after_a_restore(
    stage: Stage, tmp_path: Path, deed: Callable[[Stage], object]
) -> None:
    backups.make(folder=tmp_path / "one", **stamp(stage.world.convener, timezone.now()))
    before = g.KeptNo.objects.count()
    deed(stage)
    assert g.KeptNo.objects.count() == before
    restored(tmp_path / "one")
    assert readiness.shut() is None


def is_open(found: object) -> bool:
    return all(found) if isinstance(found, list) else bool(found)


def is_shut(found: object) -> bool:
    return not any(found) if isinstance(found, list) else not found


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_way_in_that_ended_after_the_backup_is_shut_after_the_restore(
    stage: Stage, tmp_path: Path, way: Way
) -> None:
    assert is_open(way.open(stage))
    backups.make(folder=tmp_path / "one", **stamp(stage.world.convener, timezone.now()))
    way.end(stage)
    assert is_shut(way.open(stage))
    restored(tmp_path / "one")
    assert is_open(way.open(stage)), "the restore has forgotten it"
    assert readiness.shut().code == "restored"
    done = replay(**stamp(stage.world.convener, timezone.now() + timedelta(seconds=1)))
    assert (done.said, done.by_hand) == (1, ())
    assert is_shut(way.open(stage))
    assert readiness.shut() is None
