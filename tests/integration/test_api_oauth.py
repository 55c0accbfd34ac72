"""A machine shows its application's secret and gets a token; what closes that way in, at once."""

import base64
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken

from api.throttling import DoorThrottle, MachineThrottle
from audit.models import Entry
from audit.rules import BURST
from audit.vocabulary import Burst, EntryType, Via
from common.errors import BadInput, NotPermitted, RuleBroken
from governance import permissions
from governance.actions import machines, memberships, people
from governance.models import ClientSecret, MachineClient, Membership, User
from governance.queries.machines import access
from governance.vocabulary import MachineScope, Role, UserKind
from tests.factories import governance as made
from tests.integration.api_world import bearer

pytestmark = pytest.mark.django_db
PATH = "/api/oauth/token/"
ALL = list(MachineScope)


def hand(by):
    return {"by": by, "at": timezone.now(), "via": Via.COMMAND}


class Body:
    """An organisation, its administrator, and a machine with a role and an application."""

    def __init__(self, scopes=tuple(ALL), roles=(Role.REQUESTER,)):
        self.organisation, self.admin = made.organisation(), made.user()
        permissions.grant(self.admin, self.organisation, Role.ADMINISTRATOR)
        self.machine = made.user(kind=UserKind.MACHINE)
        self.roles = [
            memberships.grant(
                user=self.machine, organisation=self.organisation, role=role, **hand(self.admin)
            )
            for role in roles
        ]
        self.client, self.secret = machines.register(
            user=self.machine,
            organisation=self.organisation,
            label="nightly fetch",
            scopes=scopes,
            **hand(self.admin),
        )

    @property
    def id(self):
        return self.client.application.client_id

    def show(self, secret=None, **more):
        return ask({"client_id": self.id, "client_secret": secret or self.secret, **more})

    def token(self, **more):
        return self.show(**more).json()["access_token"]


def ask(given, grant="client_credentials", **headers):
    cache.clear()
    return show(given, grant, **headers)


def show(given, grant="client_credentials", **headers):
    body = {"grant_type": grant, **given}
    return Client(**headers).post(
        PATH, "&".join(f"{k}={v}" for k, v in body.items()), "application/x-www-form-urlencoded"
    )


@pytest.fixture
def body():
    return Body()


def test_a_secret_in_the_body_or_as_basic_gives_a_token_for_a_quarter_of_an_hour(body):
    shown = body.show()
    pair = base64.b64encode(f"{body.id}:{body.secret}".encode()).decode()
    basic = ask({}, HTTP_AUTHORIZATION=f"Basic {pair}")
    for answer in (shown, basic):
        told = answer.json()
        assert answer.status_code == 200, told
        assert answer["Cache-Control"] == "no-store"
        assert (told["token_type"], told["expires_in"]) == ("Bearer", 900)
        assert told["scope"].split() == ["ask", "fetch", "read"]  # no role opens `load`
        assert set(told) == {"access_token", "expires_in", "scope", "token_type"}
        opened = bearer(told["access_token"]).get("/api/datasets/")
        assert opened.status_code == 200


def test_secrets_and_tokens_are_kept_as_digests_only(body):
    token = body.token()
    kept = str([*ClientSecret.objects.values(), *Application.objects.values()])
    kept += str([*AccessToken.objects.values(), *MachineClient.objects.values()])
    assert body.secret not in kept
    assert token not in kept
    assert not RefreshToken.objects.exists()
    leaves = b"".join(bytes(entry.leaf) for entry in Entry.objects.all()).decode()
    assert body.secret not in leaves
    assert token not in leaves


def test_each_coming_in_leaves_an_entry_and_the_day_it_was_last_used(body):
    before = Entry.objects.filter(type=EntryType.TOKEN_ISSUED, reason="access").count()
    assert body.client.secrets.get().last_used_at is None
    body.token()
    entries = Entry.objects.filter(type=EntryType.TOKEN_ISSUED, reason="access")
    assert entries.count() == before + 1
    assert entries.latest("pk").actor == body.machine.ref
    assert entries.latest("pk").via == Via.API
    assert body.client.secrets.get().last_used_at is not None


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("basic", [True, False])
def test_the_log_hears_of_a_burst_of_wrong_secrets_and_of_no_single_one(body, known, basic):
    name = body.id if known else "n" * 40
    shown = {"client_id": name, "client_secret": "sayso_client_" + "x" * 43}
    pair = base64.b64encode(":".join(shown.values()).encode()).decode()
    cache.clear()
    for number in range(1, BURST[Burst.ONE_ACCOUNT] + 2):
        answer = (
            show({}, HTTP_AUTHORIZATION=f"Basic {pair}", REMOTE_ADDR=f"192.0.{number}.9")
            if basic
            else show(shown, REMOTE_ADDR=f"192.0.{number}.9")
        )
        assert answer.status_code == 401
        assert answer.json()["error"] == "invalid_client"
        failed = Entry.objects.filter(type=EntryType.SIGNIN_FAILED)
        assert failed.count() == (number >= BURST[Burst.ONE_ACCOUNT])
    assert (failed.get().reason, failed.get().via) == (Burst.ONE_ACCOUNT, Via.API)
    assert name not in bytes(failed.get().leaf).decode()


