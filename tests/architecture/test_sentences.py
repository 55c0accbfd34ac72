"""Every refusal is a sentence that can be told in the reader's language, and every deed is guarded."""

import ast
import importlib
import inspect
import typing
from collections.abc import Iterator
from typing import Any

import pytest

from common import inputs
from tests import nasty
from tests.architecture.source import BASE, python_files, tree
from tests.architecture.test_trail import NO_ENTRY, deeds

REFUSALS = {"RuleBroken", "BadInput", "NotPermitted", "NotReady", "Void", "Problem", "Fault"}
# Where only an operator ever reads a refusal, at a terminal, each with its reason.
TERMINAL: dict[str, str] = {
    "release/actions/loading/": "a file is loaded by a command",
    "release/actions/versions.py": "a file is loaded by a command",
    "release/rules/mapping.py": "a mapping is read by a command",
    "release/rules/values.py": "the report of a load, written by a command",
    "consent/actions/imports.py": "papers are imported by a command",
    "consent/actions/papers/": "papers are imported by a command",
    "governance/actions/standard.py": "the catalogue is loaded by a command",
}
# Calls whose sentence was made elsewhere: a name that stands for one.
MADE = {"told", "fault", "joined", "_"}


def refusals() -> Iterator[tuple[str, ast.expr]]:
    """Each place where a refusal is made, and the expression of its sentence."""
    for path in python_files():
        place = str(path.relative_to(BASE))
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and len(node.args) > 1:
                name = ast.unparse(node.func).rsplit(".", 1)[-1]
                if name in REFUSALS:
                    yield f"{place}:{node.lineno}", node.args[1]


def translatable(sentence: ast.expr) -> bool:
    called = sentence.func if isinstance(sentence, ast.Call) else sentence
    return ast.unparse(called) in MADE


def test_every_refusal_can_be_told_in_the_readers_language():
    found = list(refusals())
    assert len(found) > 150
    bare = [
        place
        for place, sentence in found
        if not translatable(sentence) and not place.startswith(tuple(TERMINAL))
    ]
    assert bare == []


def test_no_listed_place_is_stale():
    places = [place for place, sentence in refusals() if not translatable(sentence)]
    for listed in TERMINAL:
        assert any(place.startswith(listed) for place in places), listed


@pytest.mark.parametrize(
    ("source", "good"),
    [
        ('RuleBroken("x", _("This."))', True),
        ('RuleBroken("x", joined([_("This."), that]))', True),
        ('RuleBroken("x", "This.")', False),
        ('RuleBroken("x", f"This {that}.")', False),
    ],
)
def test_a_bare_refusal_is_seen(source, good):
    call = ast.parse(source).body[0].value
    assert translatable(call.args[1]) is good


# --- deeds ----------------------------------------------------------------------------------------

SELF_SAID = {"by", "at", "via"}  # who, when, through which door: said by the door itself
# Deeds that only other deeds call, with what they have looked at already.
INNER: dict[str, str] = {
    "governance.actions.categories.publish": "keys of rows that the deed has just read",
    "release.actions.handing.void": "a word of the vocabulary, chosen by the gate",
}
# Texts and numbers without a limit of their own, each with its reason.
UNLIMITED: dict[tuple[str, str], str] = {
    ("consent.actions.consents.give", "signature"): "the rules say it with every other reason",
    ("consent.actions.consents.give", "answers"): "the rules say it with every other reason",
    ("consent.actions.consents.give", "authority"): "the rules say it with every other reason",
    ("consent.actions.imports.consents", "scope"): "the command puts a reference of ours there",
    ("consent.actions.imports.consents", "most_bad"): "a share, which the import compares",
    ("governance.actions.catalogue.define_fields", "fields"): "the rules say what a field may be",
    ("governance.actions.tokens.issue", "days"): "the deed says how long a token lasts",
    ("release.actions.versions.ingest", "limits"): "the house's own numbers, which tests make small",
}


def told_things(deed: Any) -> dict[str, Any]:
    """The arguments of a deed that are texts, numbers, days, words, or hold such."""
    return {
        name: parameter.annotation
        for name, parameter in inspect.signature(deed).parameters.items()
        if name not in SELF_SAID and nasty.known(parameter.annotation)
    }


def guarded() -> dict[str, Any]:
    """Every deed that is given such things by a door."""
    found = {}
    for name, (module, function) in deeds().items():
        if name not in NO_ENTRY and name not in INNER:
            deed = getattr(importlib.import_module(module.name), function)
            if told_things(deed):
                found[name] = deed
    return found


def test_there_are_deeds_that_are_told_things():
    assert len(guarded()) > 20


@pytest.mark.parametrize("name", sorted(guarded()))
def test_every_deed_that_is_told_things_looks_at_them_first(name):
    assert hasattr(guarded()[name], "limits"), f"{name} is not `taking`"


@pytest.mark.parametrize("name", sorted(guarded()))
def test_every_text_and_number_of_a_deed_has_its_limit(name):
    deed = guarded()[name]
    for argument, kind in told_things(deed).items():
        if limited(kind) and argument not in deed.limits:
            assert (name, argument) in UNLIMITED, f"{name}({argument}) has no limit"


def limited(kind: Any) -> bool:
    if typing.get_origin(kind) in (*inputs.UNIONS, *inputs.MANY):
        return any(limited(inner) for inner in typing.get_args(kind))
    return kind in (str, int, float) or hasattr(kind, "__dataclass_fields__")


def test_no_listed_exception_of_a_limit_is_stale():
    deeds_now = guarded()
    for name, argument in UNLIMITED:
        assert argument in told_things(deeds_now[name]), (name, argument)
        assert argument not in deeds_now[name].limits, (name, argument)
    assert set(INNER) <= set(deeds())
