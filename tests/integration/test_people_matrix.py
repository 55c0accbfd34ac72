"""Every role against every deed about people: one table, held at the desk and in the deeds alike."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pyrage import x25519

from audit.vocabulary import Via
from common.errors import NotPermitted
from governance.actions import invitations, keys, leaving, memberships, people, resets
from governance.models import Organisation, User
from governance.vocabulary import OrganisationKind, ResetKind, Role, UserKind
from tests import staffroom
from tests.factories import governance as made
from tests.staffroom import PASSWORD, Staffroom

pytestmark = pytest.mark.django_db

# What each deed may be done by. The organisation is the recipient, which has two administrators
# besides the person the deed is about; "fresh" administers it since yesterday only.
MAY: dict[str, set[str]] = {
    "people": {"own", "second", "third", "fresh", "other", "convener"},  # each their own page
    "invite-steward": {"own", "second", "third", "fresh"},
    "invite-administrator": {"own", "second", "third", "fresh"},
    "invite-first-administrator": {"convener"},
    "invitation-withdraw": {"own", "second", "third", "fresh", "convener"},
    "reset-ask": {"own", "second", "third"},
    "reset-agree": {"second", "third"},  # "own" asked
    "reset-withdraw": {"own", "second", "third", "person"},
    "off-board": {"own", "second", "third", "fresh", "convener"},
    "off-board-here": {"own", "second", "third", "fresh", "convener"},
    "key-register": {"own", "second", "third", "fresh"},
    "key-end": {"own", "second", "third", "fresh"},
}
WHO = [
    *("own", "second", "third", "fresh", "other", "convener", "steward", "advocate", "auditor"),
    *("board", "person", "gone", "survivor", "machine"),
]


@dataclass
class Cast:
    room: Staffroom
    people: dict[str, User]
    empty: Organisation


@pytest.fixture
def cast() -> Cast:
    room = staffroom.build()
    long_ago = {"at": timezone.now() - timedelta(days=30), "via": Via.COMMAND}

    def member(name: str, where: Organisation, role: Role, **when: Any) -> User:
        user = people.create_user(
            username=name, kind=UserKind.STAFF, password=PASSWORD, by=room.convener, **long_ago
        )
        by = room.recipient_admin if where == room.recipient else room.holder_admin
        memberships.grant(
            user=user, organisation=where, role=role, **{"by": by, **long_ago, **when}
        )
        return user

    room.recipient_admin.memberships.update(started_at=long_ago["at"])
    everybody = {
        "own": room.recipient_admin,
        "second": member("state-second", room.recipient, Role.ADMINISTRATOR),
        "third": member("state-third", room.recipient, Role.ADMINISTRATOR),
        "fresh": member("state-fresh", room.recipient, Role.ADMINISTRATOR, at=timezone.now()),
        "other": room.holder_admin,
        "convener": room.convener,
        "steward": room.steward,
        "advocate": room.advocate,
        "auditor": member("state-auditor", room.recipient, Role.AUDITOR),
        "board": room.members[0],
        "person": room.requester,
        "gone": member("state-gone", room.recipient, Role.ADMINISTRATOR),
        "survivor": room.survivor,
        "machine": room.machine,
    }
    leaving.off_board(user=everybody["gone"], **staffroom.hand(room.convener))
    empty = made.organisation(kind=OrganisationKind.COURT)
    return Cast(room, {name: User.objects.get(pk=u.pk) for name, u in everybody.items()}, empty)


def asked(cast: Cast) -> Any:
    """A reset of the person's that `own` asked for."""
    hand = {**staffroom.hand(cast.people["own"])}
    return resets.ask(user=cast.people["person"], kind=ResetKind.BOTH, **hand)[0]


def invited(cast: Cast) -> Any:
    given = {"organisation": cast.room.recipient, "roles": [Role.STEWARD]}
    return invitations.invite(**given, **staffroom.hand(cast.people["own"]))[0]


