"""Whatever makes less leave, or closes a way in, tells the file of noes, and can be said again.

Otherwise a restore could bring back what it ended.
"""

import ast
from collections.abc import Iterator

import pytest

from consent.actions.replaying import PERSONAL
from governance.actions.repeating import KINDS
from tests.architecture.source import Module, actions, modules

SCOPES = "governance.actions.scopes"
OPENING = {f"{SCOPES}.narrowing", f"{SCOPES}.closing"}
# The ways in which a row says that something has ended, or is less than it was.
COLUMNS = {
    *("ended_at", "ending", "paused_at", "retired_at", "revoked_at", "withdrawn_at", "shut_at"),
    *("is_active", "narrative"),
}
VERBS = {"SUSPEND", "END", "PAUSE", "RETIRE"}
REPEATED = {  # they read it out again
    *("governance.actions.repeating", "consent.actions.replaying"),
    *("consent.actions.helped_again", "consent.actions.speaking_again"),
}
# What opens such a transaction and says nothing in it itself.
OPENED_FOR_OTHERS: dict[str, str] = {
    "consent.actions.giving.widening": "what is recorded inside ends the older yes, which tells",
}
# What sets such a column and widens.
WIDENS: dict[str, str] = {
    "consent.actions.consents.resume": "her own yes again",
    "consent.actions.enrolment.recover": "she sets new words with a code from her advocate",
    "governance.actions.purposes.resume_purpose": "the purpose runs again",
    "governance.actions.resets.use": "she begins anew with both halves of her code",
}


def silent(module: Module, name: str) -> bool:
    """Whether neither it nor anything of its module that calls it tells the file."""
    return not any(tells(module, each) for each in [name, *callers(module, name)])


def callers(module: Module, name: str) -> list[str]:
    """The functions of the module that lead to this one."""
    own, found = f"{module.name}.{name}", [name]
    for each in found:
        found += [
            other
            for other, function in module.functions.items()
            if other not in found
            and (
                own in module.mentions(other)
                or any(
                    isinstance(node, ast.Name) and node.id == each for node in ast.walk(function)
                )
            )
        ]
    return found[1:]


def tells(module: Module, name: str, depth: int = 4) -> bool:
    """Whether a function, or one of ours that it calls, says `moment.tell(…)`."""
    function = module.functions[name]
    if any(isinstance(node, ast.Attribute) and node.attr == "tell" for node in ast.walk(function)):
        return True
    return depth > 0 and any(tells(*each, depth - 1) for each in called(module, name))


def called(module: Module, name: str) -> Iterator[tuple[Module, str]]:
    every = modules()
    for node in ast.walk(module.functions[name]):
        if isinstance(node, ast.Name) and node.id in module.functions and node.id != name:
            yield module, node.id
        elif isinstance(node, ast.Name | ast.Attribute):
            owner, _, member = module.meaning(node).rpartition(".")
            other = every.get(owner)
            if other and ".actions." in owner and owner != SCOPES and member in other.functions:
                yield other, member


def ending(function: ast.FunctionDef) -> set[str]:
    """The columns that a function sets to say that something ended."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            set_here = (inner for target in node.targets for inner in ast.walk(target))
            found |= {inner.attr for inner in set_here if isinstance(inner, ast.Attribute)}
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "update"
        ):
            found |= {str(keyword.arg) for keyword in node.keywords}
        if isinstance(node, ast.Attribute) and node.attr in VERBS:
            owner = node.value
            if isinstance(owner, ast.Name) and owner.id.endswith("Verb"):
                found.add("is_active")  # a step of a table of states
    return found & COLUMNS


def deeds() -> Iterator[tuple[Module, str]]:
    for module in actions():
        if module.name not in REPEATED and module.name.partition(".")[0] in (
            "consent",
            "governance",
        ):
            yield from ((module, name) for name in module.functions)


def test_every_deed_that_narrows_or_closes_tells_the_file_of_noes_what_it_is_about():
    opens = [
        (module, name)
        for module, name in deeds()
        if OPENING & module.mentions(name) and module.name != SCOPES
        if f"{module.name}.{name}" not in OPENED_FOR_OTHERS
    ]
    assert len(opens) > 15
    assert [f"{module.name}.{name}" for module, name in opens if silent(module, name)] == []


def test_whatever_sets_an_end_tells_the_file_of_noes_or_is_listed():
    ends = [(module, name) for module, name in deeds() if ending(module.functions[name])]
    assert len(ends) > 15
    quiet = {f"{module.name}.{name}" for module, name in ends if silent(module, name)}
    assert quiet == set(WIDENS)


def told() -> Iterator[str]:
    """Each thing that is told: `tell(what="…")`, and `{"what": "…"}` where such facts are made."""
    for name, module in modules().items():
        for node in (each for one in module.functions.values() for each in ast.walk(one)):
            words: list[ast.expr] = []
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr == "tell":
                    words = [each.value for each in node.keywords if each.arg == "what"]
            elif isinstance(node, ast.Dict) and name == "consent.queries.facts":
                pairs = zip(node.keys, node.values, strict=True)
                words = [
                    word
                    for key, word in pairs
                    if isinstance(key, ast.Constant) and key.value == "what"
                ]
            yield from (ast.literal_eval(word) for word in words)


def test_everything_that_is_told_can_be_said_again_and_nothing_else_is_known():
    assert set(told()) == PERSONAL | set(KINDS)
    assert not PERSONAL & set(KINDS)


PLANTED = """
from governance.actions import scopes
from governance.vocabulary import Narrowing

def quiet(*, thing, by, at, via):
    with scopes.narrowing(act=Narrowing.KEY_ENDED, recipients=[1]) as moment:
        thing.ended_at = moment.at

def step(*, thing, by, at, via):
    _step(thing, DatasetVerb.PAUSE)

def loud(*, thing, by, at, via):
    with scopes.narrowing(act=Narrowing.KEY_ENDED, recipients=[1]) as moment:
        thing.ended_at = moment.at
        moment.tell(what="key")
"""


@pytest.mark.parametrize(("name", "found"), [("quiet", True), ("step", True), ("loud", False)])
def test_a_planted_deed_that_does_not_tell_is_found(tmp_path, monkeypatch, name, found):
    monkeypatch.setattr("tests.architecture.source.BASE", tmp_path)
    path = tmp_path / "governance" / "actions" / "planted.py"
    path.parent.mkdir(parents=True)
    path.write_text(PLANTED)
    module = Module.read(path)
    assert ending(module.functions[name])
    assert silent(module, name) == found
