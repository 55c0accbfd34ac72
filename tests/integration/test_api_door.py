"""Who gets in at the machines' door, at every address of it."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from api.throttling import MachineThrottle
from api.urls import urlpatterns
from audit.actions import sequence
from audit.models import Entry
from audit.vocabulary import EntryType, Via
from governance.actions import memberships, people, tokens
from governance.models import AccessRequest, ApiToken, Membership, User
from governance.vocabulary import Role, UserKind
from release.models import Download, Release
from tests.integration import api_world
from tests.integration.api_world import Asker, World, bearer

# Every address that wants a token, one method that it answers, and what the right token gets.
ADDRESSES = {
    "datasets": ("GET", 200),
    "requests": ("GET", 200),
    "request": ("GET", 200),
    "request-releases": ("POST", 202),
    "decisions": ("POST", 400),
    "decision-proof": ("GET", 404),
    "dataset-uploads": ("POST", 404),
    "uploads": ("GET", 200),
    "upload": ("GET", 404),
    "upload-report": ("GET", 404),
    "releases": ("GET", 200),
    "release": ("GET", 200),
    "proof": ("GET", 200),
    "recalls": ("GET", 200),
    "recall": ("GET", 404),
    "recall-people": ("GET", 404),
    "recall-acknowledgement": ("POST", 404),
    "recall-report": ("POST", 400),
    "manifest": ("GET", 200),
    "part": ("GET", 200),
    "package": ("GET", 200),
    "entries": ("GET", 403),
    "schema": ("GET", 200),
    "unknown": ("GET", 404),
}
# What the log shows to anybody: `test_log_tiles.py` asks these.
PUBLIC = {"checkpoint", "tile", "verifier"}
OWN = {"request", "request-releases", "release", "proof", "manifest", "part", "package"}
RECALLS = ["recall", "recall-people", "recall-acknowledgement", "recall-report"]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


@dataclass
class Place:
    world: World
    request: AccessRequest
    release: Release

    def path(self, name: str) -> str:
        if name == "unknown":
            return "/api/nowhere/"
        given = {
            "request": {"ref": self.request.ref},
            "dataset-uploads": {"ref": self.world.dataset.ref},
            "decision-proof": {"ref": "inq-2222222222222"},
            **{key: {"ref": "rec-2222222222222"} for key in RECALLS},
            "upload": {"ref": "upl-2222222222222"},
            "upload-report": {"ref": "upl-2222222222222"},
            "request-releases": {"ref": self.request.ref},
            "part": {"ref": self.release.ref, "number": 1},
            "entries": {"tile": "000"},
        }
        own = given.get(name, {"ref": self.release.ref} if name in OWN else {})
        return reverse(f"api:{name}", kwargs=own)

    def machine(self) -> Asker:
        """One more machine of Delta's."""
        delta = self.world.delta
        return api_world.machine(
            delta.organisation, delta.administrator, f"engine-{User.objects.count()}"
        )

    def counts(self) -> tuple[int, int, int]:
        return AccessRequest.objects.count(), Release.objects.count(), Download.objects.count()


@pytest.fixture(scope="module")
def transactional_db(django_db_setup, django_db_blocker):
    """One world for the whole module: tests that end something end a machine of their own."""
    with django_db_blocker.unblock(), api_world.committed() as world:
        request = world.approved()
        place = Place(world, request, world.prepared(request))
        sequence()
        yield place


@pytest.fixture
def place(transactional_db):
    cache.clear()
    return transactional_db


def answered(response) -> bytes:
    return b"".join(response) if response.streaming else response.content


def test_the_table_names_every_address():
    assert {pattern.name for pattern in urlpatterns} == {*ADDRESSES, *PUBLIC, "oauth-token"}


@pytest.mark.parametrize("name", ADDRESSES)
def test_the_right_token_gets_in(place, name):
    method, status = ADDRESSES[name]
    response = place.world.delta.client().generic(method, place.path(name))
    assert response.status_code == status, answered(response)
    assert response["Cache-Control"] == "no-store"


def _nothing(place: Place) -> APIClient:
    return APIClient()


def _revoked(place: Place) -> APIClient:
    machine = place.machine()
    tokens.revoke(token=machine.token, by=machine.administrator, at=timezone.now(), via=Via.COMMAND)
    return machine.client()