def test_nobody_learns_whether_an_application_is_there(body):
    wrong = body.show(secret="sayso_client_" + "x" * 43)
    none = ask({"client_id": "n" * 40, "client_secret": body.secret})
    machines.end(client=body.client, **hand(body.admin))
    ended = body.show()
    told = {
        (one.status_code, one.content, one.get("WWW-Authenticate")) for one in (wrong, none, ended)
    }
    assert len(told) == 1


ODD = {
    "nothing": {},
    "no secret": {"client_id": "ID"},
    "NUL": {"client_id": "ID%00", "client_secret": "SECRET"},
    "a long id": {"client_id": "i" * 5000, "client_secret": "SECRET"},
    "no text": {"client_id": "%ff%fe", "client_secret": "%ff"},
    "a digest": {"client_id": "ID", "client_secret": "DIGEST"},
    "the toolkit's own column": {"client_id": "ID", "client_secret": "!"},
}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_odd_is_refused(body, odd):
    swaps = {"ID": body.id, "SECRET": body.secret, "DIGEST": body.client.secrets.get().digest}
    given = {
        key: value.replace("DIGEST", swaps["DIGEST"]).replace("SECRET", swaps["SECRET"])
        if key == "client_secret"
        else value.replace("ID", swaps["ID"])
        for key, value in ODD[odd].items()
    }
    assert ask(given).status_code in {400, 401}
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    "header", ["Basic", "Basic x", "Basic !!!!", "Basic " + "eA==" * 900, "Bearer x", "\xff"]
)
def test_an_odd_header_is_refused(header):
    assert ask({}, HTTP_AUTHORIZATION=header).status_code == 401


@pytest.mark.parametrize(
    "grant", ["password", "authorization_code", "refresh_token", "implicit", "", "x"]
)
def test_no_other_grant_is_there(body, grant):
    answer = ask({"client_id": body.id, "client_secret": body.secret}, grant=grant)
    assert answer.status_code == 400
    assert answer.json()["error"] in {"unsupported_grant_type", "invalid_request"}
    assert not AccessToken.objects.exists()


def test_nothing_at_all_is_refused():
    assert Client().generic("POST", PATH, b"", content_type="").status_code == 400


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", ""])
def test_a_body_of_another_kind_is_not_read(body, kind):
    assert Client().generic("POST", PATH, "{}", content_type=kind).status_code in {400, 415}


def test_a_token_may_ask_for_less_and_never_for_more():
    reader = Body(scopes=[MachineScope.READ, MachineScope.LOAD])
    assert reader.show().json()["scope"] == "read"  # a requester's machine loads nothing
    assert reader.show(scope="ask").status_code == 400
    assert reader.show(scope="load").json()["error"] == "invalid_scope"
    both = Body()
    less = bearer(both.token(scope="read"))
    assert less.get("/api/requests/").status_code == 200
    refused = less.post("/api/requests/", {}, format="json")
    assert refused.status_code == 403
    assert refused.json()["code"] == "insufficient_scope"
    assert 'scope="ask"' in refused["WWW-Authenticate"]
    assert less.get("/api/releases/rel-2222222222222/manifest/").status_code == 403


def test_a_new_secret_overlaps_with_the_one_before_and_with_no_other(body):
    second = machines.rotate(client=body.client, **hand(body.admin))
    assert body.show().status_code == body.show(secret=second).status_code == 200
    third = machines.rotate(client=body.client, **hand(body.admin))
    assert body.show().status_code == 401
    assert body.show(secret=second).status_code == body.show(secret=third).status_code == 200
    now = timezone.now()
    old = body.client.secrets.order_by("pk")[1]
    assert now + timedelta(hours=23) < old.expires_at < now + timedelta(hours=25)
    fourth = machines.rotate(client=body.client, overlap=timedelta(0), **hand(body.admin))
    assert body.show(secret=third).status_code == 401
    assert body.show(secret=fourth).status_code == 200


def _end(body):
    machines.end(client=body.client, **hand(body.admin))


def _inactive(body):
    User.objects.filter(pk=body.machine.pk).update(is_active=False)


