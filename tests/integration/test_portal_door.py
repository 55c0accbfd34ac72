"""The survivors' door: who comes in, who does not, and what every answer carries."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.vocabulary import Standing
from governance.models import User
from portal.middleware import SurvivorsDoor
from portal.urls import urlpatterns
from tests import survivors
from tests.survivors import WORDS, World

pytestmark = pytest.mark.django_db

OPEN = {"start", "sign_in", "begin", "lost", "shut"}  # what is read before signing in
ON_THE_WAY = {  # need a code, or her words
    "choose_name": "begin",
    "first_words": "begin",
    "lost_words": "lost",
    "lost_second": "lost",
    "second": "sign_in",
}
FOR_ANYONE = {"leave", "language"}  # they show nothing of anybody
ARGUMENTS: dict[str, dict[str, object]] = {"language": {"code": "es"}, "second_off": {"number": 1}}
METHODS = {
    **dict.fromkeys(["sign_out", "leave", "hide_names", "refuse"], "post"),
    **dict.fromkeys(["end_place", "end_others", "end_all", "second_off"], "post"),
    **dict.fromkeys(["asked_later", "never_undo", "never_keep", "never_now"], "post"),
}


@pytest.fixture(autouse=True)
def _nobody_has_tried_yet() -> None:
    cache.clear()


@pytest.fixture
def world() -> World:
    return survivors.build()


def addresses(ref: str) -> dict[str, str]:
    """Every address of the door by its name; `ref` stands where a sharing is named."""
    found = {}
    for pattern in urlpatterns:
        name = str(pattern.name)
        wanted = ARGUMENTS.get(name) or ({"ref": ref} if "ref" in str(pattern.pattern) else {})
        found[name] = reverse(f"portal:{name}", kwargs=wanted)
    return found


def ask(client: Client, name: str, address: str) -> Any:
    return getattr(client, METHODS.get(name, "get"))(address)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return survivors.said_again(client)


def try_sign_in(name: str, words: str, address: str = "127.0.0.1", client: Any = None) -> Any:
    return (client or Client()).post(
        reverse("portal:sign_in"), {"name": name, "passphrase": words}, REMOTE_ADDR=address
    )


def without_token(body: bytes) -> bytes:
    return re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", body)


@pytest.mark.parametrize("name", sorted(addresses("x")))
def test_a_page_is_closed_to_who_has_not_signed_in(name: str, world: World) -> None:
    response = ask(Client(), name, addresses(world.on.ref)[name])
    if name in OPEN:
        assert response.status_code == 200
    elif name in FOR_ANYONE:
        assert response.status_code in {302, 303}
    elif name in ON_THE_WAY:
        assert response["Location"] == reverse(f"portal:{ON_THE_WAY[name]}")
    else:
        assert response.status_code == 302
        assert response["Location"] in {reverse("portal:start"), reverse("portal:sign_in")}


@pytest.mark.parametrize("kind", ["staff", "machine"])
def test_staff_and_machines_find_nothing_here(kind: str, world: World) -> None:
    client = signed_in(getattr(world, kind))
    nowhere = client.get("/there-is-no-such-page/").content
    for name, place in addresses(world.on.ref).items():
        for method in ("get", "post", "head") if name not in FOR_ANYONE else ():
            response = getattr(client, method)(place)
            assert response.status_code == 404, name
            assert method == "head" or response.content == nowhere, name


@pytest.mark.parametrize(
    "name", ["details", "stop", "pause", "resume", "done", "slip", "slip_copy"]
)
def test_what_is_somebody_elses_looks_like_what_is_nowhere(name: str, world: World) -> None:
    client = signed_in(world.her)
    nowhere = client.get("/there-is-no-such-page/")
    for ref in (world.other.ref, "con-2222222222222"):
        address = reverse(f"portal:{name}", args=[ref])
        for response in (client.get(address), client.post(address, {"until": "open"})):
            assert response.status_code in {404, 405}
            if response.status_code == 404:
                assert response.content == nowhere.content
    world.other.refresh_from_db()
    assert (world.other.ended_at, world.other.paused_at) == (None, None)
    assert client.get(reverse("portal:history"), {"of": world.other.ref}).status_code == 404


def test_every_answer_forbids_keeping_and_foreign_content(world: World) -> None:
    clients = [Client(), signed_in(world.her), signed_in(world.staff)]
    strict = Client(enforce_csrf_checks=True)
    answers = [
        ask(client, name, address)
        for client in clients
        for name, address in addresses(world.on.ref).items()
    ]
    answers += [strict.post(reverse("portal:sign_in")), Client().get("/nowhere/")]
    assert {200, 302, 303, 403, 404} <= {answer.status_code for answer in answers}
    for answer in answers:
        assert answer["Cache-Control"] == "no-store"
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["sign_in", "sign_out", "stop", "pause", "resume", "names", "hide_names"]
)
def test_a_form_without_its_token_changes_nothing(name: str, world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    if name != "sign_in":
        client.force_login(world.her, backend="django.contrib.auth.backends.ModelBackend")
    consent = world.paused if name == "resume" else world.on
    response = client.post(addresses(consent.ref)[name], {"until": "open"})
    assert response.status_code == 403
    assert b"open too long" in response.content
    before = (consent.ended_at, consent.paused_at)
    consent.refresh_from_db()
    assert (consent.ended_at, consent.paused_at) == before


def test_she_signs_in_with_her_made_up_name_and_her_words(world: World) -> None:
    client = Client()
    response = try_sign_in("amber-willow-41", WORDS, client=client)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.session[SESSION_KEY] == str(world.her.pk)
    assert client.get("/").status_code == 200
    assert client.get(reverse("portal:sign_in"))["Location"] == "/"


def test_capitals_and_blanks_around_her_name_do_not_matter(world: World) -> None:
    assert try_sign_in(" Amber-Willow-41 ", WORDS).status_code == 302


def test_every_failure_costs_one_hash_whatever_was_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the time it takes would say which names there are."""
    made: list[str] = []
    told = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, *args: Any, **kwargs: Any) -> str:
        made.append(password)
        return str(told(self, password, *args, **kwargs))

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    for name in ("amber-willow-41", "nobody-here-1", world.staff.username):
        made.clear()
        try_sign_in(name, "not her words at all")
        assert len(made) == 1, name


