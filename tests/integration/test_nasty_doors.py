"""Every form, body, question, address and header with everything nobody should send.

Never a 500, nothing written, and a sentence that says which field. A form, a shape, a question or an
address that has no case here fails the test.
"""

import ast
import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from django import forms
from django.conf import settings as configured
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from rest_framework import serializers

from api.shapes import Shape
from consent.vocabulary import LONGEST_NUMBER
from governance.models import AccessRequest, Ballot, RecipientKey
from governance.vocabulary import LONGEST_PASSWORD
from tests import nasty, staffroom, survivors
from tests.architecture.source import BASE, python_files, tree
from tests.integration.test_canary import CASES as ADDRESSES
from tests.integration.test_canary import Stage, stage  # noqa: F401 - a fixture
from tests.staffroom import PASSWORD, Staffroom
from tests.survivors import WORDS

pytestmark = pytest.mark.database
BACKEND = "django.contrib.auth.backends.ModelBackend"
Sent = dict[str, Any]


@pytest.fixture(autouse=True)
def _clean_slate() -> None:
    cache.clear()


# --- forms ----------------------------------------------------------------------------------------

# As bytes of a form that was sent: what a browser, or something else, may put into a text.
TEXTS = {
    "NUL": "a%00b",
    "half a character": "a%ED%A0%80b",
    "bytes that are no text": "%FF%FE",
    "a bell": "a%07b",
    "an escape": "%1B[2J",
    "turned round": "a%E2%80%AEb",
    "nothing": "",
    "blanks": "+%20+",
}
DAYS = ["0000-01-01", "0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31", "10000-01-01"]
DAYS += ["2026-02-31", "2026-13-01", "9" * 40, "-1", "2026-11-02T09%3A00", "a%00b", "", "%FF"]
CHOICES = ["nonsense", "a%00b", "%FF%FE", "9" * 40, "x" * 5000]


@dataclass(frozen=True)
class Case:
    """Where one form is sent to, by whom, and what would be good in it.

    `limits`: how long its texts may be. `one_answer`: it never says which field was wrong, on
    purpose.
    """

    client: Callable[[Any], Client]
    place: Callable[[Any], str]
    good: Callable[[Any], Sent]
    limits: dict[str, int]
    one_answer: bool = False


def column(model: Any, name: str) -> int:
    length: int = model._meta.get_field(name).max_length
    return length


def at_desk(who: Callable[[Staffroom], Any]) -> Callable[[Staffroom], Client]:
    return lambda room: staffroom.enter(Client(raise_request_exception=False), who(room))


def with_password_only(who: Callable[[Staffroom], Any], device: bool) -> Any:
    def come(room: Staffroom) -> Client:
        client = Client(raise_request_exception=False)
        if device:
            staffroom.secret_of(who(room))
        client.post("/desk/sign-in/", {"login": who(room).username, "password": PASSWORD})
        return client

    return come


def signed_in(world: survivors.World) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(world.her, BACKEND)
    return client


def draft(room: Staffroom) -> Sent:
    today = timezone.now().date()
    return {
        "purpose": room.purpose.code,
        "fields_asked": ["age_band"],
        "reason": "To learn.",
        "benefit": "It helps.",
        "format": "csv",
        "starts": today.isoformat(),
        "ends": (today + timedelta(days=30)).isoformat(),
    }


