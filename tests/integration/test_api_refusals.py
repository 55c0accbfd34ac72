"""Every refusal of the machines' door is problem+json with a stable code and repeats no value."""

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions

from api.errors import handle
from api.requests import Requests
from common import errors
from common.errors import BadInput, NotPermitted, NotReady, RuleBroken, SaysoError, Void

CANARY = "violet-canary-9313"

REFUSALS = [
    (RuleBroken("over", "It is over."), 409, "over"),
    (BadInput("odd", "It is odd."), 400, "odd"),
    (NotReady("busy", "It is busy."), 503, "busy"),
    (Void("gone", "It is gone."), 410, "gone"),
    (NotPermitted("may_not", "You may not."), 403, "may_not"),
    (PermissionDenied(CANARY), 403, "not_permitted"),
    (Http404(CANARY), 404, "not_found"),
    (RequestDataTooBig(CANARY), 413, "too_large"),
    (SuspiciousOperation(CANARY), 400, "unreadable"),
    (UnreadablePostError(CANARY), 400, "unreadable"),
    (OperationalError(CANARY), 503, "database_unavailable"),
    (InterfaceError(CANARY), 503, "database_unavailable"),
    (exceptions.NotAuthenticated(), 401, "not_authenticated"),
    (exceptions.AuthenticationFailed("No.", code="token_refused"), 401, "token_refused"),
    (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
    (exceptions.UnsupportedMediaType("text/csv"), 415, "unsupported_media_type"),
    (exceptions.Throttled(wait=2.5), 429, "throttled"),
    (exceptions.ValidationError({"reason": ["Missing."]}), 400, "bad_shape"),
    (IntegrityError(CANARY), 500, "internal"),
    (ValueError(CANARY), 500, "internal"),
]


@pytest.mark.parametrize(
    ("error", "status", "code"), REFUSALS, ids=[type(error).__name__ for error, *_ in REFUSALS]
)
def test_a_refusal_has_its_status_and_code_and_repeats_nothing(db, error, status, code, caplog):
    response = handle(error, {})

    assert response.status_code == status == response.data["status"]
    assert response.data["code"] == code
    assert response.data["type"] == "about:blank"
    assert response.data["title"]
    assert response.data["detail"]
    assert response.content_type == "application/problem+json"
    assert CANARY not in str(response.data)
    assert CANARY not in caplog.text


def test_every_kind_of_error_of_ours_has_its_status():
    kinds = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    }
    told = {type(error) for error, *_ in REFUSALS}
    assert {kind for kind in kinds if kind.__module__ == errors.__name__} - {SaysoError} <= told


def test_an_unexpected_error_is_logged_by_its_place_and_not_by_its_words(db, caplog):
    with pytest.raises(ValueError, match=CANARY) as caught:
        int(CANARY)
    handle(caught.value, {})

    assert "ValueError" in caplog.text
    assert "test_api_refusals.py" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    ("error", "name", "value"),
    [
        (NotReady("busy", "It is busy."), "Retry-After", "5"),
        (OperationalError(), "Retry-After", "5"),
        (exceptions.Throttled(wait=2.5), "Retry-After", "4"),
    ],
)
def test_who_should_come_again_is_told_when(db, error, name, value):
    assert handle(error, {})[name] == value


GOOD = {
    "dataset": "dst-1",
    "purpose": "case-support",
    "agreement": "agr-1",
    "fields": ["age_band"],
    "reason": "to help",
    "benefit": "they are helped",
    "starts": "2026-01-01T00:00:00Z",
    "ends": "2026-02-01T00:00:00+01:00",
}


def test_the_good_request_is_good_so_that_its_mutants_mean_something():
    assert Requests.Input(data=GOOD).is_valid()


@pytest.mark.parametrize(
    ("changes", "where", "code"),
    [
        ({"dataset": None}, "dataset", "null"),
        ({"dataset": 7}, "dataset", "invalid"),
        ({"dataset": ["dst-1"]}, "dataset", "invalid"),
        ({"dataset": "x" * 33}, "dataset", "max_length"),
        ({"purpose": True}, "purpose", "invalid"),
        ({"reason": " "}, "reason", "blank"),
        ({"reason": "x" * 2001}, "reason", "max_length"),
        ({"benefit": {"a": CANARY}}, "benefit", "invalid"),
        ({"fields": []}, "fields", "empty"),
        ({"fields": "age_band"}, "fields", "not_a_list"),
        ({"fields": {"age_band": 1}}, "fields", "not_a_list"),
        ({"fields": ["age_band", 7]}, "fields.1", "invalid"),
        ({"fields": ["age_band", ["x"]]}, "fields.1", "invalid"),
        ({"fields": ["age_band"] * 501}, "fields", "max_length"),
        ({"format": CANARY}, "format", "invalid_choice"),
        ({"format": ["csv"]}, "format", "invalid_choice"),
        ({"format": {}}, "format", "invalid_choice"),
        ({"starts": CANARY}, "starts", "invalid"),
        ({"starts": "2026-01-01"}, "starts", "invalid"),
        ({"starts": "2026-01-01T00:00:00"}, "starts", "invalid"),
        ({"starts": "2026-02-31T00:00:00Z"}, "starts", "invalid"),
        ({"starts": 1767225600}, "starts", "invalid"),
        ({"ends": "0001-01-01T00:00:00+14:00"}, "ends", "overflow"),
        ({"ends": "9999-12-31T23:59:59-14:00"}, "ends", "overflow"),
        ({"skip_board": True}, "skip_board", "unknown"),
        ({"requester": "org-2"}, "requester", "unknown"),
    ],
)
def test_a_wrong_shape_says_where_it_is_wrong_and_repeats_no_value(changes, where, code):
    shape = Requests.Input(data={**GOOD, **changes})
    with pytest.raises(exceptions.ValidationError) as caught:
        shape.is_valid(raise_exception=True)

    told = handle(caught.value, {}).data["errors"]

    assert [(error["where"], error["code"]) for error in told] == [(where, code)]
    assert CANARY not in str(told)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_what_is_missing_is_named(name):
    shape = Requests.Input(data={key: value for key, value in GOOD.items() if key != name})
    assert not shape.is_valid()
    assert list(shape.errors) == [name]


@pytest.mark.parametrize("body", [None, [], "text", 7, True])
def test_a_body_that_is_no_object_is_refused_as_a_whole(body):
    with pytest.raises(exceptions.ValidationError) as caught:
        Requests.Input(data=body).is_valid(raise_exception=True)

    assert [error["where"] for error in handle(caught.value, {}).data["errors"]] == ["body"]
