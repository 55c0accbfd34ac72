"""Failed sign-ins at the three doors: the log hears of a burst, and of nobody's name or place."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.core.cache import cache, caches
from django.db import connections
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from audit.actions import bursts, entries
from audit.models import Entry
from audit.rules import BURST, WINDOW
from audit.vocabulary import SYSTEM, Burst, Decision, EntryType, Via
from common.errors import NotReady
from governance.models import User
from governance.vocabulary import UserKind
from tests import staffroom
from tests.factories import governance as made
from tests.staffroom import PASSWORD, code, secret_of

pytestmark = pytest.mark.django_db(transaction=True)

ACCOUNT, ADDRESS, MOST = (BURST[one] for one in Burst)
HERE, NAME = "192.0.2.77", "river-maple-41"


@pytest.fixture(autouse=True)
def _clean() -> None:
    cache.clear()


def heard() -> list[tuple[str, str]]:
    """The door and the reason of every entry about failed sign-ins, in their order."""
    found = Entry.objects.filter(type=EntryType.SIGNIN_FAILED).order_by("pk")
    return list(found.values_list("via", "reason"))


def at_the_portal(name: str, place: str) -> Any:
    return Client(REMOTE_ADDR=place).post("/sign-in/", {"name": name, "passphrase": "not these"})


def at_the_desk(name: str, place: str) -> Any:
    return Client(REMOTE_ADDR=place).post("/desk/sign-in/", {"login": name, "password": "no"})


def at_the_machines_door(name: str, place: str) -> Any:
    token = f"sayso_{name}-{'x' * 30}"
    return APIClient().get(
        "/api/datasets/", HTTP_AUTHORIZATION=f"Bearer {token}", REMOTE_ADDR=place
    )


DOORS: dict[str, Callable[[str, str], Any]] = {
    "portal": at_the_portal,
    "desk": at_the_desk,
    "api": at_the_machines_door,
}


def places() -> Iterator[str]:
    """Ever another address."""
    return (f"198.51.{n // 250}.{n % 250 + 1}" for n in range(60_000))


def names() -> Iterator[str]:
    return (f"nobody-{n}" for n in range(60_000))


@pytest.mark.parametrize("door", DOORS)
def test_many_failures_for_one_account_leave_one_entry_wherever_they_come_from(door):
    elsewhere = places()
    for _ in range(ACCOUNT - 1):
        DOORS[door](NAME, next(elsewhere))
    assert heard() == []
    for _ in range(3 * ACCOUNT):
        DOORS[door](NAME, next(elsewhere))
    assert heard() == [(door, "one-account")]


@pytest.mark.parametrize("door", DOORS)
def test_many_failures_from_one_address_leave_one_entry_whatever_is_claimed(door):
    other = names()
    for _ in range(ADDRESS - 1):
        DOORS[door](next(other), HERE)
    assert heard() == []
    for _ in range(ADDRESS):
        DOORS[door](next(other), HERE)
    assert heard() == [(door, "one-address")]


@pytest.mark.parametrize("door", DOORS)
def test_the_entry_and_what_is_counted_name_nobody_and_no_place(door):
    user = made.user(kind=UserKind.SURVIVOR, username=NAME)
    for _ in range(ADDRESS):
        DOORS[door](NAME, HERE)
    assert heard() == [(door, "one-account"), (door, "one-address")]
    for entry in Entry.objects.filter(type=EntryType.SIGNIN_FAILED):
        assert (entry.actor, entry.resource) == (SYSTEM, "")
        assert entry.decision == Decision.REFUSED
        told = bytes(entry.leaf).decode()
        assert not [word for word in (NAME, HERE, "192.0.2", user.ref) if word in told]
    counted = list(caches["default"]._cache)
    assert len(counted) >= 2
    assert not [word for word in (NAME, HERE) if word in repr(counted).lower()]


@pytest.mark.parametrize("door", DOORS)
def test_one_account_is_one_however_it_is_spelled(door):
    if door == "api":
        pytest.skip("a token has one spelling")
    spellings = [NAME, NAME.upper(), f" {NAME} ", NAME.title()]
    elsewhere = places()
    for n in range(ACCOUNT):
        DOORS[door](spellings[n % 4], next(elsewhere))
    assert heard() == [(door, "one-account")]


def test_another_window_may_have_another_entry():
    at = timezone.now()
    for _ in range(ACCOUNT):
        bursts.failed(door=Via.DESK, account=NAME, address=HERE, at=at)
    cache.clear()  # the window is over
    for _ in range(ACCOUNT):
        bursts.failed(door=Via.DESK, account=NAME, address=HERE, at=at + WINDOW)
    assert heard() == [("desk", "one-account")] * 2


def test_the_window_ends_by_itself(monkeypatch):
    monkeypatch.setattr(bursts, "WINDOW", timedelta(seconds=1))
    for _ in range(ACCOUNT - 1):
        bursts.failed(door=Via.DESK, account=NAME, address=HERE, at=timezone.now())
    threading.Event().wait(1.2)
    bursts.failed(door=Via.DESK, account=NAME, address=HERE, at=timezone.now())
    assert heard() == []


@pytest.mark.parametrize("door", DOORS)
def test_invented_names_and_addresses_do_not_fill_the_log(door):
    at = timezone.now()
    other, elsewhere = names(), places()
    for _ in range(3 * MOST):
        account = next(other)
        for _ in range(ACCOUNT):
            bursts.failed(door=Via(door), account=account, address=next(elsewhere), at=at)
    assert heard() == [(door, "one-account")] * (MOST - 1) + [(door, "many")]
    doors = [one for one in DOORS if one != door]
    for _ in range(ACCOUNT):
        bursts.failed(door=Via(doors[0]), account=NAME, address=HERE, at=at)
    assert heard()[-1] == (doors[0], "one-account"), "another door still speaks"


def test_addresses_of_one_network_are_one_address():
    for n in range(ADDRESS):
        bursts.failed(door=Via.API, account="", address=f"2001:db8:1:2::{n:x}", at=timezone.now())
    assert heard() == [("api", "one-address")]


def test_a_sign_in_that_is_right_is_no_failure():
    user = User.objects.create_user(NAME, PASSWORD, kind=UserKind.SURVIVOR)
    staff = User.objects.create_user("harbour-steward", PASSWORD)
    for _ in range(ACCOUNT + 2):
        Client().post("/sign-in/", {"name": user.username, "passphrase": PASSWORD})
        Client().post("/desk/sign-in/", {"login": staff.username, "password": PASSWORD})
    assert heard() == []


def test_who_asks_without_a_token_claims_nothing_and_a_shapeless_one_counts_for_the_address():
    for _ in range(ADDRESS):
        APIClient().get("/api/datasets/", REMOTE_ADDR=HERE)
    assert heard() == []
    for n in range(ADDRESS):
        header = ["Bearer", "Basic abc", "Bearer \xff\xfe", "Bearer two words", "x" * 9000][n % 5]
        answer = APIClient().get("/api/datasets/", HTTP_AUTHORIZATION=header, REMOTE_ADDR=HERE)
        assert answer.status_code == 401
    assert heard() == [("api", "one-address")]


@pytest.mark.parametrize("told", [{"HTTP_X_FORWARDED_FOR": HERE}, {"REMOTE_ADDR": ""}])
def test_where_the_callers_address_cannot_be_told_a_token_is_refused_as_ever(settings, told):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    for n in range(ADDRESS):
        header = f"Bearer sayso_{n}{'x' * 40}"
        answer = APIClient().get("/api/datasets/", HTTP_AUTHORIZATION=header, **told)
        assert answer.status_code == 401
    assert heard() == [("api", "one-address")]


def test_wrong_codes_and_wrong_words_of_somebody_half_inside_count_too():
    user = User.objects.create_user("harbour-steward", PASSWORD)
    secret_of(user)
    client = Client()
    client.post("/desk/sign-in/", {"login": user.username, "password": PASSWORD})
    for _ in range(ACCOUNT):
        client.post("/desk/code/", {"code": "000000"})
    assert heard() == [("desk", "one-account")]


@pytest.mark.parametrize("wrong", ["password", "code"])
def test_a_device_is_not_replaced_by_guessing_unheard(wrong):
    user = User.objects.create_user("harbour-steward", PASSWORD)
    client = staffroom.enter(Client(), user)
    right = {"password": PASSWORD, "code": code(secret_of(user))}
    for _ in range(ACCOUNT):
        client.post("/desk/device/new/", {**right, wrong: "000000"})
    assert heard() == [("desk", "one-account")]


def test_guessing_her_words_at_an_open_device_is_heard():
    her = User.objects.create_user(NAME, PASSWORD, kind=UserKind.SURVIVOR)
    client = Client()
    client.force_login(her, "django.contrib.auth.backends.ModelBackend")
    for _ in range(ACCOUNT):
        client.post("/names/", {"passphrase": "not these"})
    assert heard() == [("portal", "one-account")]


def test_where_the_log_takes_nothing_the_door_says_so_and_opens_to_nobody(monkeypatch):
    def broken(leaf):
        raise NotReady("log_unavailable", "The log cannot take this entry at present.")

    monkeypatch.setattr(entries, "_entry", broken)
    elsewhere = places()
    found = [at_the_portal(NAME, next(elsewhere)).status_code for _ in range(ACCOUNT + 1)]
    assert found == [200] * (ACCOUNT - 1) + [503, 200]


def many_at_once(count: int) -> None:
    def fail():
        try:
            for _ in range(5):
                bursts.failed(door=Via.PORTAL, account=NAME, address=HERE, at=timezone.now())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=fail) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_at_once_leave_one_entry():
    many_at_once(5)
    assert heard() == [("portal", "one-account")]


@pytest.fixture
def in_redis(settings, redis_address):
    """Where there is a Redis, several processes count as one."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": redis_address,
            "KEY_PREFIX": "test-bursts",
        }
    }
    client = redis.Redis.from_url(redis_address)

    def keys() -> list[bytes]:
        return list(client.scan_iter("test-bursts:*"))

    yield keys
    for key in keys():
        client.delete(key)
    cache.close()
    client.close()


def test_with_redis_the_same_is_heard_and_the_counters_end(in_redis, redis_address):
    many_at_once(5)
    assert heard() == [("portal", "one-account")]
    for _ in range(ADDRESS):
        bursts.failed(door=Via.PORTAL, account="", address=HERE, at=timezone.now())
    assert heard() == [("portal", "one-account"), ("portal", "one-address")]
    with redis.Redis.from_url(redis_address) as client:
        left = [client.ttl(key) for key in in_redis()]
    assert len(left) == 2
    assert all(0 < seconds <= WINDOW.total_seconds() for seconds in left)
    assert not [key for key in in_redis() if NAME.encode() in key or HERE.encode() in key]
