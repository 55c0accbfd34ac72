"""Where Redis is away or silent no door fails, none waits long, and tries are counted all the same."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings as of_django
from django.core.cache import caches
from django.test import Client, override_settings

from tests.integration.api_world import bearer
from tests.redises import NOBODY, forget, silent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def apart() -> Iterator[None]:
    forget()
    yield
    forget()


@contextmanager
def counting(address: str) -> Iterator[None]:
    """The installation's own counters, at this address."""
    options = {**of_django.REDIS_PATIENCE, "retry": None}
    found = {
        "BACKEND": "config.cache.Counting",
        "LOCATION": address,
        "OPTIONS": options,
        "KEY_FUNCTION": "config.keys.blinded",
    }
    with override_settings(CACHES={"default": found}):
        forget()
        yield


def test_counters_go_on_in_this_process_while_redis_is_away(redis_address):
    with silent() as mute:
        for address in (NOBODY, mute):
            with counting(address):
                counters = caches["default"]
                began = time.monotonic()
                assert counters.add("tries", 0, 60)
                assert [counters.incr("tries") for _ in range(5)] == [1, 2, 3, 4, 5]
                assert (counters.get("tries"), counters.get("other", 7)) == (5, 7)
                assert counters.get_many(["tries"]) == {"tries": 5}
                counters.set("tries", 2, 60)
                assert (counters.has_key("tries"), counters.touch("tries", 60)) == (True, True)
                assert counters.delete("tries")
                assert time.monotonic() - began < 2
    with counting(redis_address):
        counters = caches["default"]
        counters.set("tries", 3, 5)
        assert counters.incr("tries") == 4
        assert counters.delete("tries")


@pytest.mark.parametrize("path", ["/desk/", "/api/releases/", "/readyz"])
def test_no_door_fails_or_waits_long_where_redis_is_silent(path):
    with silent() as mute, counting(mute), override_settings(REDIS_URL=mute):
        began = time.monotonic()
        door = bearer("a-token-that-opens-nothing") if path.startswith("/api") else Client()
        assert door.get(path).status_code != 500
        assert time.monotonic() - began < 5