FORMS: dict[str, Case] = {
    "desk.forms.deeds.DraftForm": Case(
        at_desk(lambda room: room.requester),
        lambda room: f"/desk/requests/new/{room.agreement.ref}/{room.dataset.ref}/",
        draft,
        {"reason": column(AccessRequest, "reason"), "benefit": column(AccessRequest, "benefit")},
    ),
    "desk.forms.deeds.VoteForm": Case(
        at_desk(lambda room: room.members[0]),
        lambda room: f"/desk/requests/{staffroom.submitted(room).ref}/vote/",
        lambda room: {"vote": "yes", "reason": "It is little."},
        {"reason": column(Ballot, "reason")},
    ),
    "desk.forms.deeds.KeyForm": Case(
        at_desk(lambda room: room.recipient_admin),
        lambda room: f"/desk/keys/{room.recipient.ref}/",
        lambda room: {"public_key": "age1" + "q" * 58},
        {"public_key": column(RecipientKey, "public_key")},
    ),
    "desk.forms.deeds.StopForm": Case(
        at_desk(lambda room: room.advocate),
        lambda room: "/desk/stops/",
        lambda room: {"holder": room.holder.ref, "number": "A-17", "recipient": ""},
        {"number": LONGEST_NUMBER},
    ),
    "desk.forms.signin.SignInForm": Case(
        lambda room: Client(raise_request_exception=False),
        lambda room: "/desk/sign-in/",
        lambda room: {"login": "nobody", "password": PASSWORD},
        {"login": 5000, "password": 5000},
        one_answer=True,
    ),
    "desk.forms.signin.CodeForm": Case(
        with_password_only(lambda room: room.steward, device=True),
        lambda room: "/desk/code/",
        lambda room: {"code": "000000"},
        {"code": 32},
    ),
    "desk.forms.signin.DeviceForm": Case(
        with_password_only(lambda room: room.steward, device=False),
        lambda room: "/desk/device/",
        lambda room: {"code": "000000"},
        {"code": 32},
    ),
    "desk.forms.signin.ProveAgainForm": Case(
        at_desk(lambda room: room.steward),
        lambda room: "/desk/device/new/",
        lambda room: {"password": "not this one", "code": "000000"},
        {"password": LONGEST_PASSWORD, "code": 32},
    ),
    "portal.forms.SignIn": Case(
        lambda world: Client(raise_request_exception=False),
        lambda world: "/sign-in/",
        lambda world: {"name": "nobody", "passphrase": WORDS},
        {"name": 80, "passphrase": LONGEST_PASSWORD},
        one_answer=True,
    ),
    "portal.forms.Names": Case(
        signed_in,
        lambda world: "/names/",
        lambda world: {"passphrase": "not these"},
        {"passphrase": LONGEST_PASSWORD},
        one_answer=True,
    ),
    "portal.forms.Pause": Case(
        signed_in, lambda world: f"/details/{world.on.ref}/pause/", lambda world: {"until": "7"}, {}
    ),
}
NOT_REQUIRED = {("desk.forms.deeds.StopForm", "recipient")}


def forms_of_ours() -> dict[str, type[forms.Form]]:
    """Every form of the two doors that people use."""
    found = {}
    for path in python_files("desk", "portal"):
        name = ".".join(path.relative_to(BASE).with_suffix("").parts).removesuffix(".__init__")
        module = importlib.import_module(name)
        for form in vars(module).values():
            if isinstance(form, type) and issubclass(form, forms.BaseForm):
                if form.__module__ == name:
                    found[f"{name}.{form.__name__}"] = form
    return found


def test_every_form_has_a_case_here():
    """Also: no case is stale."""
    assert set(forms_of_ours()) == set(FORMS)


def world_of(name: str) -> Any:
    return survivors.build() if name.startswith("portal.") else staffroom.build()


def spoilt(name: str, case: Case, form: forms.BaseForm) -> Iterator[tuple[str, str]]:
    """Each field with each nasty value, as it stands in the body of what is sent."""
    for field, kind in form.fields.items():
        optional = (name, field) in NOT_REQUIRED
        if isinstance(kind, forms.DateField):
            values = DAYS
        elif isinstance(kind, forms.ChoiceField):
            values = CHOICES if optional else [*CHOICES, ""]
        else:
            values = [*TEXTS.values(), "x" * (case.limits[field] + 1)]
        yield from ((field, value) for value in values)


