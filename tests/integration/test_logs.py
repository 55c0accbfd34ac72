"""What is logged, counted and put into Redis holds nothing of anybody: no input comes out there."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import redis
from django import forms
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import Client, override_settings

import desk.forms.audit
import desk.forms.contests
import desk.forms.deeds
import desk.forms.people
import desk.forms.questions
import desk.forms.signin
import desk.forms.speaking
import desk.forms.wiping
import portal.forms
import portal.own_forms
from common import logs
from config import metrics
from release.models import Release
from release.vocabulary import ReleaseState
from tests.architecture.test_doors import VALUES, addresses
from tests.integration.test_canary import CASES, Stage, stage  # noqa: F401 - the world and its callers

pytestmark = pytest.mark.database
CANARY = "zinnia-7731-canary"
ADDRESSES = ("203.0.113.77", "198.51.100.23")
HEADERS = {
    "HTTP_USER_AGENT": CANARY,
    "HTTP_REFERER": f"https://testserver/{CANARY}/?q={CANARY}",
    "HTTP_X_REQUEST_ID": CANARY,
    "HTTP_X_FORWARDED_FOR": ADDRESSES[0],
    "HTTP_ACCEPT_LANGUAGE": CANARY,
    "HTTP_ACCEPT": f"text/{CANARY}",
    "HTTP_RANGE": f"bytes={CANARY}",
    "HTTP_IF_RANGE": f'"{CANARY}"',
    "HTTP_IF_NONE_MATCH": f'"{CANARY}"',
    "HTTP_ORIGIN": f"https://{CANARY}.example",
    "REMOTE_ADDR": ADDRESSES[1],
}
MODULES = (
    *(desk.forms.audit, desk.forms.deeds, desk.forms.people, desk.forms.signin),
    *(desk.forms.wiping, desk.forms.speaking, desk.forms.contests, portal.forms),
    *(desk.forms.questions, portal.own_forms),
)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Everything any logger says, down to the lowest level, as it would be written."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.JsonLines())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    named = [
        logging.getLogger(name)
        for name in (*["django", "config", "api", "allauth", "oversight", "release"],)
    ]
    levels = [one.level for one in named]
    for one in named:
        one.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(before)
    for one, level in zip(named, levels, strict=True):
        one.setLevel(level)


def inputs() -> list[str]:
    """The name of every field of every form, and what is read without one."""
    found = {
        "next",
        "q",
        "page",
        "dataset",
        "fields",
        "login",
        "code",
        "ref",
        "csrfmiddlewaretoken",
    }
    for module in MODULES:
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, forms.BaseForm):
                found |= set(getattr(kind, "base_fields", {}))
    return sorted(found)


def paths(staged: Stage) -> list[str]:
    found = [staged.path(name) for name in CASES if name != "api:unknown"]
    for one in addresses():
        parts = [CANARY if part in VALUES.values() else part for part in one.path.split("/")]
        found.append("/".join(parts))
    return [
        *found,
        f"/{CANARY}/",
        f"/desk/{CANARY}/",
        f"/api/{CANARY}/",
        f"/api/releases/{CANARY}/",
    ]


def clues(text: str, staged: Stage) -> set[str]:
    """What in the text tells on an input, a caller or a thing of somebody."""
    names = {"delta-engine-9", "river-maple-41", "amber-willow-4"}
    # A bare number stands in every line: it tells on nobody, and nobody could look for it.
    refs = {each for each in staged.values.values() if not each.isdigit()} - {"es"}
    return {word for word in {CANARY, *ADDRESSES, *names, *refs} if word in text}


def drive(staged: Stage, client: Client) -> None:
    filled = dict.fromkeys(inputs(), CANARY)
    for path in paths(staged):
        client.get(f"{path}?{CANARY}={CANARY}&page={CANARY}", **HEADERS)
        client.post(path, filled, **HEADERS)
    for path in paths(staged)[::4]:
        client.post(path, json.dumps(filled), content_type="application/json", **HEADERS)
        client.generic(CANARY.upper(), path, f"{CANARY}", content_type=f"x/{CANARY}", **HEADERS)
    client.get("/start/", **{**HEADERS, "HTTP_HOST": f"{CANARY}.example"})
    client.get("/api/datasets/", **{**HEADERS, "HTTP_AUTHORIZATION": f"Bearer {CANARY}"})
    client.get("/api/datasets/", **{**HEADERS, "HTTP_AUTHORIZATION": f"Basic {CANARY}"})
    client.get("/metrics", **{**HEADERS, "HTTP_AUTHORIZATION": f"Bearer {CANARY}"})


ROLES = ["nobody", "survivor", "steward", "requester", "machine"]
ROLES += ["advocate", "board member", "log's auditor", "community's administrator"]


@pytest.mark.parametrize("role", ROLES)
@override_settings(ROOT_URLCONF="tests.planted_urls")
def test_no_input_at_any_door_comes_out_in_logs_or_figures(stage, lines, role):  # noqa: F811
    kept = stage.clients[role].cookies.copy()
    drive(stage, stage.clients[role])
    stage.clients[role].get(f"/broken/?{CANARY}", **HEADERS)
    stage.clients[role].cookies = kept
    said = lines.getvalue()
    assert len(said.splitlines()) > 100
    assert clues(said, stage) == set()
    assert clues(metrics.page().decode(), stage) == set()
    answered = [
        line for line in map(json.loads, said.splitlines()) if line["logger"] == "config.requests"
    ]
    assert {"door", "route", "method", "status", "ms", "request"} <= set(answered[0])
    broken = [line for line in answered if line["route"] == "broken"]
    assert {line["status"] for line in broken} == {500}
    failed = [
        line for line in map(json.loads, said.splitlines()) if line.get("error") == "RuntimeError"
    ]
    assert {line["request"] for line in failed} <= {line["request"] for line in broken}
    assert failed[0]["where"][-1].startswith("tests/planted_urls.py:")


def test_no_input_at_any_door_comes_out_in_redis(stage, redis_address):  # noqa: F811
    from_settings = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": redis_address,
        "KEY_FUNCTION": "config.keys.blinded",
    }
    with override_settings(CACHES={"default": from_settings}):
        server = redis.Redis.from_url(redis_address)
        before = set(server.keys())
        guess = {"login": CANARY, "username": CANARY, "password": CANARY}
        for path in ("/desk/sign-in/", "/sign-in/"):
            Client().post(path, guess, **HEADERS)
        drive(stage, stage.clients["machine"])
        made = set(server.keys()) - before
        assert made
        for key in made:
            held = key.decode() + repr(server.dump(key))
            assert clues(held, stage) == set()
            server.delete(key)
        cache.close()


def test_the_clock_writes_one_numbered_line_where_something_was_done(stage, lines):  # noqa: F811
    stage.world.ask()
    call_command("work", "--once")
    assert not Release.objects.filter(state=ReleaseState.WAITING).exists()
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    rounds = [line for line in found if line["logger"] == "oversight.management.commands.work"]
    assert len(rounds) == 1
    assert rounds[0]["done"] >= 1
    assert len(rounds[0]["request"]) == 32
    assert clues(lines.getvalue(), stage) == set()


# --- one line ---------------------------------------------------------------------------------


def written(name: str, message: str, *args: object, error: BaseException | None = None) -> dict:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(name, logging.WARNING, __file__, 1, message, args, info)
    found: dict = json.loads(logs.JsonLines().format(record))
    return found


def test_our_own_words_are_kept_and_those_of_others_are_not():
    assert written("release.tasks", "release %s waits", "rel-2")["message"] == "release rel-2 waits"
    assert "message" not in written("django.request", "Not Found: %s", f"/{CANARY}/")
    assert "message" not in written("gunicorn.error", f"Invalid request from ip={ADDRESSES[0]}")
    assert written("gunicorn.error", "Booting worker with pid: %s", 7)["message"].endswith("7")


def test_of_an_error_only_its_kind_and_places_are_kept():
    with pytest.raises(ValueError, match=CANARY) as caught:
        int(CANARY)
    line = written("release.tasks", "failed", error=caught.value)
    assert line["error"] == "ValueError"
    assert line["where"][-1].startswith("integration/test_logs.py:")
    assert CANARY not in json.dumps(line)


def test_what_the_operator_must_set_right_is_said_in_full():
    line = written(
        "gunicorn.error", "Exception in worker process", error=ImproperlyConfigured("X.")
    )
    assert line["message"] == "X."


@pytest.mark.parametrize(
    "given",
    ["0f" * 16, "6F9619FF-8B86-D011-B42D-00CF4FC964FF", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"],
)
def test_a_number_that_came_in_goes_out_again(given):
    answer = Client().get("/healthz", HTTP_X_REQUEST_ID=given)
    assert answer["X-Request-ID"] == given.replace("-", "").lower()


@pytest.mark.parametrize("given", ["", "river-maple-41", "0f" * 15, "0f" * 17, "0f" * 16 + "\n"])
def test_anything_else_is_not_taken_for_a_number(given):
    first = Client().get("/healthz", HTTP_X_REQUEST_ID=given)["X-Request-ID"]
    again = Client().get("/healthz", HTTP_X_REQUEST_ID=given)["X-Request-ID"]
    assert len(first) == len(again) == 32
    assert first != again != given


@pytest.mark.django_db  # one marked test makes the database of this file's world
def test_no_line_of_the_next_request_carries_the_number_of_the_last():
    with logs.numbered() as number:
        assert written("release.tasks", "x")["request"] == number
    assert "request" not in written("release.tasks", "x")
