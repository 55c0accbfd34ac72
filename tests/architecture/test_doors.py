"""Every address demands a sign-in or is listed with its reason; each door admits only its kind."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver

from governance.models import User
from tests.factories import governance

# Addresses that answer whoever comes, each with its reason.
OPEN: dict[str, str] = {
    "healthz": "says that the process lives, and nothing else",
    "readyz": "says in codes whether this installation is ready; names no one and no path",
    "metrics": "asks for a token of its own and is nowhere without it",
    "portal:start": "says in neutral words what this page is, before anybody signs in",
    "portal:sign_in": "where a person says who they are",
    "portal:begin": "where somebody new shows the code that her advocate gave her",
    "portal:choose_name": "needs that code in this session",
    "portal:first_words": "needs that code in this session",
    "portal:lost": "where somebody who has lost her words shows a code of her paper",
    "portal:lost_words": "needs that code in this session",
    "portal:lost_second": "needs that code in this session",
    "portal:shut": "whoever has the code shuts the way in, from any device; it opens nothing",
    "portal:leave": "leaving in a hurry needs nothing",
    "portal:language": "reading needs no name",
    "account_login": "where staff say who they are",
    "desk-provider": "where staff go to their organisation's own sign-in",
    "desk-provider-back": "where it sends them back; needs what this session asked it",
    "account_logout": "ending a session needs nothing",
    "desk-language": "reading needs no name",
    "desk-invited": "where somebody new shows the code of an invitation",
    "desk-invited-account": "needs that code in this session",
    "desk-anew": "where somebody shows the two halves of a code",
    "desk-anew-set": "needs both halves in this session",
    "api:checkpoint": "the log's signed head is for whoever checks it",
    "api:verifier": "a program that checks proofs, the same for everybody",
    "api:tile": "hashes of the log, which tell nothing of an entry",
    "api:oauth-token": "where a machine shows its application's secret and gets a token",
}

# What anybody reads at the machines' door.
OF_THE_LOG = {"api:checkpoint", "api:tile", "api:verifier"}

# What stands for each converter's value; nothing of the kind exists.
VALUES = {
    "slug": "en",
    "str": "en",
    "int": "1",
    "number": "1",
    "tile": "000",
    "level": "0",
    "reference": "req-2222222222222",
    "ref": "req-2222222222222",
    "uuid": "00000000-0000-0000-0000-000000000000",
    "path": "en",
}


@dataclass(frozen=True)
class Address:
    name: str
    path: str


def spell(pattern: URLPattern | URLResolver) -> str:
    route = str(pattern.pattern)
    if not hasattr(pattern.pattern, "_route"):
        return "anything-else" if ".*" in route else route.strip("^$").replace(r"\Z", "")
    for name, converter in pattern.pattern.converters.items():
        for kind, value in VALUES.items():
            route = route.replace(f"<{kind}:{name}>", value)
        route = route.replace(f"<{name}>", VALUES["str"])
        assert f":{name}>" not in route, f"no value for {type(converter).__name__}"
    return route


def walk(resolver: URLResolver, prefix: str = "/", spaces: str = "") -> Iterator[Address]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inside = f"{spaces}{pattern.namespace}:" if pattern.namespace else spaces
            yield from walk(pattern, prefix + spell(pattern), inside)
        else:
            yield Address(f"{spaces}{pattern.name}", prefix + spell(pattern))


def addresses() -> list[Address]:
    return list(walk(get_resolver()))


def closed(client: Client, method: str, path: str) -> bool:
    """Whether who has not signed in is sent to a sign-in, or refused as unknown."""
    response = client.generic(method, path)
    if response.status_code in (401, 403):
        return True
    signs_in = ("/sign-in/", "/start/", "/desk/sign-in/")
    return response.status_code == 302 and response["Location"].split("?")[0] in signs_in


def test_there_are_addresses_at_each_door():
    paths = [address.path for address in addresses()]
    assert sum(path.startswith("/desk/") for path in paths) > 10
    assert sum(path.startswith("/api/") for path in paths) > 5
    assert sum(not path.startswith(("/desk/", "/api/")) for path in paths) > 10


def test_every_address_has_a_name_of_its_own():
    names = [address.name for address in addresses()]
    assert len(names) == len(set(names))


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_an_address_that_is_not_listed_as_open_demands_a_sign_in(client, method):
    shut = [one for one in addresses() if one.name not in OPEN]
    assert [one.name for one in shut if not closed(client, method, one.path)] == []


@pytest.mark.django_db
def test_no_listed_open_address_is_stale(client):
    found = {address.name: address.path for address in addresses()}
    assert set(OPEN) - set(found) == set()
    always_closed = [
        name
        for name in OPEN
        if all(closed(client, method, found[name]) for method in ("GET", "POST"))
    ]
    assert always_closed == []


@override_settings(ROOT_URLCONF="tests.planted_urls")
@pytest.mark.django_db
def test_an_address_that_asks_for_no_sign_in_is_noticed(client):
    client.raise_request_exception = False
    found = {one.name for one in addresses() if not closed(client, "GET", one.path)}
    assert {"planted", "planted-header"} <= found


def at(prefix: str) -> list[Address]:
    if prefix == "/":
        return [one for one in addresses() if not one.path.startswith(("/desk/", "/api/"))]
    return [one for one in addresses() if one.path.startswith(prefix)]


def answers(client: Client, user: User, address: Address) -> list[int]:
    """The status codes of a reading and of a sending, signed in anew: the one before may have ended it."""
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return [client.get(address.path).status_code, client.post(address.path).status_code]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["survivor", "machine"])
def test_the_desk_is_nowhere_for_whoever_is_not_staff(client, kind):
    user = governance.user(kind=kind)
    assert [one.name for one in at("/desk/") if answers(client, user, one) != [404, 404]] == []


# Views of the survivors' door that show nothing of anybody and that other doors link to.
FOR_ANYONE = {
    "healthz": "no one's page: a machine asks whether the process lives",
    "readyz": "no one's page: a machine asks whether the installation is ready",
    "portal:leave": "every door's pages carry the way out",
    "portal:language": "every door's pages carry the choice of language",
}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["staff", "machine"])
def test_the_survivors_pages_are_nowhere_for_anybody_else(client, kind):
    user = governance.user(kind=kind)
    found = {one.name for one in at("/") if answers(client, user, one) != [404, 404]}
    assert found == set(FOR_ANYONE)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["staff", "survivor", "machine"])
def test_a_session_opens_nothing_at_the_machines_door(client, kind):
    user = governance.user(kind=kind)
    for one in at("/api/"):
        refused = {405} if one.name in OPEN else {401}
        if one.name in OF_THE_LOG:
            refused = {200, 404, 503}  # nothing is in this log; a session makes no difference
        read, sent = answers(client, user, one)
        assert read in refused, one.name
        assert sent in {401, 405, 415}, one.name
