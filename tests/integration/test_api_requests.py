"""Asking through the machines' door: both deeds or neither, and junk changes nothing."""

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from api import pages
from audit.models import Entry
from audit.vocabulary import EntryType, Via
from governance.actions import agreements, catalogue
from governance.models import AccessRequest
from governance.vocabulary import RequestState
from release.models import Release
from tests.integration import api_world
from tests.integration.api_world import CANARY, FIELDS, PURPOSE


@pytest.fixture(scope="module")
def transactional_db(django_db_setup, django_db_blocker):
    """One world for the whole module."""
    with django_db_blocker.unblock(), api_world.committed() as world:
        yield world


@pytest.fixture
def world(transactional_db):
    cache.clear()
    return transactional_db


def test_a_request_is_drafted_and_submitted_in_one(world):
    response = world.delta.client().post("/api/requests/", world.body(), format="json")

    made = AccessRequest.objects.get(ref=response.json()["ref"])
    assert response.status_code == 201
    assert response["Location"] == f"/api/requests/{made.ref}/"
    assert made.state == RequestState.SUBMITTED
    assert made.requester == world.delta.organisation
    assert made.created_by == world.delta.machine
    assert response.json() == {
        "ref": made.ref,
        "state": "submitted",
        "dataset": world.dataset.ref,
        "purpose": PURPOSE,
        "agreement": world.agreement.ref,
        "fields": FIELDS,
        "reason": made.reason,
        "benefit": made.benefit,
        "format": "parquet",
        "starts": spelled(made.starts),
        "ends": spelled(made.ends),
        "submitted_at": spelled(made.submitted_at),
        "answer_by": spelled(made.answer_by),
        "decided_at": None,
    }
    entries = Entry.objects.filter(resource=made.ref).order_by("pk")
    assert [(entry.type, entry.via, entry.actor) for entry in entries] == [
        (EntryType.REQUEST_DRAFTED, Via.API, world.delta.machine.ref),
        (EntryType.REQUEST_SUBMITTED, Via.API, world.delta.machine.ref),
    ]
    assert world.delta.client().get(response["Location"]).json() == response.json()


def spelled(at):
    return at.isoformat().replace("+00:00", "Z")


def test_the_boards_answer_is_shown_without_its_ballots(world):
    request = world.approved()
    told = world.delta.client().get(f"/api/requests/{request.ref}/").json()
    assert told["state"] == "approved"
    assert told["decided_at"] == spelled(request.decision.decided_at)
    assert {"yes", "no", "ballots", "votes"}.isdisjoint(told)


@pytest.mark.parametrize(
    ("changes", "status", "where"),
    [
        ({"dataset": "dst-2222222222222"}, 400, ["dataset"]),
        ({"agreement": "agr-2222222222222"}, 400, ["agreement"]),
        ({"purpose": "no-such-purpose"}, 400, ["purpose"]),
        ({"fields": ["age_band", "nothing", "region", "also_not"]}, 400, ["fields.1", "fields.3"]),
        ({"fields": ["age_band", "age_band"]}, 400, None),
        ({"fields": ["story"]}, 409, None),
        ({"purpose": "referral"}, 409, None),
        ({"purpose": "funder-reporting"}, 409, None),
        ({"starts": "2020-01-01T00:00:00Z"}, 409, None),
        ({"ends": "2020-01-01T00:00:00Z"}, 400, None),
        ({"ends": "2035-01-01T00:00:00Z"}, 409, None),
    ],
)
def test_what_cannot_be_asked_leaves_no_draft_and_no_entry_behind(world, changes, status, where):
    before = AccessRequest.objects.count(), Entry.objects.count()

    response = world.delta.client().post("/api/requests/", world.body(**changes), format="json")

    assert response.status_code == status, response.json()
    assert response["Content-Type"] == "application/problem+json"
    if where is not None:
        assert [error["where"] for error in response.json()["errors"]] == where
    assert (AccessRequest.objects.count(), Entry.objects.count()) == before


def test_an_agreement_of_others_is_as_unknown_as_none(world):
    body = world.body()
    other = world.brook.client().post("/api/requests/", body, format="json")
    none = world.brook.client().post(
        "/api/requests/", {**body, "agreement": "agr-2222222222222"}, format="json"
    )
    assert other.status_code == none.status_code == 400
    assert other.content == none.content


def test_a_retired_dataset_is_not_listed_any_more(world):
    who = {"by": world.steward, "at": world.at + timedelta(seconds=1), "via": Via.COMMAND}
    dataset = catalogue.create_dataset(
        name="second-cases",
        title="Second cases",
        holder=world.holder,
        board=world.dataset.board,
        **who,
    )
    listed = world.delta.client().get("/api/datasets/").json()["results"]
    catalogue.retire_dataset(dataset=dataset, **{**who, "by": world.warden})
    after = world.delta.client().get("/api/datasets/").json()["results"]
    assert dataset.ref in {row["ref"] for row in listed}
    assert dataset.ref not in {row["ref"] for row in after}


