"""Every body, question, address and header with everything nobody should send.

Never a 500, nothing written, and a sentence that says which field. A shape, a question or an
address that has no case here fails the test.
"""

import ast
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.utils import timezone
from rest_framework import serializers

from api.shapes import Shape
from release.vocabulary import Reported
from tests import nasty
from tests.architecture.source import BASE, python_files, tree
from tests.integration.test_canary import CASES as ADDRESSES
from tests.integration.test_canary import Stage, stage  # noqa: F401 - a fixture
from tests.lengths import share

pytestmark = pytest.mark.database
BACKEND = "django.contrib.auth.backends.ModelBackend"
Sent = dict[str, Any]


@pytest.fixture(autouse=True)
def _clean_slate() -> None:
    cache.clear()


# --- questions and single values of a view --------------------------------------------------------

# What a view takes out of a question or a body by itself, without a form: where, by whom.
VALUES: dict[tuple[str, str], tuple[str, str]] = {
    ("desk/views/agreements.py", "organisation"): ("desk:agreement-sign", "requester"),
    ("desk/views/requests.py", "from"): ("desk:request-draft", "requester"),
    ("desk/views/texts.py", "of"): ("desk:text-write", "recipient's administrator"),
    ("desk/views/texts.py", "step"): ("desk:text-write", "recipient's administrator"),
    ("desk/views/language.py", "next"): ("desk-language", "requester"),
    ("desk/views/auditors.py", "found"): ("desk:paper-check", "steward"),
    ("desk/views/audit/reading.py", "before"): ("desk:audit-search", "log's auditor"),
    ("desk/views/audit/checks.py", "after"): ("desk:audit-access", "log's auditor"),
    ("desk/views/audit/reading.py", "from"): ("desk:audit-hints", "log's auditor"),
    ("desk/views/recalls.py", "before"): ("desk:recalls", "requester"),
    ("desk/views/audit/cases.py", "after"): ("desk:audit", "log's auditor"),
    ("desk/paging.py", "before"): ("desk:readings", "board member"),
    ("desk/views/findings.py", "entry"): ("desk:finding-new", "log's auditor"),
    ("portal/views/asking.py", "about"): ("portal:ask", "survivor"),
    ("portal/views/history.py", "list"): ("portal:history", "survivor"),
    ("portal/views/history.py", "of"): ("portal:history", "survivor"),
    ("portal/views/history.py", "page"): ("portal:history", "survivor"),
    ("portal/views/entry.py", "next"): ("portal:language", "survivor"),
}