def _expired(body):
    AccessToken.objects.update(expires=timezone.now())
    body.client.secrets.update(
        created_at=timezone.now() - timedelta(days=1), expires_at=timezone.now()
    )


def _role_ended(body):
    Membership.objects.filter(pk=body.roles[0].pk).update(ended_at=timezone.now())


CLOSED = {"ended": _end, "inactive": _inactive, "expired": _expired, "no role": _role_ended}


@pytest.mark.parametrize("how", CLOSED)
def test_what_closes_the_way_in_closes_tokens_that_were_given_already(body, how):
    came = bearer(body.token())
    assert came.get("/api/datasets/").status_code == 200
    CLOSED[how](body)
    refused = came.get("/api/datasets/")
    assert (refused.status_code, refused.json()["code"]) == (401, "token_refused")
    assert body.show().status_code == 401


def test_a_token_of_a_person_opens_nothing_even_if_one_came_to_be(body):
    token = body.token()
    person = made.user(kind=UserKind.STAFF)
    MachineClient.objects.update(user=person)
    assert access(token, timezone.now()) is None
    assert body.show().status_code == 401


def test_an_application_of_the_toolkits_own_command_opens_nothing(body):
    stray = Application.objects.create(
        user=body.machine,
        client_type="confidential",
        authorization_grant_type="client-credentials",
        client_secret="stray-secret-stray-secret",
    )
    answer = ask({"client_id": stray.client_id, "client_secret": "stray-secret-stray-secret"})
    assert answer.status_code == 401


def test_only_the_organisations_administrator_registers_renews_and_ends(body):
    other = Body().admin
    with pytest.raises(NotPermitted):
        machines.rotate(client=body.client, **hand(other))
    with pytest.raises(NotPermitted):
        machines.end(client=body.client, **hand(other))
    with pytest.raises(NotPermitted):
        register(body, by=other)


def register(body, **changes):
    given = {
        "user": body.machine,
        "organisation": body.organisation,
        "label": "second",
        "scopes": ALL,
        **hand(body.admin),
    }
    return machines.register(**{**given, **changes})


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"label": " "}, BadInput),
        ({"label": "a\nb"}, BadInput),
        ({"scopes": []}, BadInput),
        ({"days": 0}, BadInput),
        ({"days": 400}, BadInput),
    ],
)
def test_what_cannot_be_registered_is_refused(body, changes, kind):
    with pytest.raises(kind):
        register(body, **changes)


def test_an_application_is_for_a_machine_of_this_body(body):
    with pytest.raises(RuleBroken):
        register(body, user=body.admin)
    with pytest.raises(RuleBroken):
        register(body, user=Body().machine)


def test_an_application_that_has_ended_gets_no_new_secret(body):
    _end(body)
    with pytest.raises(RuleBroken):
        machines.rotate(client=body.client, **hand(body.admin))


def test_two_secrets_overlap_for_a_bounded_time(body):
    with pytest.raises(BadInput):
        machines.rotate(client=body.client, overlap=timedelta(days=15), **hand(body.admin))


def test_one_address_that_tries_too_often_is_told_when_to_come_again(body, monkeypatch):
    monkeypatch.setattr(DoorThrottle, "rate", "2/min", raising=False)
    monkeypatch.setattr(DoorThrottle, "timer", staticmethod(lambda: 60.5))  # one period
    cache.clear()
    statuses = [Client().post(PATH, {}, "application/x-www-form-urlencoded") for _ in range(3)]
    assert statuses[-1].status_code == 429
    assert int(statuses[-1]["Retry-After"]) >= 1


def test_a_second_token_of_one_machine_gives_no_second_allowance(body, monkeypatch):
    first, second = bearer(body.token()), bearer(body.token())
    monkeypatch.setattr(MachineThrottle, "rate", "2/min", raising=False)
    monkeypatch.setattr(MachineThrottle, "timer", staticmethod(lambda: 60.5))  # one period
    cache.clear()
    statuses = [one.get("/api/datasets/").status_code for one in (first, second, first, second)]
    assert statuses == [200, 200, 429, 429]


def test_a_machine_that_looks_after_datasets_may_load_read_and_decide():
    steward = Body(roles=[Role.STEWARD])
    assert steward.show().json()["scope"] == "decide load read"


def test_no_introspection_and_no_other_page_of_the_toolkit_is_there(body):
    came = bearer(body.token())
    for path in ("introspect", "revoke_token", "authorize", "applications", "userinfo"):
        assert came.get(f"/api/oauth/{path}/").status_code == 404
        assert came.post(f"/api/oauth/{path}/").status_code == 404


def test_people_get_no_application(body):
    person = people.create_user(username="calm-fern-8", kind=UserKind.STAFF, **hand(body.admin))
    with pytest.raises(RuleBroken):
        register(body, user=person)