def test_the_catalogue_names_fields_and_counts_nothing(world):
    rows = world.delta.client().get("/api/datasets/").json()["results"]
    found = next(row for row in rows if row["ref"] == world.dataset.ref)
    assert found["holder"] == world.holder.ref
    assert [field["name"] for field in found["fields"]] == ["age_band", "region", "story"]
    assert [field["narrative"] for field in found["fields"]] == [False, False, True]
    assert set(found) == {"ref", "name", "title", "holder", "state", "fields"}
    assert set(found["fields"][0]) == {"name", "type", "category", "sensitivity", "narrative"}


def test_a_list_is_read_page_by_page_without_a_gap_or_a_double(world, monkeypatch):
    monkeypatch.setattr(pages, "SIZE", 2)
    for _ in range(3):
        world.approved()
    client, address, seen = world.delta.client(), "/api/requests/", []
    while address:
        page = client.get(address).json()
        assert len(page["results"]) <= 2
        seen += [row["ref"] for row in page["results"]]
        address = page["next"]
    own = AccessRequest.objects.filter(requester=world.delta.organisation).order_by("-pk")
    assert seen == list(own.values_list("ref", flat=True))


def test_a_page_goes_on_where_it_stopped_whatever_was_added_meanwhile(world, monkeypatch):
    monkeypatch.setattr(pages, "SIZE", 2)
    for _ in range(3):
        world.approved()
    client = world.delta.client()
    first = client.get("/api/requests/").json()
    shown = [row["ref"] for row in client.get(first["next"]).json()["results"]]
    world.approved()
    assert [row["ref"] for row in client.get(first["next"]).json()["results"]] == shown


def test_a_cursor_is_good_for_its_own_list_and_organisation_only(world, monkeypatch):
    monkeypatch.setattr(pages, "SIZE", 1)
    for _ in range(2):
        world.approved()
    after = world.delta.client().get("/api/requests/").json()["next"].split("?")[1]
    assert world.delta.client().get(f"/api/requests/?{after}").status_code == 200
    assert world.delta.client().get(f"/api/releases/?{after}").status_code == 400
    assert world.brook.client().get(f"/api/requests/?{after}").status_code == 400
    assert world.delta.client().get(f"/api/requests/?{after[:-1]}").status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "req-2222222222222"},
        {"cursor": "x" * 500},
        {"cursor": "\x00"},
        {"cursor": ""},
        {"cursor": "WyJyZXEtMjIyMjIyMjIyMjIyMiJd:" + "x" * 43},
        {"before": "req-2222222222222"},
        {"page": "2"},
        {"cursor[]": "1"},
    ],
)
@pytest.mark.parametrize("address", ["requests", "releases", "datasets"])
def test_a_page_that_is_not_there_is_refused(world, address, query):
    response = world.delta.client().get(f"/api/{address}/", query)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


def test_asking_for_the_rows_answers_202_and_where_to_look(world):
    request = world.approved()
    client = world.delta.client()

    response = client.post(f"/api/requests/{request.ref}/releases/")

    release = Release.objects.get(ref=response.json()["ref"])
    assert response.status_code == 202
    assert response["Location"] == f"/api/releases/{release.ref}/"
    assert response["Retry-After"] == "2"
    assert (release.request, release.asked_by) == (request, world.delta.machine)
    polled = client.get(response["Location"])
    assert polled.status_code == 202
    assert polled.json() == response.json()
    assert polled.json()["state"] == "waiting"
    assert polled.json()["rows"] is polled.json()["parts"] is None
    assert polled["Retry-After"] == "2"


def test_a_request_that_was_not_approved_gives_no_release(world):
    made = world.delta.client().post("/api/requests/", world.body(), format="json").json()
    before = Release.objects.count()
    response = world.delta.client().post(f"/api/requests/{made['ref']}/releases/")
    assert response.status_code == 409
    assert response.json()["code"] == "not_approved"
    assert Release.objects.count() == before


def test_a_refusal_names_its_grounds_by_their_codes(world):
    request = world.approved()
    who = {"by": world.warden, "at": timezone.now(), "via": Via.COMMAND}
    agreements.suspend(agreement=world.agreement, **who)
    try:
        release = world.prepared(request)
    finally:
        agreements.resume(agreement=world.agreement, **who)

    told = world.delta.client().get(f"/api/releases/{release.ref}/").json()

    assert told["state"] == "refused"
    assert told["grounds"] == ["agreement_suspended"]
    assert told["rows"] is told["rows_withheld"] is told["parts"] is None
    assert world.delta.client().get(f"/api/releases/{release.ref}/manifest/").status_code == 410