def _token_with(**given: timedelta):
    """A machine whose token's times are moved."""

    def client(place: Place) -> APIClient:
        machine = place.machine()
        ApiToken.objects.filter(pk=machine.token.pk).update(
            **{name: timezone.now() + by for name, by in given.items()}
        )
        return machine.client()

    return client


def _inactive(place: Place) -> APIClient:
    machine = place.machine()
    User.objects.filter(pk=machine.machine.pk).update(is_active=False)
    return machine.client()


def _person(place: Place, kind: UserKind) -> User:
    return people.create_user(
        username=f"calm-fern-{User.objects.count()}",
        kind=kind,
        by=place.world.chair,
        at=timezone.now(),
        via=Via.COMMAND,
    )


def _of_a_person(kind: UserKind):
    def client(place: Place) -> APIClient:
        """Even if such a token came to be, in the database itself."""
        machine = place.machine()
        ApiToken.objects.filter(pk=machine.token.pk).update(user=_person(place, kind))
        return machine.client()

    return client


def _signed_in(kind: UserKind):
    def client(place: Place) -> Client:
        found = Client()
        found.force_login(_person(place, kind), backend="django.contrib.auth.backends.ModelBackend")
        return found

    return client


def _header(value: str):
    def client(place: Place) -> APIClient:
        found = APIClient()
        found.credentials(HTTP_AUTHORIZATION=value.replace("SECRET", place.world.delta.secret))
        return found

    return client


STRANGERS = {
    "no token": _nothing,
    "an unknown token": _header("Bearer sayso_" + "x" * 43),
    "a revoked token": _revoked,
    "an expired token": _token_with(expires_at=timedelta(0)),
    "a token of tomorrow": _token_with(created_at=timedelta(days=1), expires_at=timedelta(days=2)),
    "a token of an inactive machine": _inactive,
    "a token of a survivor": _of_a_person(UserKind.SURVIVOR),
    "a token of staff": _of_a_person(UserKind.STAFF),
    "a survivor's session": _signed_in(UserKind.SURVIVOR),
    "a staff session": _signed_in(UserKind.STAFF),
    "another scheme": _header("Token SECRET"),
    "a password": _header("Basic ZGVsdGEtZW5naW5lLTk6eA=="),
    "the scheme alone": _header("Bearer"),
    "two secrets": _header("Bearer SECRET SECRET"),
    "a secret and a space": _header("Bearer SECRET "),
    "NUL": _header("Bearer SECRET\x00"),
    "no plain letters": _header("Bearer \xff\xfe\xfd" * 9),
    "a very long secret": _header("Bearer " + "x" * 100_000),
}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_nobody_else_gets_in_anywhere(place, stranger):
    client = STRANGERS[stranger](place)
    before = place.counts()
    bodies = set()
    for name in ADDRESSES:
        for method in METHODS:
            response = client.generic(method, place.path(name))
            assert response.status_code == 401, (name, method)
            assert response["WWW-Authenticate"] == 'Bearer realm="api"'
            if method != "HEAD":
                bodies.add(answered(response))
    assert len(bodies) == 1
    assert place.counts() == before


@pytest.mark.parametrize("name", sorted(OWN))
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_what_is_another_organisations_looks_as_if_it_were_not_there(place, name, method):
    brook = place.world.brook.client()
    path = place.path(name)
    ref = place.request.ref if place.request.ref in path else place.release.ref
    nowhere = path.replace(ref, f"{ref[:4]}2222222222222")
    before = place.counts()

    other, none = brook.generic(method, path), brook.generic(method, nowhere)

    assert other.status_code == none.status_code
    assert other.status_code in (404, 405)
    assert answered(other) == answered(none)
    assert place.counts() == before
    if ADDRESSES[name][0] == method:
        assert other.status_code == 404


def test_lists_show_only_what_is_the_organisations_own(place):
    for name, own in [("requests", place.request.ref), ("releases", place.release.ref)]:
        mine = place.world.delta.client().get(place.path(name)).json()["results"]
        theirs = place.world.brook.client().get(place.path(name)).json()["results"]
        assert own in {row["ref"] for row in mine}
        assert theirs == []