def test_whatever_is_wrong_the_failure_reads_the_same(world: World) -> None:
    gone = survivors.account("old-lantern-2")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    bodies = set()
    for name, words in [
        ("nobody-here-1", WORDS),
        ("amber-willow-41", "not her words at all"),
        (world.staff.username, WORDS),
        (world.machine.username, WORDS),
        (gone.username, WORDS),
    ]:
        client = Client()
        response = try_sign_in(name, words, client=client)
        assert response.status_code == 200
        assert SESSION_KEY not in client.session
        bodies.add(without_token(response.content).replace(name.encode(), b""))
    assert len(bodies) == 1
    assert b"do not fit together" in bodies.pop()


@pytest.mark.parametrize(
    "name", ["", "a\x00b", "x" * 500, "\ud800".encode("utf-8", "replace").decode()]
)
def test_an_unreadable_name_is_a_failure_like_any_other(name: str, world: World) -> None:
    assert b"do not fit together" in try_sign_in(name, WORDS).content


def test_guessing_is_slowed_by_name_and_address_together(world: World) -> None:
    for _ in range(5):
        assert try_sign_in("amber-willow-41", "wrong words here", "192.0.2.1").status_code == 200
    client = Client()
    blocked = try_sign_in("Amber-Willow-41 ", WORDS, "192.0.2.1", client)
    assert blocked.status_code == 429
    assert SESSION_KEY not in client.session
    assert b"too many tries" in blocked.content
    # never by name alone: at her own address she comes in; never by this address alone either
    assert try_sign_in("quiet-harbour-7", WORDS, "192.0.2.1").status_code == 302
    assert try_sign_in("amber-willow-41", WORDS, "192.0.2.2").status_code == 302


def test_a_right_sign_in_clears_what_was_counted(world: World) -> None:
    for _ in range(3):
        for _ in range(4):
            try_sign_in("amber-willow-41", "wrong words here")
        assert try_sign_in("amber-willow-41", WORDS).status_code == 302


def test_one_address_cannot_try_name_after_name(world: World) -> None:
    for number in range(100):
        cache_free = try_sign_in(f"made-up-{number}", "", "192.0.2.9")
        assert cache_free.status_code == 200
    for number in range(100):
        try_sign_in(f"made-up-{number}", "wrong words here", "192.0.2.9")
    assert try_sign_in("amber-willow-41", WORDS, "192.0.2.9").status_code == 429


