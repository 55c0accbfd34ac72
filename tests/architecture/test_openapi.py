"""What is written of the machines' door is what the door is."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

import api.urls
from api import examples
from api.schema import document
from audit.tlog.proofs import parse_proof
from release.rules import mapping
from release.vocabulary import Ground
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


def bodies() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Whatever is sent or answered: the operation, `request` or the status, and the content."""
    for methods in document()["paths"].values():
        for operation in methods.values():
            sent = {"request": operation["requestBody"]} if "requestBody" in operation else {}
            for place, body in {**sent, **operation["responses"]}.items():
                for content in body.get("content", {}).values():
                    yield operation["operationId"], place, content


def fits(value: object, schema: Mapping[str, Any]) -> list[str]:
    """What is wrong with this value, as a validator that is not ours says it."""
    whole = {**schema, "components": document()["components"]}
    checker = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in checker.iter_errors(value)]


def valued(example: Mapping[str, Any]) -> object:
    place = example.get("$ref", "").rpartition("/")[2]
    return (document()["components"]["examples"][place] if place else example)["value"]


def test_every_body_of_every_operation_has_examples_that_fit_it():
    seen = 0
    for name, place, content in bodies():
        assert content.get("examples"), (name, place)
        for example in content["examples"].values():
            seen += 1
            assert fits(valued(example), content["schema"]) == [], (name, place)
    assert seen > 250


def test_every_shape_has_examples_that_fit_it_and_leave_nothing_out():
    for name, shape in document()["components"]["schemas"].items():
        assert shape.get("examples"), name
        for example in shape["examples"]:
            assert fits(example, shape) == [], name
        if "properties" in shape:
            told = {key for example in shape["examples"] for key in example}
            assert told == set(shape["properties"]), name


def test_every_example_is_of_something_that_is_there():
    shapes = set(document()["components"]["schemas"])
    assert set(examples.SHAPES) == shapes
    assert {(name, place) for name, place, _ in bodies()} >= set(examples.BODIES)


def test_what_an_example_of_a_refusal_says_can_be_said():
    told = set(reference.codes())
    assert {(status, code) for status, (code, _) in examples.REFUSALS.items()} <= told


def test_the_example_of_a_mapping_is_one_and_that_of_a_proof_can_be_read():
    assert mapping.parse(examples.MAPPING.encode(), standard={}).fields
    assert parse_proof(examples.PROOF).index == examples.MANIFEST["entry_index"]
    grounds = {*examples.NO["grounds"], *examples.REFUSED["grounds"]}
    assert grounds <= {each.value for each in Ground}


def test_the_codes_hold_those_that_the_tests_meet():
    told = {code for _, code in reference.codes()}
    assert {"changed", "not_approved", "idempotency_key_reused", "may_not_steward"} <= told
    assert {"too_many_bad_rows", "insufficient_scope", "key_missing", "not_prepared"} <= told
    assert {"person_said_no", "consent_ended"}.isdisjoint(told)
