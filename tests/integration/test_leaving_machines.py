"""Machines' applications when somebody leaves: what the leaver was told opens nothing any more."""

from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from audit.models import Entry
from audit.vocabulary import EntryType
from governance.actions import machines, memberships
from governance.queries import machines as readings
from governance.vocabulary import MachineScope, Role, UserKind
from tests.integration.governance_world import build, member, staff, stamp
from tests.integration.test_arrivals import refused
from tests.integration.test_leaving import off_board

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"


def application(world, by, machine, scopes=(MachineScope.READ,)):
    return machines.register(
        user=machine,
        organisation=world.recipient,
        label="nightly fetch",
        scopes=scopes,
        **stamp(by),
    )


def token_of(client, secret):
    shown = {
        "grant_type": "client_credentials",
        "client_id": client.application.client_id,
        "client_secret": secret,
    }
    answer = Client().post("/api/oauth/token/", urlencode(shown), FORM)
    return answer.json().get("access_token", "")


def opens(token):
    headers = {"HTTP_AUTHORIZATION": f"Bearer {token or 'n' * 43}"}
    return Client(**headers).get("/api/datasets/").status_code == 200


def test_applications_end_with_whoever_was_told_their_secret_and_nobody_elses_does():
    world = build()
    leaver = member(world.holder_admin, "leaver-birch-1", world.holder, Role.ADMINISTRATOR)
    machine = staff(world.recipient_admin, "copper-mill-90", UserKind.MACHINE)
    here = {"organisation": world.recipient, **stamp(world.recipient_admin)}
    memberships.grant(user=machine, role=Role.REQUESTER, **here)
    memberships.grant(user=leaver, role=Role.ADMINISTRATOR, **here)
    told, told_secret = application(world, leaver, machine)
    renewed = machines.rotate(client=told, **stamp(world.recipient_admin, timezone.now()))
    other, other_secret = application(world, world.recipient_admin, machine)
    tokens_before = [
        token_of(told, told_secret), token_of(told, renewed), token_of(other, other_secret)
    ]  # fmt: skip
    assert [opens(token) for token in tokens_before] == [True, True, True]

    left = off_board(leaver, world.convener)

    assert left.applications == 1
    assert [opens(token) for token in tokens_before] == [False, False, True]
    assert token_of(told, told_secret) == ""
    assert opens(token_of(told, renewed)), "only what the leaver was told"
    assert opens(token_of(other, other_secret))
    ended = Entry.objects.filter(type=EntryType.TOKEN_REVOKED, reason="left")
    assert [entry.resource.rsplit("/")[-1] for entry in ended] == [f"client-{told.pk}"]
    with refused("may_not_administer"):
        application(world, leaver, machine)


def test_a_token_that_is_being_made_while_its_teller_leaves_is_not_made(monkeypatch):
    world = build()
    leaver = member(world.holder_admin, "leaver-birch-1", world.holder, Role.ADMINISTRATOR)
    machine = staff(world.recipient_admin, "copper-mill-90", UserKind.MACHINE)
    here = {"organisation": world.recipient, **stamp(world.recipient_admin)}
    memberships.grant(user=machine, role=Role.REQUESTER, **here)
    memberships.grant(user=leaver, role=Role.ADMINISTRATOR, **here)
    client, secret = application(world, leaver, machine)
    looked = readings.secret

    def then_she_leaves(*given):
        found = looked(*given)
        off_board(leaver, world.convener)
        return found

    monkeypatch.setattr(readings, "secret", then_she_leaves)
    assert token_of(client, secret) == ""
    assert not AccessToken.objects.exists()
    assert not Entry.objects.filter(type=EntryType.TOKEN_ISSUED, reason="access").exists()


@pytest.mark.parametrize("whole", [True, False])
def test_a_machine_that_is_let_go_comes_in_with_nothing_any_more(whole):
    world = build()
    machine = staff(world.recipient_admin, "copper-mill-90", UserKind.MACHINE)
    here = {"organisation": world.recipient, **stamp(world.recipient_admin)}
    memberships.grant(user=machine, role=Role.REQUESTER, **here)
    memberships.grant(
        user=machine, organisation=world.holder, role=Role.STEWARD, **stamp(world.holder_admin)
    )
    client, secret = application(world, world.recipient_admin, machine)
    token = token_of(client, secret)
    assert opens(token)
    by = world.convener if whole else world.recipient_admin
    where = {} if whole else {"organisation": world.recipient}
    left = off_board(machine, by, **where)
    assert (left.applications, left.account) == (1, whole)
    assert not opens(token)
    assert not token_of(client, secret)
    with refused("client_ended"):
        machines.rotate(client=client, **stamp(world.recipient_admin))
