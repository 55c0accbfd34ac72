"""The staff door: nothing of the desk is seen without a second factor in this session."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from desk.middleware import ENROLMENT, OPEN
from desk.urls import pages, urlpatterns
from governance.models import User
from tests import staffroom
from tests.staffroom import PASSWORD, Staffroom

pytestmark = pytest.mark.django_db

NOWHERE = {
    "ref": "xxx-2222222222222",
    "agreement": "agr-2222222222222",
    "dataset": "dst-2222222222222",
    "organisation": "org-2222222222222",
    "job": "job-2222222222222",
    "sheet": "wks-2222222222222",
    "stop": "spk-2222222222222",
    "number": 1,
    "place": 0,
}
SIGN_IN = "/desk/sign-in/"


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def room() -> Staffroom:
    return staffroom.build()


def address(pattern: URLPattern, prefix: str = "") -> str:
    words = {name: NOWHERE[name] for name in pattern.pattern.converters if name in NOWHERE}
    words |= {"code": "es"} if "code" in pattern.pattern.converters else {}
    return reverse(f"{prefix}{pattern.name}", kwargs=words)


def closed() -> list[str]:
    """Every address of the desk that a second factor must open."""
    return [address(pattern, "desk:") for pattern in pages]


def outer() -> list[URLPattern]:
    return [pattern for pattern in urlpatterns if isinstance(pattern, URLPattern)]


def answers(client: Client, places: list[str]) -> Iterator[tuple[str, Any]]:
    for place in places:
        for method in (client.get, client.post, client.head):
            yield f"{method.__name__} {place}", method(place)


def test_every_address_outside_the_namespace_is_listed_as_open_or_for_setting_up() -> None:
    assert {pattern.name for pattern in outer()} == OPEN | ENROLMENT


def test_every_view_of_the_desk_lies_under_its_address() -> None:
    def walk(patterns: list[Any], path: str) -> Iterator[tuple[str, str]]:
        for each in patterns:
            here = path + str(each.pattern)
            if isinstance(each, URLResolver):
                yield from walk(each.url_patterns, here)
            else:
                yield here, each.callback.__module__

    found = list(walk(get_resolver().url_patterns, "/"))
    assert [here for here, module in found if module.startswith("desk.")]
    astray = [
        here
        for here, module in found
        if module.startswith(("desk.", "allauth.")) and not here.startswith("/desk/")
    ]
    assert astray == []


@pytest.mark.parametrize(
    "name",
    [
        "account_signup",
        "account_email",
        "account_reset_password",
        "account_change_password",
        "account_confirm_email",
        "account_reauthenticate",
        "account_request_login_code",
        "mfa_index",
        "mfa_deactivate_totp",
        "mfa_generate_recovery_codes",
        "mfa_download_recovery_codes",
    ],
)
def test_allauth_pages_we_do_not_offer_have_no_address(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/desk/signup/"])
def test_nothing_answers_where_allauth_usually_lives(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_nobody_signed_in_is_sent_to_the_sign_in_page(client: Client) -> None:
    for place, answer in answers(client, [*closed(), reverse("mfa_activate_totp")]):
        assert (answer.status_code, answer.get("Location")) == (302, SIGN_IN), place


def test_password_without_a_device_leads_to_setting_one_up_and_nowhere_else(
    room: Staffroom, client: Client
) -> None:
    client.post(SIGN_IN, {"login": room.requester.username, "password": PASSWORD})
    for place, answer in answers(client, closed()):
        assert (answer.status_code, answer.get("Location")) == (302, "/desk/device/"), place
    assert client.get("/desk/device/").status_code == 200


def test_password_alone_opens_nothing_where_a_device_is_set_up(
    room: Staffroom, client: Client
) -> None:
    staffroom.secret_of(room.requester)
    answer = client.post(SIGN_IN, {"login": room.requester.username, "password": PASSWORD})
    assert answer["Location"] == "/desk/code/"
    for place, answer in answers(client, [*closed(), "/desk/device/"]):
        assert (answer.status_code, answer.get("Location")) == (302, SIGN_IN), place


def test_a_session_that_proved_nothing_is_ended(room: Staffroom, client: Client) -> None:
    for enrol in (False, True):
        if enrol:
            staffroom.secret_of(room.requester)
        for place in [*closed(), "/desk/device/"]:
            client.force_login(room.requester)
            answer = client.get(place)
            assert (answer.status_code, answer["Location"]) == (302, SIGN_IN), place
            assert "_auth_user_id" not in client.session, place


@pytest.mark.parametrize("who", ["survivor", "machine"])
def test_whoever_is_no_staff_finds_nothing_at_the_desk(
    room: Staffroom, client: Client, who: str
) -> None:
    client.force_login(getattr(room, who))
    nowhere = client.get("/desk/nothing-here/").content
    places = [*closed(), *(address(pattern) for pattern in outer())]
    for place, answer in answers(client, places):
        assert answer.status_code == 404, place
    assert client.get("/desk/").content == nowhere


def test_staff_with_a_second_factor_come_in(room: Staffroom, client: Client) -> None:
    staffroom.enter(client, room.requester)
    assert client.get("/desk/").status_code == 200
    over = "/desk/places/all/"  # signs out everywhere, here too
    for place, answer in answers(client, [each for each in closed() if each != over]):
        assert answer.status_code in {200, 302, 403, 404, 405}, place
        assert answer.get("Location") != SIGN_IN, place
    assert client.post(over)["Location"] == SIGN_IN


def without_token(answer: HttpResponse) -> str:
    """The page without the token of its sign-out form, which is another one each time."""
    page = answer.content.decode()
    assert "csrfmiddlewaretoken" in page
    return re.sub(r'value="[A-Za-z0-9]{64}"', "", page)


def test_staff_of_another_organisation_find_nothing_and_cannot_tell_it_from_nowhere(
    room: Staffroom, client: Client
) -> None:
    asked, draft = staffroom.submitted(room), staffroom.drafted(room)
    staffroom.enter(client, room.outsider)
    objects = {
        "request": [asked.ref, draft.ref],
        "agreement": [room.agreement.ref],
        "key-register": [room.recipient.ref],
    }
    reading = [(name, ref) for name, refs in objects.items() for ref in refs]
    for name, ref in reading:
        theirs = client.get(reverse(f"desk:{name}", args=[ref]))
        nowhere = client.get(reverse(f"desk:{name}", args=["xxx-2222222222222"]))
        assert theirs.status_code == nowhere.status_code == 404, name
        assert without_token(theirs) == without_token(nowhere), name
    deeds = [("request-submit", draft), ("request-end", asked), ("release-ask", asked)]
    deeds += [(name, asked) for name in ("vote", "recuse", "decide")]
    words = {"vote": "yes", "reason": "mine", "organisation": room.recipient.ref}
    for name, thing in deeds:
        assert client.post(reverse(f"desk:{name}", args=[thing.ref]), words).status_code == 404
    for verb in ("sign", "suspend", "resume", "end"):
        place = reverse(f"desk:agreement-{verb}", args=[room.agreement.ref])
        assert client.post(place, words).status_code == 404
    place = reverse("desk:request-draft", args=[room.agreement.ref, room.dataset.ref])
    assert client.get(place).status_code == 404
    assert asked.ref not in client.get("/desk/requests/").content.decode()


def test_a_draft_is_seen_by_its_own_organisation_only(room: Staffroom, client: Client) -> None:
    draft = staffroom.drafted(room)
    place = reverse("desk:request", args=[draft.ref])
    seen = {}
    for who in ("requester", "holder_admin", "steward"):
        seen[who] = staffroom.enter(Client(), getattr(room, who)).get(place).status_code
    seen["board"] = staffroom.enter(client, room.members[0]).get(place).status_code
    assert seen == {"requester": 200, "holder_admin": 404, "steward": 404, "board": 404}


def test_no_page_of_the_desk_is_kept_by_a_browser(room: Staffroom, client: Client) -> None:
    staffroom.enter(client, room.requester)
    for place, answer in answers(client, [*closed(), SIGN_IN, "/desk/nowhere/"]):
        assert answer["Cache-Control"] == "no-store", place
        assert "default-src 'none'" in answer["Content-Security-Policy"], place


def test_a_language_is_remembered_and_leads_nowhere_else(client: Client) -> None:
    answer = client.post("/desk/language/es/", {"next": "/desk/sign-in/"})
    assert answer["Location"] == "/desk/sign-in/"
    assert "Contraseña" in client.get("/desk/sign-in/").content.decode()
    for astray in ("https://example.org/", "//example.org/", "/", "/desk/\\example.org"):
        target = client.post("/desk/language/es/", {"next": astray})["Location"]
        assert target.startswith("/desk/"), astray
    assert client.post("/desk/language/xx/").status_code == 404


def test_signing_out_ends_the_session(room: Staffroom, client: Client) -> None:
    staffroom.enter(client, room.requester)
    assert client.get("/desk/sign-out/").status_code == 405
    client.post("/desk/sign-out/")
    assert client.get("/desk/")["Location"] == SIGN_IN


def test_whoever_loses_the_account_loses_the_desk(room: Staffroom, client: Client) -> None:
    staffroom.enter(client, room.requester)
    User.objects.filter(pk=room.requester.pk).update(is_active=False)
    assert client.get("/desk/")["Location"] == SIGN_IN