def body(good: Sent, field: str, value: str) -> str:
    pairs = [f"{field}={value}"]
    for name, given in good.items():
        if name != field:
            pairs += [
                f"{name}={quote_plus(each)}"
                for each in (given if isinstance(given, list) else [given])
            ]
    return "&".join(pairs)


@pytest.mark.django_db
@pytest.mark.parametrize("name", FORMS)
def test_whatever_nobody_should_write_into_a_form_is_refused_beside_its_field(name):
    case, world = FORMS[name], world_of(name)
    client, place, good = case.client(world), case.place(world), case.good(world)
    shown = client.get(place) if "vote" not in place else client.get(place.removesuffix("vote/"))
    form = shown.context["form"]
    assert type(form) is forms_of_ours()[name]
    before = nasty.everything()
    for field, value in spoilt(name, case, form):
        cache.clear()
        answer = client.post(
            place, body(good, field, value), content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code in {200, 400, 429}, (field, value, answer.status_code)
        wrong = answer.context["form"]
        if not case.one_answer:
            assert field in wrong.errors, (field, value, wrong.errors)
            for told in wrong.errors[field]:
                assert str(told) in html_of(answer), (field, value)
    assert nasty.everything() == before


def html_of(answer: Any) -> str:
    text: str = answer.content.decode()
    return text.replace("&#x27;", "'").replace("&quot;", '"').replace("&gt;", ">")


@pytest.mark.django_db
@pytest.mark.parametrize("name", FORMS)
def test_whatever_is_no_form_at_all_is_refused(name):
    case, world = FORMS[name], world_of(name)
    client, place = case.client(world), case.place(world)
    before = nasty.everything()
    for kind, sent in BODIES:
        cache.clear()
        answer = client.generic("POST", place, sent, content_type=kind)
        assert answer.status_code < 500, (kind, sent[:40])
    assert nasty.everything() == before


FORM = "application/x-www-form-urlencoded"
BODIES: list[tuple[str, str | bytes]] = [
    (FORM, "a=1&" * 2000),
    (FORM, "x" * 300_000),
    (FORM, b"\xff\xfe\x00="),
    (FORM, "%00=%00&%FF=%FF&=&&&=="),
    (f"{FORM}; charset=utf-16", "a=1"),
    (f"{FORM}; charset=rot13", "a=1"),
    ("multipart/form-data", "x"),
    ("multipart/form-data; boundary=", "x"),
    ("multipart/form-data; boundary=\x00", "x"),
    ("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\0\r\n\r\n"),
    ("multipart/form-data; boundary=b", '--b\r\nContent-Disposition: form-data; name="reason"'),
    ("application/json", '{"a": ' * 50_000),
    ("x" * 5000, "a=1"),
    ("", "a=1"),
]


# --- questions and single values of a view --------------------------------------------------------

# What a view takes out of a question or a body by itself, without a form: where, by whom.
VALUES: dict[tuple[str, str], tuple[str, str]] = {
    ("desk/views/agreements.py", "organisation"): ("desk:agreement-sign", "requester"),
    ("desk/views/requests.py", "from"): ("desk:request-draft", "requester"),
    ("desk/views/language.py", "next"): ("desk-language", "requester"),
    ("portal/views/sharing.py", "of"): ("portal:history", "survivor"),
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
    for sent in [*TEXTS.values(), *CHOICES, "//elsewhere.example", "javascript:x", "/%0d%0ax: y"]:
        cache.clear()
        asked = client.get(f"{place}?{value}={sent}")
        told = client.post(place, f"{value}={sent}", content_type=FORM)
        for answer in (asked, told):
            assert answer.status_code < 500, sent
            assert "elsewhere.example" not in answer.get("Location", "")
            assert answer.get("X", "") == ""


# --- addresses and headers ------------------------------------------------------------------------

PIECES = ["%00", "a%00b", "req-%00", "%ED%A0%80", "%FF%FE", "x" * 4000, "..%2F..", "%0A", "9" * 40]
PIECES += ["%E2%80%AE", "req-2222222222222%20", "'", "-1", "%25s", "req-" + "2" * 300]
QUESTIONS = ["?%00=1", "?a=%00", "?page=%ED%A0%80", "?before=" + "9" * 40, "?a=" * 1500, "?format=%00"]
QUESTIONS += ["?before=%FF", "?before=rel-2222222222222", "?next=", "?a[]=1&a[]=2", "?before=a&before=b"]
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
    return ["requester", "recipient's administrator", "advocate", "nobody"]


@pytest.mark.parametrize("name", sorted(set(ADDRESSES) - LEAVE))
def test_no_address_question_or_header_breaks_anything(stage, name):  # noqa: F811
    place = stage.path(name)
    places = [place + question for question in QUESTIONS]
    for of in ADDRESSES[name].values():
        places += [place.replace(stage.values[of], piece) for piece in PIECES]
    for role in roles(name):
        client = stage.clients[role]
        for each in places:
            cache.clear()
            for method in ("GET", "HEAD"):
                answer = client.generic(method, each)
                assert answer.status_code < 500 or answer.status_code in BUSY, (role, each[:80])
        for headers in HEADERS:
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
            for role in roles(name):
                cache.clear()
                answer = stage.clients[role].post(place)
                assert answer.status_code < 500, (role, place[:80])
    assert nasty.everything() == before


# --- bodies for machines --------------------------------------------------------------------------

JSON = [5, -1, 2**63, 2**70, 10**400, 1.5, True, None, [], [[]], {}, {"a": {"b": []}}, "", "   "]
JSON += ["a\0b", "a\ud800b", "a\x07b", "a\u202eb", "a\ufffdb", "nonsense", "x" * 100_000]
TIMES = ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
TIMES += ["2026-02-31T00:00:00Z", "2026-11-02", "2026-11-02T09:00:00", "1899-12-31T00:00:00Z"]
TIMES += ["2200-01-01T00:00:00Z", "10000-01-01T00:00:00Z"]
# What each shape is sent as: method, address, and what would be good in it.
SHAPES: dict[str, tuple[str, str, Callable[[Stage], Sent]]] = {
    "api.requests.Requests.Input": (
        "POST",
        "api:requests",
        lambda stage: {
            "dataset": stage.world.home.dataset.ref,
            "purpose": stage.world.purpose.code,
            "agreement": stage.world.home.agreement.ref,
            "fields": ["region"],
            "reason": "To learn.",
            "benefit": "It helps.",
            "format": "csv",
            "starts": timezone.now().isoformat(),
            "ends": (timezone.now() + timedelta(days=20)).isoformat(),
        },
    ),
    "api.pages.Query": ("GET", "api:releases", lambda stage: {"before": ""}),
}


def shapes_of_ours() -> set[str]:
    waiting: list[type[Shape]] = list(Shape.__subclasses__())
    found = set()
    while waiting:
        shape = waiting.pop()
        waiting += shape.__subclasses__()
        found.add(f"{shape.__module__}.{shape.__qualname__}")
    return found


def test_every_shape_has_a_case_here():
    assert shapes_of_ours() == set(SHAPES)
    plain = serializers.Serializer.__subclasses__()
    for shape in plain:  # whatever is no Shape is only ever written, never read
        if shape.__module__.startswith("api.") and shape is not Shape:
            assert shape.__qualname__.rsplit(".", 1)[-1] in {"Output", "Field"}, shape


def test_whatever_a_machine_should_not_send_is_refused_with_its_place(stage):  # noqa: F811
    client, place = stage.clients["machine"], stage.path("api:requests")
    good = SHAPES["api.requests.Requests.Input"][2](stage)
    before = nasty.everything()
    for field in good:
        values = [*JSON, *(TIMES if field in {"starts", "ends"} else [])]
        if field == "fields":
            values += [[value] for value in JSON if value != []] + [["region"] * 501]
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