def test_a_machine_of_two_organisations_sees_only_what_its_token_is_for(place):
    machine, brook = place.machine(), place.world.brook
    who = {"by": brook.administrator, "at": timezone.now(), "via": Via.COMMAND}
    organisation = brook.organisation
    memberships.grant(user=machine.machine, organisation=organisation, role=Role.REQUESTER, **who)
    _, secret = tokens.issue(
        user=machine.machine, organisation=organisation, label="for the other", **who
    )
    for_brook = bearer(secret)

    assert for_brook.get(place.path("requests")).json()["results"] == []
    assert for_brook.get(place.path("releases")).json()["results"] == []
    for name in sorted(OWN):
        assert for_brook.generic(ADDRESSES[name][0], place.path(name)).status_code == 404
    assert machine.client().get(place.path("release")).status_code == 200


def test_a_machine_whose_role_has_ended_gets_nothing_and_its_fetching_is_logged(place):
    machine, handing = place.machine(), {"manifest", "part", "package"}
    memberships.end(
        membership=Membership.objects.get(user=machine.machine),
        by=machine.administrator,
        at=timezone.now(),
        via=Via.COMMAND,
    )
    before = place.counts()

    for name in sorted(OWN):
        response = machine.client().generic(ADDRESSES[name][0], place.path(name))
        assert response.status_code == (403 if name in handing else 404)

    assert place.counts() == before
    refused = Entry.objects.filter(actor=machine.machine.ref, type=EntryType.DOWNLOAD_REFUSED)
    assert refused.count() == len(handing)


@pytest.mark.parametrize("name", ADDRESSES)
def test_other_methods_do_nothing(place, name):
    client, before = place.world.delta.client(), place.counts()
    wrong = {"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}
    if name != "requests":
        wrong |= {"GET", "HEAD"} if ADDRESSES[name][0] == "POST" else {"POST"}
    for method in sorted(wrong):
        response = client.generic(method, place.path(name))
        assert response.status_code in (404, 405), (method, answered(response))
        assert response["Content-Type"] == "application/problem+json"
    assert place.counts() == before


@pytest.mark.parametrize(
    "path",
    [
        "",
        "requests",
        "requests/../releases/",
        "requests/%00/",
        "releases/%0Af/manifest/",
        "requests/req-%00/",
        "requests/%ff%fe/",
        "requests/%ed%a0%80/",
        "requests/REQ-2222222222222/",
        "requests/" + "r" * 5000 + "/",
        "releases/rel-2222222222222/parts/-1/",
        "releases/rel-2222222222222/parts/" + "9" * 40 + "/",
        "releases/rel-2222222222222/parts/999999999/",
        "releases/rel-2222222222222/parts/\u0661/",
        "admin/",
        "%0A",
        "requests/%0A",
        "%0Arequests/",
        "requests/%0D%0A/releases/",
        "releases/rel-2222222222222/%0A%0A",
    ],
)
def test_an_address_that_is_not_there_answers_404_as_json(place, path):
    response = place.world.delta.client().get(f"/api/{path}")
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "x" * 9000, "\x00"])
@pytest.mark.parametrize("query", ["", "?format=api", "?format=json", "?format=admin"])
def test_no_other_form_can_be_asked_for(place, accept, query):
    response = place.world.delta.client().get(
        place.path("release") + query, HTTP_ACCEPT=accept, HTTP_ACCEPT_LANGUAGE="es"
    )
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert response["Content-Language"] == "en"


def test_one_token_that_asks_too_often_is_told_when_to_come_again(place, monkeypatch):
    monkeypatch.setattr(MachineThrottle, "rate", "3/min", raising=False)
    monkeypatch.setattr(MachineThrottle, "timer", staticmethod(lambda: 60.5))  # one period
    client = place.world.delta.client()

    statuses = [client.get(place.path("datasets")).status_code for _ in range(4)]
    refused = client.get(place.path("datasets"))

    assert statuses == [200, 200, 200, 429]
    assert refused.json()["code"] == "throttled"
    assert 1 <= int(refused["Retry-After"]) <= 61
    assert place.world.brook.client().get(place.path("datasets")).status_code == 200


def test_no_answer_sets_a_cookie(place):
    for name, (method, _) in ADDRESSES.items():
        response = place.world.delta.client().generic(method, place.path(name))
        assert not response.cookies
