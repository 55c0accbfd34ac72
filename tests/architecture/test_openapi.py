"""What is written of the machines' door is what the door is."""

import json
from collections.abc import Iterator

import api.urls
from api.schema import document
from scripts import reference

# What a key would have answered as before, each with its reason.
NEVER_REPEATED: dict[str, str] = {
    "/api/oauth/token/": "RFC 6749 knows no such thing",
    "/api/decisions/": "a permit that is told again would be a permit that was kept",
}
OF_ANYBODY = {
    "/api/oauth/token/",
    "/api/log/checkpoint",
    "/api/log/tile/{level}/{tile}",
    "/api/log/verify_sayso.py",
}


def strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def test_the_description_in_the_pages_is_current():
    """`python scripts/reference.py write` puts it in place."""
    assert reference.OPENAPI.read_text(encoding="utf-8") == reference.openapi()


def test_the_codes_on_the_page_are_current():
    """`python scripts/reference.py write` puts them in place."""
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page()


def test_the_description_is_of_openapi_3_1_and_names_every_address():
    found = document()
    assert found["openapi"] == "3.1.0"
    addresses = {
        pattern.name
        for pattern in api.urls.urlpatterns
        if pattern.name not in {"unknown", "schema"}
    }
    assert len(found["paths"]) == len(addresses)


def test_every_operation_says_what_it_needs_and_how_it_refuses():
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], (path, method)
            statuses = set(operation["responses"])
            assert {"405", "429", "503"} <= statuses
            if path not in OF_ANYBODY:
                assert {"401", "403"} <= statuses
                assert operation["security"][0]["oauth"]
            if method == "post" and path not in NEVER_REPEATED:
                assert "422" in statuses
                assert "Idempotency-Key" in {each["name"] for each in operation["parameters"]}


def test_no_address_of_anybody_else_stands_in_the_description():
    assert [text for text in strings(document()) if "://" in text] == []
    assert json.loads(reference.openapi())["paths"]


def test_there_are_examples():
    text = reference.openapi()
    assert text.count('"examples"') >= 2


def test_the_codes_hold_those_that_the_tests_meet():
    told = {code for _, code in reference.codes()}
    assert {"changed", "not_approved", "idempotency_key_reused", "may_not_steward"} <= told
    assert {"too_many_bad_rows", "insufficient_scope", "key_missing", "not_prepared"} <= told
    assert {"person_said_no", "consent_ended"}.isdisjoint(told)