DEEP = "[" * 60_000 + "]" * 60_000
JUNK = {
    "nothing": "",
    "no JSON": "{",
    "a list": "[]",
    "a text": '"' + CANARY + '"',
    "a number": "7",
    "null": "null",
    "no names": '{"": 1}',
    "deep nesting": DEEP,
    "deep nesting in a field": '{"fields": ' + DEEP + "}",
    "a deep object": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "NUL": '{"dataset": "\\u0000"}',
    "NUL in a name": '{"\\u0000": "x"}',
    "half a character": '{"reason": "\\ud800"}',
    "half a character in a name": '{"\\udfff": 1}',
    "bytes that are no text": b'{"reason": "\xff\xfe"}',
    "UTF-16": '{"reason": "x"}'.encode("utf-16"),
    "NaN": '{"reason": NaN}',
    "a very long number": '{"reason": ' + "9" * 10_000 + "}",
    "a very long text": json.dumps({"reason": "x" * 200_000}),
    "a very long name": json.dumps({"x" * 200_000: 1}),
    "a body that is too large": json.dumps({"reason": "x" * 300_000}),
    "many names": json.dumps({f"name{n}": n for n in range(5_000)}),
    "many fields": json.dumps({"fields": ["x"] * 20_000}),
    "the same name twice": '{"dataset": "a", "dataset": "b"}',
    "values of other types": json.dumps(
        {name: {"a": [CANARY]} for name in ["dataset", "fields", "starts", "format"]}
    ),
    "times beyond the calendar": json.dumps(
        {"starts": "99999-01-01T00:00:00Z", "ends": "2026-13-45T99:99:99Z"}
    ),
    "a bypass": json.dumps({"skip_board": True, "by": "usr-1", "via": "desk", "state": "approved"}),
}
TYPES = [
    "application/json",
    "application/json; charset=utf-16",
    "application/json; charset=bz2",
    "application/json; charset=\xff",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/csv",
    "x" * 5000,
    "",
]


@pytest.mark.parametrize("junk", JUNK)
def test_junk_is_refused_and_changes_nothing(world, junk):
    request = AccessRequest.objects.filter(requester=world.delta.organisation).first()
    request = request or world.approved()
    body = JUNK[junk]
    before = AccessRequest.objects.count(), Release.objects.count(), Entry.objects.count()
    asking = world.delta.client()
    for address in ("/api/requests/", f"/api/requests/{request.ref}/releases/"):
        for kind in TYPES:
            if not body and address != "/api/requests/":
                continue  # asking for rows needs no body
            response = asking.generic("POST", address, body, content_type=kind)
            told = response.content.decode()
            assert 400 <= response.status_code < 500, (kind, told)
            assert response["Content-Type"] == "application/problem+json"
            assert CANARY not in told
            assert len(told) < 20_000
    after = AccessRequest.objects.count(), Release.objects.count(), Entry.objects.count()
    assert after == before


def test_junk_refused_is_refused_before_the_size_of_the_body_matters(world):
    body = b'{"reason": "' + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}'
    response = world.delta.client().generic(
        "POST", "/api/requests/", body, content_type="application/json"
    )
    assert response.status_code == 413
    assert response.json()["code"] == "too_large"


def test_a_form_of_a_browser_is_not_read(world):
    client = Client(headers={"authorization": f"Bearer {world.delta.secret}"})
    response = client.post("/api/requests/", world.body(fields="age_band"))
    assert response.status_code == 415


def test_no_list_no_answer_and_no_error_holds_a_row(world):
    request = world.approved()
    release = world.prepared(request)
    client = world.delta.client()
    addresses = [
        "datasets/",
        "requests/",
        "releases/",
        f"requests/{request.ref}/",
        f"releases/{release.ref}/",
        f"releases/{release.ref}/manifest/",
        f"releases/{release.ref}/parts/9/",
        "log/checkpoint",
        "nowhere/",
    ]
    for address in addresses:
        response = client.get(f"/api/{address}")
        body = b"".join(response) if response.streaming else response.content
        assert response.status_code in (200, 404)
        assert CANARY.encode() not in body, address
        assert b"18-24" not in body, address


def test_an_unforeseen_error_answers_500_as_json_without_its_words(world, monkeypatch):
    monkeypatch.setattr(pages, "SIZE", CANARY)  # no number
    response = world.delta.client().get("/api/requests/")
    assert response.status_code == 500
    assert response.json()["code"] == "internal"
    assert CANARY not in response.content.decode()
