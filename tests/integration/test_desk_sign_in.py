"""Signing in at the desk: one failure for all, codes that work once, secrets sealed at rest."""

import re
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.core.serializers import serialize
from django.test import Client
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from common.errors import NotReady
from desk.adapters import SealingMFAAdapter
from desk.second_factor import DRAFT, FRESH
from governance.actions import people
from governance.models import User
from tests import staffroom
from tests.staffroom import PASSWORD, code, secret_of

pytestmark = pytest.mark.django_db

SIGN_IN = "/desk/sign-in/"
CODE = "/desk/code/"
DEVICE = "/desk/device/"


@pytest.fixture(autouse=True)
def _clean_slate(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture
def user() -> User:
    return User.objects.create_user("harbour-steward", PASSWORD)


def sign_in(
    client: Client, name: str = "harbour-steward", password: str = PASSWORD, **more: Any
) -> Any:
    return client.post(SIGN_IN, {"login": name, "password": password}, **more)


def inside(client: Client) -> bool:
    return client.get("/desk/").status_code == 200


def told(answer: Any) -> str:
    """The page without what differs at every answer, and without what was typed."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())
    return re.sub(r'name="login" value="[^"]*"', "", page)


def set_up(client: Client) -> tuple[str, list[str]]:
    """The first sign-in's way: read the key, type its first code, read the recovery codes."""
    sign_in(client)
    page = client.get(DEVICE).content.decode()
    found = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', page)
    assert found
    secret = found[1].replace(" ", "")
    answer = client.post(DEVICE, {"code": code(secret)}, follow=True)
    return secret, re.findall(r"<code>(\d{8})</code>", answer.content.decode())


def test_every_wrong_sign_in_reads_the_same(user: User, client: Client) -> None:
    User.objects.create_user("river-maple-41", PASSWORD, kind="survivor")
    machine = User.objects.create_user("county-machine", PASSWORD, kind="machine")
    gone = User.objects.create_user("left-long-ago", PASSWORD)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    wrong = told(sign_in(client, password="not the right words"))
    assert "do not belong together" in wrong
    for name in ("nobody-at-all", "river-maple-41", machine.username, gone.username):
        assert told(sign_in(client, name)) == wrong, name
    assert "_auth_user_id" not in client.session


def test_the_right_code_opens_the_desk_and_a_wrong_one_does_not(user: User, client: Client) -> None:
    secret = secret_of(user)
    sign_in(client)
    assert client.post(CODE, {"code": "000000"}).status_code == 200
    assert not inside(client)
    sign_in(client)
    client.post(CODE, {"code": code(secret)})
    assert inside(client)


def test_a_code_works_once(user: User, client: Client) -> None:
    secret = secret_of(user)
    now = code(secret)
    sign_in(client)
    client.post(CODE, {"code": now})
    other = Client()
    sign_in(other)
    answer = other.post(CODE, {"code": now})
    assert (answer.status_code, inside(client), inside(other)) == (200, True, False)


def test_the_code_page_wants_the_password_first(user: User, client: Client) -> None:
    secret = secret_of(user)
    assert client.get(CODE)["Location"] == SIGN_IN
    assert client.post(CODE, {"code": code(secret)})["Location"] == SIGN_IN
    assert not inside(client)


def test_the_first_sign_in_sets_up_a_device_and_shows_recovery_codes_once(
    user: User, client: Client
) -> None:
    secret, codes = set_up(client)
    assert len(set(codes)) == 10
    assert inside(client)
    again = client.get("/desk/recovery-codes/").content.decode()
    assert "10 recovery codes are left" in again
    assert not any(each in again for each in codes)
    other = Client()
    sign_in(other)
    assert other.get("/desk/")["Location"] == SIGN_IN
    assert other.post(CODE, {"code": code(secret)}).status_code == 200, "used up at set-up"
    other.post(CODE, {"code": codes[3]})
    assert inside(other)
    third = Client()
    sign_in(third)
    third.post(CODE, {"code": codes[3]})
    assert not inside(third), "a recovery code works once"


def test_a_wrong_first_code_sets_up_nothing(user: User, client: Client) -> None:
    sign_in(client)
    client.get(DEVICE)
    assert client.post(DEVICE, {"code": "123"}).status_code == 200
    assert not Authenticator.objects.filter(user=user).exists()


def test_a_password_typed_long_ago_sets_up_nothing(user: User, client: Client) -> None:
    sign_in(client)
    session = client.session
    session["account_authentication_methods"][0]["at"] = time.time() - FRESH - 1
    session.save()
    assert client.get(DEVICE)["Location"] == SIGN_IN


def test_a_password_alone_sets_up_nothing_once_there_is_a_device(
    user: User, client: Client
) -> None:
    slow = Client()
    sign_in(slow)
    slow.get(DEVICE)
    set_up(client)
    kept = Authenticator.objects.get(user=user, type="totp")
    secret = SealingMFAAdapter().decrypt(slow.session[DRAFT])
    answer = slow.post(DEVICE, {"code": code(secret)})
    assert answer["Location"] == SIGN_IN
    assert Authenticator.objects.get(user=user, type="totp") == kept


def test_secrets_are_nowhere_in_the_database_in_clear(user: User, client: Client) -> None:
    sign_in(client)
    page = client.get(DEVICE).content.decode()
    shown = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', page)
    assert shown
    secret = shown[1].replace(" ", "")
    assert SealingMFAAdapter().decrypt(client.session[DRAFT]) == secret
    waiting = "".join(str(row.get_decoded()) for row in Session.objects.all())
    assert "v1:" in waiting
    assert secret not in waiting
    client.post(DEVICE, {"code": code(secret)})
    kept = serialize("json", Authenticator.objects.all())
    assert secret not in kept
    assert secret not in "".join(str(row.get_decoded()) for row in Session.objects.all())
    for row in Authenticator.objects.all():
        sealed = row.data.get("secret") or row.data["seed"]
        assert sealed.startswith("v1:")
        assert SealingMFAAdapter().decrypt(sealed) not in kept
    assert (
        SealingMFAAdapter().decrypt(Authenticator.objects.get(type="totp").data["secret"]) == secret
    )


def test_sealed_secrets_open_with_a_former_key_and_with_no_strange_one(settings: Any) -> None:
    sealed = SealingMFAAdapter().encrypt("a secret")
    assert SealingMFAAdapter().encrypt("a secret") != sealed
    former = settings.SECRET_KEY
    settings.SECRET_KEY = "x" * 60
    with pytest.raises(NotReady, match="cannot be opened"):
        SealingMFAAdapter().decrypt(sealed)
    settings.SECRET_KEY_FALLBACKS = [former]
    assert SealingMFAAdapter().decrypt(sealed) == "a secret"
    with pytest.raises(NotReady, match="not stored sealed"):
        SealingMFAAdapter().decrypt("a secret")


def test_second_factors_are_sealed_anew_under_a_changed_secret_and_need_the_former_no_more(
    client: Client, settings: Any
) -> None:
    convener = people.create_first_administrator(
        username="north-hazel-7",
        password=PASSWORD,
        organisation_name="Commons",
        at=timezone.now(),
        via=Via.COMMAND,
    )
    kept = [secret_of(convener), *_seeds()]
    former, settings.SECRET_KEY = settings.SECRET_KEY, "x" * 60
    settings.SECRET_KEY_FALLBACKS = [former]
    out = StringIO()
    for _ in range(2):
        call_command("seal_second_factors", "--by", "north-hazel-7", stdout=out)
    assert out.getvalue().startswith(f"{len(kept)} are sealed")
    settings.SECRET_KEY_FALLBACKS = []
    device = Authenticator.objects.get(type="totp")
    assert [SealingMFAAdapter().decrypt(device.data["secret"]), *_seeds()] == kept
    assert Entry.objects.filter(type=EntryType.KEY_ROTATED, reason="second-factors").count() == 1
    settings.SECRET_KEY = former
    with pytest.raises(NotReady):
        SealingMFAAdapter().decrypt(device.data["secret"])


def test_who_does_not_convene_has_no_second_factor_sealed_anew(user: User) -> None:
    with pytest.raises(CommandError, match="may not"):
        call_command("seal_second_factors", "--by", user.username)
    with pytest.raises(CommandError, match="no active user"):
        call_command("seal_second_factors", "--by", "nobody")


def _seeds() -> list[str]:
    rows = Authenticator.objects.filter(type="recovery_codes")
    return [SealingMFAAdapter().decrypt(row.data["seed"]) for row in rows]


def test_where_the_secret_is_lost_the_desk_says_so_and_stays_shut(
    user: User, client: Client, settings: Any
) -> None:
    secret = secret_of(user)
    sign_in(client)
    Authenticator.objects.update(data={"secret": "v1:" + "A" * 80})
    answer = client.post(CODE, {"code": code(secret)})
    assert answer.status_code == 503
    assert not inside(client)


def test_taking_the_device_away_ends_what_its_session_may_do(user: User, client: Client) -> None:
    staffroom.enter(client, user)
    assert inside(client)
    Authenticator.objects.filter(user=user).delete()
    assert client.get("/desk/")["Location"] in {SIGN_IN, DEVICE}
    assert client.get("/desk/requests/").status_code == 302


def test_a_session_ends_after_fifteen_minutes_without_a_click(user: User, client: Client) -> None:
    staffroom.enter(client, user)
    assert inside(client)
    session = Session.objects.get(session_key=client.session.session_key)
    assert session.expire_date <= timezone.now() + timedelta(minutes=15)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get("/desk/")["Location"] == SIGN_IN


def test_guessing_is_slowed_down_by_name_and_address_together(user: User, client: Client) -> None:
    secret_of(user)
    for _ in range(5):
        assert (
            "do not belong together" in sign_in(client, password="a wrong guess").content.decode()
        )
    assert "Too many tries" in sign_in(client).content.decode()
    elsewhere = sign_in(Client(REMOTE_ADDR="192.0.2.7"))
    assert elsewhere["Location"] == CODE, "nobody is locked out from another place"
    other = User.objects.create_user("harbour-second", PASSWORD)
    assert sign_in(client, other.username).status_code == 302


def test_guessing_codes_is_slowed_down(user: User, client: Client) -> None:
    secret = secret_of(user)
    sign_in(client)
    for _ in range(5):
        client.post(CODE, {"code": "000000"})
    answer = client.post(CODE, {"code": code(secret)})
    assert "Too many tries" in answer.content.decode()
    assert not inside(client)


def test_a_device_is_replaced_only_after_password_and_code_once_more(
    user: User, client: Client
) -> None:
    staffroom.enter(client, user)
    former = Authenticator.objects.get(user=user)
    assert client.get(DEVICE)["Location"] == "/desk/"
    place = "/desk/device/new/"
    secret = SealingMFAAdapter().decrypt(former.data["secret"])
    wrong = [
        {"password": PASSWORD, "code": "000000"},
        {"password": "not the right words", "code": code(secret)},
    ]
    cache.clear()
    for words in wrong:
        assert client.post(place, words).status_code == 200
        assert client.get(DEVICE)["Location"] == "/desk/"
    cache.clear()
    answer = client.post(place, {"password": PASSWORD, "code": code(secret)})
    assert answer["Location"] == DEVICE
    page = client.get(DEVICE).content.decode()
    assert Authenticator.objects.filter(pk=former.pk).exists(), "the former works until then"
    shown = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', page)
    assert shown
    client.post(DEVICE, {"code": code(shown[1].replace(" ", ""))})
    assert not Authenticator.objects.filter(pk=former.pk).exists()
    assert inside(client)
    assert client.get(DEVICE)["Location"] == "/desk/", "once is once"