def test_the_count_holds_neither_name_nor_address(world: World) -> None:
    try_sign_in("amber-willow-41", "wrong words here", "192.0.2.77")
    kept = repr(cache._cache)
    assert cache._cache  # something was counted
    assert "amber-willow" not in kept
    assert "192.0.2.77" not in kept


def test_leaving_ends_the_session_on_the_server(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.her, backend="django.contrib.auth.backends.ModelBackend")
    client.get(reverse("portal:language", args=["es"]))
    key = client.session.session_key
    response = client.post(reverse("portal:leave"))
    assert (response.status_code, response["Location"]) == (303, settings.LEAVE_URL)
    assert response["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert not Session.objects.filter(session_key=key).exists()
    for name in ("sessionid", "csrftoken", "django_language"):
        assert response.cookies[name]["max-age"] == 0
    assert client.get("/")["Location"] == reverse("portal:start")
    assert client.get(reverse("portal:leave")).status_code == 405


def test_browsers_may_follow_the_way_out(world: World) -> None:
    policy = Client().get(reverse("portal:start"))["Content-Security-Policy"]
    assert re.search(r"form-action 'self' https://www\.weather\.gov(;|$)", policy)


def test_signing_out_needs_a_press_not_a_link(world: World) -> None:
    client = signed_in(world.her)
    assert client.get(reverse("portal:sign_out")).status_code == 405
    assert client.get("/").status_code == 200
    assert client.post(reverse("portal:sign_out"))["Location"] == reverse("portal:start")
    assert client.get("/").status_code == 302


def test_fifteen_idle_minutes_end_the_session(world: World) -> None:
    client = signed_in(world.her)
    client.get("/")
    session = Session.objects.get(session_key=client.session.session_key)
    left = session.expire_date - timezone.now()
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "there", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "", "x"]
)
def test_a_language_link_never_leads_away(there: str) -> None:
    response = Client().get(reverse("portal:language", args=["es"]), {"next": there})
    assert response["Location"] == "/"


def test_the_language_chosen_on_a_page_stays() -> None:
    client = Client()
    response = client.get(reverse("portal:language", args=["es"]), {"next": "/start/"})
    assert response["Location"] == "/start/"
    page = client.get("/start/").content.decode()
    assert '<html lang="es" dir="ltr">' in page
    assert "Antes de empezar" in page
    assert client.get(reverse("portal:language", args=["xx"])).status_code == 404


def test_she_is_met_in_her_own_language(world: World) -> None:
    User.objects.filter(pk=world.her.pk).update(language="es")
    client = Client()
    try_sign_in("amber-willow-41", WORDS, client=client)
    assert "Lo que comparte" in client.get("/").content.decode()


def test_where_nothing_was_chosen_her_browser_says_the_language(world: World) -> None:
    client = Client(headers={"accept-language": "es-MX,es;q=0.9"})
    try_sign_in("amber-willow-41", WORDS, client=client)
    assert "Lo que comparte" in client.get("/").content.decode()


def test_the_language_chosen_on_the_way_in_goes_before_the_kept_one(world: World) -> None:
    User.objects.filter(pk=world.her.pk).update(language="es")
    client = Client()
    client.get(reverse("portal:language", args=["en"]))
    try_sign_in("amber-willow-41", WORDS, client=client)
    assert "What you share" in client.get("/").content.decode()


def test_only_this_doors_pages_pass_through_this_door(world: World, rf: Any) -> None:
    """The door guards by where an address leads, so another door's page is not its matter."""
    door = SurvivorsDoor(lambda request: None)  # type: ignore[return-value]
    request = rf.get("/")
    request.resolver_match, request.user = None, world.staff
    assert door.process_view(request, lambda: None, [], {}) is None  # type: ignore[return-value]


def test_the_small_world_is_what_the_tests_think(world: World) -> None:
    from_portal = signed_in(world.her).get("/").context
    shown = {card.ref: card.sharing.standing for card, _ in from_portal["running"]}
    shown |= {card.ref: card.sharing.standing for card, _ in from_portal["ended"]}
    assert shown == {
        world.on.ref: Standing.IN_FORCE,
        world.paused.ref: Standing.PAUSED,
        world.stopped.ref: Standing.WITHDRAWN,
        world.expired.ref: Standing.EXPIRED,
    }
