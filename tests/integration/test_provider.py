"""The organisation's own sign-in at the desk, against a provider of OpenID Connect that really runs."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from audit.models import Entry, LogEntry
from audit.vocabulary import EntryType, Via
from desk import provider
from governance.actions import leaving, resets, sittings
from governance.models import Membership, User
from governance.vocabulary import ResetKind
from tests import providers, staffroom
from tests.staffroom import PASSWORD, Staffroom, code, hand, proof, secret_of

pytestmark = pytest.mark.django_db
SIGN_IN, GO, BACK = "/desk/sign-in/", "/desk/provider/", "/desk/provider/back/"
LINK, UNLINK, PLACES = "/desk/provider/link/", "/desk/provider/unlink/", "/desk/places/"
HERS = "b7c1-opaque"
PEOPLE: dict[str, dict[str, object]] = {
    HERS: {"amr": ["pwd"], "email": "quiet-otter@example.org"},
    "another": {"preferred_username": "harbour-steward"},
    "twice": {"amr": ["pwd", "mfa"]},
    "level": {"acr": "urn:level:2"},
    "strange": {"amr": {"mfa": True}, "acr": ["mfa", 5]},
}


@pytest.fixture(scope="module")
def running() -> Iterator[str]:
    with providers.running(PEOPLE) as address:
        yield address


@pytest.fixture(autouse=True)
def _set_up(settings: Any, running: str) -> None:
    cache.clear()
    settings.OIDC_URL, settings.OIDC_PLACES = running, [running]
    settings.OIDC_CLIENT, settings.OIDC_SECRET = "sayso", "a secret of the two"
    settings.OIDC_NAME, settings.OIDC_SECOND_FACTOR = "County sign-in", ["mfa", "urn:level:2"]


@pytest.fixture
def room() -> Staffroom:
    return staffroom.build()


def there(answer: Any, sub: str = HERS) -> str:
    """At the provider: somebody says who they are; gives the address that sends them back."""
    said = httpx.post(answer["Location"], data={"sub": sub})
    assert said.status_code == 302, said.text
    return said.headers["Location"].removeprefix("http://testserver")


def through(client: Client, sub: str = HERS) -> Any:
    return client.get(there(client.post(GO), sub))


def linked(client: Client, user: User, sub: str = HERS) -> Any:
    """Somebody at the desk links what the provider calls them."""
    return client.get(there(client.post(LINK, proof(user)), sub))


def steward(room: Staffroom, sub: str = HERS) -> User:
    client = staffroom.enter(Client(), room.steward)
    assert linked(client, room.steward, sub)["Location"] == PLACES
    cache.clear()
    return room.steward


def inside(client: Client) -> bool:
    return client.get("/desk/").status_code == 200


def told(answer: Any) -> str:
    found = re.search(r'role="alert"><p>([^<]+)', answer.content.decode())
    return found[1] if found else ""


def test_whoever_linked_it_signs_in_there_and_shows_a_code_here(room: Staffroom) -> None:
    user = steward(room)
    secret = secret_of(user)
    client = Client()
    assert "Sign in through County sign-in" in client.get(SIGN_IN).content.decode()
    assert through(client)["Location"] == "/desk/code/"
    assert not inside(client)
    through(client)
    client.post("/desk/code/", {"code": "000000"})
    assert not inside(client)
    through(client)
    client.post("/desk/code/", {"code": code(secret)})
    assert inside(client)
    assert client.get(PLACES).context["places"].count() == 2  # where it was linked, and here


def test_it_asks_for_no_name_and_keeps_none(room: Staffroom) -> None:
    client = staffroom.enter(Client(), room.steward)
    away = client.post(LINK, proof(room.steward))
    asked = parse_qs(urlsplit(away["Location"]).query)
    assert asked["scope"] == ["openid"]
    assert asked["code_challenge_method"] == ["S256"]
    client.get(there(away))
    kept = SocialAccount.objects.get()
    assert (kept.uid, kept.extra_data) == (HERS, {})
    through(Client())
    kept.refresh_from_db()
    assert kept.extra_data == {}
    assert not SocialToken.objects.exists()
    everywhere = "".join(str(row.get_decoded()) for row in Session.objects.all())
    assert "example.org" not in everywhere
    rows = LogEntry.objects.filter(content_type__model="socialaccount")
    assert rows.count() == 1
    assert HERS not in str(list(rows.values()))
    said = Entry.objects.filter(type=EntryType.USER_CHANGED, reason="linked")
    assert [each.resource for each in said] == [room.steward.ref]


def test_nobody_comes_in_whom_nobody_linked(room: Staffroom) -> None:
    """Not by a name that is that of an account here, nor by one that is new."""
    before = User.objects.count()
    for sub in ("another", "somebody-new"):
        client = Client()
        answer = through(client, sub)
        assert "opens no account here" in told(answer)
        assert not inside(client)
    assert User.objects.count() == before
    assert not SocialAccount.objects.exists()


def test_what_it_says_of_a_second_factor_counts_where_this_deployment_takes_it(
    room: Staffroom, settings: Any
) -> None:
    for sub, counts in (("twice", True), ("level", True), ("strange", False), (HERS, False)):
        SocialAccount.objects.all().delete()
        steward(room, sub)
        client = Client()
        through(client, sub)
        assert inside(client) == counts, sub
    settings.OIDC_SECOND_FACTOR = []
    SocialAccount.objects.all().delete()
    steward(room, "twice")
    client = Client()
    assert through(client, "twice")["Location"] == "/desk/code/"
    assert not inside(client)


@pytest.mark.parametrize("what", ["left", "shut", "survivor", "machine", "unlinked", "elsewhere"])
def test_a_link_opens_nothing_for_whoever_may_not_come_in(
    what: str, room: Staffroom, settings: Any, running: str
) -> None:
    user = steward(room, "twice")
    if what == "left":
        leaving.off_board(user=user, **hand(room.convener))
    elif what == "shut":
        User.objects.filter(pk=user.pk).update(shut_at=timezone.now())
    elif what in {"survivor", "machine"}:  # past every guard of ours
        SocialAccount.objects.update(user=getattr(room, what))
    elif what == "unlinked":
        client = Client()
        through(client, "twice")
        client.post(UNLINK)
        assert Entry.objects.filter(type=EntryType.USER_CHANGED, reason="unlinked").count() == 1
    else:  # another provider, which may call anybody so
        settings.OIDC_URL = running.replace("localhost", "127.0.0.1")
    client = Client()
    answer = through(client, "twice")
    assert "opens no account here" in told(answer)
    assert not inside(client)


def test_off_boarding_ends_what_it_opened_at_once(room: Staffroom) -> None:
    user = steward(room, "twice")
    client, half = Client(), Client()
    through(client, "twice")
    assert inside(client)
    SocialAccount.objects.update(uid=HERS)
    assert through(half)["Location"] == "/desk/code/"
    secret = secret_of(user)
    leaving.off_board(user=user, **hand(room.convener))
    assert not inside(client)
    half.post("/desk/code/", {"code": code(secret)})
    assert not inside(half)


def test_signing_out_everywhere_ends_it_and_beginning_anew_takes_the_link_away(
    room: Staffroom,
) -> None:
    user = steward(room, "twice")
    client = Client()
    through(client, "twice")
    sittings.end_all(**hand(user))
    assert not inside(client)
    Membership.objects.update(started_at=timezone.now() - timezone.timedelta(days=30))
    asked, first = resets.ask(user=user, kind=ResetKind.BOTH, **hand(room.holder_admin))
    second = resets.agree(reset=asked, **hand(room.convener))[1]
    resets.use(
        first=first,
        second=second,
        by=user,
        at=timezone.now(),
        via=Via.DESK,
        password="forty-two-green-umbrellas",
    )
    assert not SocialAccount.objects.exists()


def test_linking_needs_password_and_code_once_more(room: Staffroom) -> None:
    client = staffroom.enter(Client(), room.steward)
    wrong = client.post(LINK, {"password": PASSWORD, "code": "000000"})
    assert wrong.status_code == 200
    assert client.post(GO)["Location"] == "/desk/"
    away = client.post(LINK, proof(room.steward))
    session = client.session
    session["desk.link_until"] = 0
    session.save()
    assert client.get(there(away))["Location"] == LINK
    assert not SocialAccount.objects.exists()


def test_what_is_somebody_elses_is_not_linked_again(room: Staffroom) -> None:
    steward(room)
    client = staffroom.enter(Client(), room.requester)
    answer = linked(client, room.requester)
    assert "is linked to another account" in told(answer)
    assert SocialAccount.objects.get().user == room.steward
    client = staffroom.enter(Client(), room.steward)
    linked(client, room.steward, "twice")  # what she is called there now
    assert SocialAccount.objects.get().uid == "twice"


def test_a_way_back_that_this_session_did_not_ask_for_opens_nothing(room: Staffroom) -> None:
    steward(room, "twice")
    client, other = Client(), Client()
    back = there(client.post(GO), "twice")
    for address in (BACK, f"{BACK}?code=x", f"{BACK}?code=x&state=y", back):
        assert "did not answer as it should" in told(other.get(address)), address
    assert not inside(other)
    client.get(back)
    assert inside(client)
    again = Client()
    again.cookies["sessionid"] = client.cookies["sessionid"].value
    assert again.get(back).status_code == 302 or told(again.get(back))
    assert told(Client().get(BACK, {"state": "\u202e", "code": "x" * 5000}))


def test_who_says_no_there_and_who_is_forged_is_told_in_words(room: Staffroom) -> None:
    client = Client()
    state = parse_qs(urlsplit(client.post(GO)["Location"]).query)["state"][0]
    answer = client.get(BACK, {"state": state, "error": "access_denied"})
    assert "did not sign you in" in told(answer)
    address = there(client.post(GO)).replace("code=", "code=x")
    assert "did not answer as it should" in told(client.get(address))


@pytest.mark.parametrize("url", ["http://localhost:1", "http://localhost:{}/users/none"])
def test_a_provider_that_is_away_or_answers_something_else_is_told_in_words(
    url: str, room: Staffroom, settings: Any, running: str
) -> None:
    settings.OIDC_URL = url.format(running.rpartition(":")[2])
    answer = Client().post(GO)
    assert (answer.status_code, "did not answer as it should" in told(answer)) == (200, True)
    client = staffroom.enter(Client(), room.steward)
    assert "did not answer as it should" in told(client.post(LINK, proof(room.steward)))


def test_failures_are_heard_and_tries_are_slowed(room: Staffroom) -> None:
    for _each in range(30):
        through(Client(), "somebody-new")
    assert Entry.objects.filter(type=EntryType.SIGNIN_FAILED).count() == 1
    answers = [Client().post(GO) for _each in range(40)]
    assert "Too many tries" in told(answers[-1])


def test_without_a_provider_there_is_nothing(room: Staffroom, settings: Any) -> None:
    settings.OIDC_URL = settings.OIDC_NAME = ""
    client = staffroom.enter(Client(), room.steward)
    for address in (GO, LINK, BACK):
        for method in (client.get, client.post):
            assert method(address).status_code in {404, 405}, address
    assert "Sign in through" not in Client().get(SIGN_IN).content.decode()
    assert "organisation" not in client.get(PLACES).content.decode()


def test_only_the_pages_that_lead_there_let_a_form_go_there(room: Staffroom, running: str) -> None:
    client = staffroom.enter(Client(), room.steward)
    pages = {SIGN_IN: Client(), LINK: client, PLACES: client, "/start/": Client()}
    for place, who in pages.items():
        policy = who.get(place)["Content-Security-Policy"]
        assert (running in policy) == (place in {SIGN_IN, LINK}), place


def test_the_words_of_a_second_factor_are_read_as_the_standard_writes_them() -> None:
    assert provider.of_claims({"amr": "mfa"}).words == {"mfa"}
    assert provider.of_claims({"amr": ["a", 5, ""], "acr": "b"}).words == {"a", "b"}
    assert provider.of_claims({"amr": None, "acr": 0}).words == frozenset()
