"""Redis is away: nobody's door answers with a server error, and limits hold in each process."""

import socket

import pytest
from django.core.cache import caches
from django.test import Client
from rest_framework.test import APIClient

from api.throttling import MachineThrottle
from audit.models import Entry
from audit.rules import BURST
from audit.vocabulary import Burst, EntryType
from tests.integration.test_api_oauth import Body, show
from tests.redises import forget

pytestmark = pytest.mark.django_db
WRONG = "Bearer " + "w" * 43


@pytest.fixture
def redis_away(settings):
    """Counters whose Redis refuses every connection: a port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings.CACHES = {
        "default": {
            "BACKEND": "config.cache.Counting",
            "LOCATION": f"redis://127.0.0.1:{port}/0",
            "OPTIONS": {**settings.REDIS_PATIENCE, "retry": None},
        }
    }
    forget()
    own = caches["default"]._own
    own.clear()
    yield
    own.clear()
    forget()
    caches["default"].close()


def bursts() -> int:
    return Entry.objects.filter(type=EntryType.SIGNIN_FAILED).count()


@pytest.mark.usefixtures("redis_away")
def test_a_token_that_opens_nothing_is_refused_as_ever_and_a_burst_is_heard():
    client = APIClient(raise_request_exception=False)
    for number in range(1, BURST[Burst.ONE_ACCOUNT] + 1):
        answer = client.get("/api/datasets/", HTTP_AUTHORIZATION=WRONG)
        assert answer.status_code == 401
        assert answer.json()["code"] == "token_refused"
        assert bursts() == (number == BURST[Burst.ONE_ACCOUNT])


@pytest.mark.usefixtures("redis_away")
def test_who_is_known_comes_in_and_too_often_is_too_often(monkeypatch):
    body = Body()
    given = show({"client_id": body.id, "client_secret": body.secret})
    assert given.status_code == 200
    assert show({"client_id": body.id, "client_secret": "no"}).status_code == 401
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {given.json()['access_token']}")
    monkeypatch.setattr(MachineThrottle, "rate", "2/min", raising=False)
    monkeypatch.setattr(MachineThrottle, "timer", staticmethod(lambda: 60.5))  # one period
    assert [client.get("/api/datasets/").status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.usefixtures("redis_away")
@pytest.mark.parametrize("door", ["/desk/sign-in/", "/sign-in/"])
def test_people_at_the_other_doors_are_told_that_it_is_wrong(door):
    client = Client(raise_request_exception=False)
    answer = client.post(door, {"login": "n", "username": "n", "password": "p", "words": "p"})
    assert answer.status_code < 500