def taken_by_views() -> set[tuple[str, str]]:
    found = set()
    for path in python_files("desk", "portal", "api"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = ast.unparse(node.func.value)
                if owner.endswith((".GET", ".POST", ".query_params")) and node.args:
                    assert isinstance(node.args[0], ast.Constant), f"{path}: a name not written out"
                    found.add((str(path.relative_to(BASE)), str(node.args[0].value)))
    return found


def test_every_value_that_a_view_takes_by_itself_has_a_case_here():
    assert taken_by_views() == set(VALUES)


@pytest.mark.parametrize(("file", "value"), VALUES)
def test_a_value_that_a_view_takes_by_itself_breaks_nothing(stage, file, value):  # noqa: F811
    name, role = VALUES[file, value]
    client, place = stage.clients[role], stage.path(name)
    for sent in [
        *nasty.SENT.values(),
        *nasty.CHOICES,
        "//elsewhere.example",
        "javascript:x",
        "/%0d%0ax: y",
    ]:
        cache.clear()
        asked = client.get(f"{place}?{value}={sent}")
        told = client.post(place, f"{value}={sent}", content_type=nasty.FORM)
        for answer in (asked, told):
            assert answer.status_code < 500, sent
            assert "elsewhere.example" not in answer.get("Location", "")
            assert answer.get("X", "") == ""


# --- addresses and headers ------------------------------------------------------------------------

PIECES = ["%00", "a%00b", "req-%00", "%ED%A0%80", "%FF%FE", "x" * 4000, "..%2F..", "%0A", "9" * 40]
PIECES += ["%E2%80%AE", "req-2222222222222%20", "'", "-1", "%25s", "req-" + "2" * 300]
QUESTIONS = [
    "?%00=1",
    "?a=%00",
    "?page=%ED%A0%80",
    "?before=" + "9" * 40,
    "?a=" * 1500,
    "?format=%00",
]
QUESTIONS += [
    "?before=%FF",
    "?before=rel-2222222222222",
    "?next=",
    "?a[]=1&a[]=2",
    "?before=a&before=b",
]
HEADERS: list[dict[str, str]] = [
    {"HTTP_COOKIE": 'sessionid="\\000aaaaaaaaaaaaaaaaaaaa"'},
    {"HTTP_COOKIE": 'django_language="\\000"; csrftoken="\\000"; messages="\\000"'},
    {"HTTP_COOKIE": f"sessionid={'x' * 5000}; {'y=1; ' * 500}"},
    {"CONTENT_TYPE": "text/plain; charset=rot13"},
    {"CONTENT_TYPE": "text/plain; charset=utf-16"},
    {"CONTENT_TYPE": "text/plain; charset=base64"},
    {"CONTENT_TYPE": "text/plain; charset=\xff"},
    {"HTTP_ACCEPT_LANGUAGE": "x" * 9000},
    {"HTTP_ACCEPT_LANGUAGE": "\xff,es;q=9999999999999999999"},
    {"HTTP_AUTHORIZATION": "Bearer \xff\x00"},
    {"HTTP_AUTHORIZATION": "Bearer " + "a" * 3000},
    {"HTTP_AUTHORIZATION": "Basic \xff"},
    {"HTTP_RANGE": "bytes=" + "9" * 40 + "-"},
    {"HTTP_RANGE": "bytes=-0"},
    {"HTTP_RANGE": "\x00"},
    {"HTTP_IF_RANGE": "\xff"},
    {"HTTP_IF_MODIFIED_SINCE": "Mon, 99 Foo 0000"},
    {"HTTP_IF_NONE_MATCH": "\x00"},
    {"HTTP_X_FORWARDED_FOR": "\x00, 9.9.9.9"},
    {"HTTP_HOST": "elsewhere.example"},
    {"HTTP_HOST": "a:b:c"},
    {"CONTENT_LENGTH": "abc"},
    {"CONTENT_LENGTH": "9" * 40},
]
LEAVE = {"account_logout", "portal:leave", "portal:sign_out"}  # they end the session they come with
BUSY = {503}  # an answer on purpose: the log has signed nothing yet


def roles(name: str) -> list[str]:
    """Who comes furthest at this address, and nobody."""
    if name.startswith("api:"):
        return ["machine", "nobody"]
    if name.startswith("portal:"):
        return ["survivor", "nobody"]
    if name.startswith(("desk:audit", "desk:finding-new")) and name != "desk:auditors":
        return ["log's auditor", "nobody"]
    return ["requester", "recipient's administrator", "advocate", "nobody"]


@pytest.mark.parametrize("name", sorted(set(ADDRESSES) - LEAVE))
def test_no_address_question_or_header_breaks_anything(stage, name):  # noqa: F811
    place = stage.path(name)
    at = sorted(ADDRESSES).index(name)
    places = [place + question for question in share(QUESTIONS, at)]
    for of in ADDRESSES[name].values():
        places += [place.replace(stage.values[of], piece) for piece in share(PIECES, at)]
    furthest = roles(name)[0]
    for role in (furthest, "nobody"):
        client = stage.clients[role]
        for each in places:
            cache.clear()
            answer = client.get(each)
            assert answer.status_code < 500 or answer.status_code in BUSY, (role, each[:80])
        for headers in (
            share(HEADERS, at) if role == furthest else ()
        ):  # they are read before who asks is
            cache.clear()
            for method in ("GET", "PATCH"):
                answer = client.generic(method, place, **headers)
                assert answer.status_code < 500 or answer.status_code in BUSY, (role, headers)


@pytest.mark.parametrize("piece", PIECES)
def test_no_deed_is_done_at_an_address_with_something_nasty_in_it(stage, piece):  # noqa: F811
    before = nasty.everything()
    for name, values in ADDRESSES.items():
        for of in values.values():
            place = stage.path(name).replace(stage.values[of], piece)
            cache.clear()
            furthest = roles(name)[0]
            answer = stage.clients[furthest].post(place)
            assert answer.status_code < 500, (furthest, place[:80])
    assert nasty.everything() == before


# --- bodies for machines --------------------------------------------------------------------------

JSON: list[Any] = [
    5,
    -1,
    2**63,
    2**70,
    10**400,
    1.5,
    True,
    None,
    [],
    [[]],
    {},
    {"a": {"b": []}},
    "",
    "   ",
]
JSON += ["a\0b", "a\ud800b", "a\x07b", "a\u202eb", "a\ufffdb", "nonsense", "x" * 100_000]
TIMES = ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
TIMES += ["2026-02-31T00:00:00Z", "2026-11-02", "2026-11-02T09:00:00", "1899-12-31T00:00:00Z"]
TIMES += ["2200-01-01T00:00:00Z", "10000-01-01T00:00:00Z"]
# What each shape is sent as: method, address, and what would be good in it.
SHAPES: dict[str, tuple[str, str, Callable[[Stage], Sent]]] = {
    "api.requests.Requests.Input": (
        "POST",
        "api:requests",
        lambda on: {
            "dataset": on.world.home.dataset.ref,
            "purpose": on.world.purpose.code,
            "agreement": on.world.home.agreement.ref,
            "fields": ["region"],
            "reason": "To learn.",
            "benefit": "It helps.",
            "format": "csv",
            "starts": timezone.now().isoformat(),
            "ends": (timezone.now() + timedelta(days=20)).isoformat(),
        },
    ),
    "api.decisions.Decisions.Input": (
        "POST",
        "api:decisions",
        lambda on: {"request": on.world.home.request.ref, "client": "c-1"},
    ),
    "api.recalls.Reports.Input": (
        "POST",
        "api:recall-report",
        lambda on: {"reported": Reported.DELETED},
    ),
    "api.pages.Query": ("GET", "api:releases", lambda on: {"before": ""}),
}


def shapes_of_ours() -> set[str]:
    waiting: list[type[Shape]] = list(Shape.__subclasses__())
    found = set()
    while waiting:
        shape = waiting.pop()
        waiting += shape.__subclasses__()
        found.add(f"{shape.__module__}.{shape.__qualname__}")
    return found


WRITTEN = {"Output", "Field", "Problem", "Wrong"}


def test_every_shape_has_a_case_here():
    assert shapes_of_ours() == set(SHAPES)
    plain = serializers.Serializer.__subclasses__()
    for shape in plain:  # whatever is no Shape is only ever written, never read
        if shape.__module__.startswith("api.") and shape is not Shape:
            assert shape.__qualname__.rsplit(".", 1)[-1] in WRITTEN, shape


WHO = {
    "api.requests.Requests.Input": "machine",
    "api.decisions.Decisions.Input": "steward's machine",
    "api.recalls.Reports.Input": "machine",
}


@pytest.mark.parametrize("shape", WHO)
def test_whatever_a_machine_should_not_send_is_refused_with_its_place(stage, shape):  # noqa: F811
    client, place = stage.clients[WHO[shape]], stage.path(SHAPES[shape][1])
    good = SHAPES[shape][2](stage)
    before = nasty.everything()
    for field in good:
        values = [*JSON, *(TIMES if field in {"starts", "ends"} else [])]
        if field == "fields":
            values += [[value] for value in JSON if value != []] + [["region"] * 501]
        if field in {"reason", "benefit", "client"}:
            values.remove("nonsense")  # a text like any other
        if field == "request":
            values.remove("nonsense")  # a reference of nothing: not there, 404
        for value in values:
            sent = json.dumps({**good, field: value})
            answer = client.generic("POST", place, sent, content_type="application/json")
            told = answer.json()
            assert answer.status_code == 400, (field, value, told)
            if told["code"] == "bad_shape":
                assert {each["where"].split(".")[0] for each in told["errors"]} == {field}, told
            else:  # it was no JSON that could be read: said of the body as a whole
                assert told["code"] == "parse_error"
    assert nasty.everything() == before


def test_a_question_of_a_machine_is_refused_with_its_place(stage):  # noqa: F811
    client, place = stage.clients["machine"], stage.path("api:releases")
    for value in ["%07", "%E2%80%AE", "%EF%BF%BD", "x" * 33, "%20", "rel-2222222222222"]:
        answer = client.get(f"{place}?before={value}")
        assert answer.status_code == 400, value
        assert answer.json()["errors"][0]["where"] == "before"
    assert client.get(f"{place}?after=1").json()["errors"][0]["where"] == "after"


def test_a_deeds_own_refusal_says_its_place_to_machines_too(stage):  # noqa: F811
    """The serializer lets through what the deed then refuses: also then the place is said."""
    good = SHAPES["api.requests.Requests.Input"][2](stage)
    sent = {**good, "ends": good["starts"]}
    answer = stage.clients["machine"].post(
        stage.path("api:requests"), json.dumps(sent), content_type="application/json"
    )
    assert answer.status_code == 400
    told = answer.json()
    assert (told["code"], told["errors"][0]["where"]) == ("request_period", "ends")


@pytest.mark.django_db
def test_the_doors_have_no_other_way_to_read_a_body():
    """No view reads files or raw bytes: what is looked at above is all that is taken."""
    for path in python_files("desk", "portal", "api"):
        source = Path(path).read_text(encoding="utf-8")
        assert "request.FILES" not in source, path
        assert "request.body" not in source, path
    assert configured.DATA_UPLOAD_MAX_MEMORY_SIZE <= 262_144