Deed = Callable[[Cast, dict[str, Any]], object]


def invite(role: Role, first: bool = False) -> Deed:
    def deed(cast: Cast, hand: dict[str, Any]) -> object:
        where = cast.empty if first else cast.room.recipient
        return invitations.invite(organisation=where, roles=[role], **hand)

    return deed


DEEDS: dict[str, Deed] = {
    "invite-steward": invite(Role.STEWARD),
    "invite-administrator": invite(Role.ADMINISTRATOR),
    "invite-first-administrator": invite(Role.ADMINISTRATOR, first=True),
    "invitation-withdraw": lambda c, h: invitations.withdraw(invitation=invited(c), **h),
    "reset-ask": lambda c, h: resets.ask(user=c.people["person"], kind=ResetKind.BOTH, **h),
    "reset-agree": lambda c, h: resets.agree(reset=asked(c), **h),
    "reset-withdraw": lambda c, h: resets.withdraw(reset=asked(c), **h),
    "off-board": lambda c, h: leaving.off_board(user=c.people["person"], **h),
    "off-board-here": lambda c, h: leaving.off_board(
        user=c.people["person"], organisation=c.room.recipient, **h
    ),
    "key-register": lambda c, h: keys.register(
        organisation=c.room.recipient,
        public_key=str(x25519.Identity.generate().to_public()),
        **h,
    ),
    "key-end": lambda c, h: keys.end(key=c.room.recipient.recipient_keys.get(), **h),
}


def test_the_table_is_about_every_deed_and_everybody_in_it_is_known():
    assert set(DEEDS) | {"people"} == set(MAY)
    assert {who for allowed in MAY.values() for who in allowed} <= set(WHO)


@pytest.mark.parametrize("name", DEEDS)
def test_a_deed_is_done_by_those_in_the_table_and_by_nobody_else(cast: Cast, name: str) -> None:
    """Each in a savepoint of its own, so that one doing it does not hinder the next."""
    done = set()
    for who in WHO:
        if attempt(cast, name, who):
            done.add(who)
    assert done == MAY[name]


def attempt(cast: Cast, name: str, who: str) -> bool:
    point = transaction.savepoint()
    try:
        DEEDS[name](cast, staffroom.hand(cast.people[who]))
    except NotPermitted:
        return False
    except Exception as refusal:
        if getattr(refusal, "code", "") != "same_hand":
            raise
        return False
    finally:
        transaction.savepoint_rollback(point)
    return True


PAGES: dict[str, Callable[[Cast], str]] = {
    "people": lambda c: reverse("desk:people"),
    "invite-steward": lambda c: reverse("desk:invite", args=[c.room.recipient.ref]),
    "invite-first-administrator": lambda c: reverse("desk:invite", args=[c.empty.ref]),
    "reset-ask": lambda c: reverse("desk:reset-ask", args=[c.people["person"].ref]),
    "off-board": lambda c: reverse("desk:off-board", args=[c.people["person"].ref]),
    "off-board-here": lambda c: reverse(
        "desk:off-board-here", args=[c.people["person"].ref, c.room.recipient.ref]
    ),
    "key-register": lambda c: reverse("desk:key-register", args=[c.room.recipient.ref]),
    "key-end": lambda c: reverse("desk:key-end", args=[c.room.recipient.ref]),
}


def test_the_desk_shows_a_deeds_page_to_those_in_the_table_and_to_nobody_else(cast: Cast) -> None:
    seen: dict[str, set[str]] = {name: set() for name in PAGES}
    for who, user in cast.people.items():
        cache.clear()
        client = staffroom.enter(Client(), user)
        for name, page in PAGES.items():
            answer = client.get(page(cast))
            assert answer.status_code in {200, 302, 403, 404}, (name, who)
            if answer.status_code == 200:
                seen[name].add(who)
    assert seen == {name: MAY[name] for name in PAGES}
