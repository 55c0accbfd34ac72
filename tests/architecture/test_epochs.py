"""Every act that narrows moves an epoch, and nothing else does."""

import ast

import pytest

from governance.vocabulary import Narrowing
from tests.architecture.source import Module, actions, modules, reached

NARROWING = "governance.actions.scopes.narrowing"

# Acts that no deed performs yet, each with its reason.
NOT_YET: dict[Narrowing, str] = {
    Narrowing.CONSENT_NARROWED: "a narrower yes is signed anew and supersedes the wider one",
}
# Deeds that lock a scope's row without moving it, each with its reason.
LOCKS_ONLY: dict[str, str] = {
    "governance.actions.people": "two first administrators cannot be made at once",
}


def acts() -> dict[Narrowing, set[str]]:
    """For each act, the deeds that move an epoch in its name."""
    found: dict[Narrowing, set[str]] = {}
    for module in actions():
        for name, function in module.functions.items():
            if not narrows(module, name):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Attribute):
                    meaning = module.meaning(node)
                    owner, _, member = meaning.rpartition(".")
                    if owner == "governance.vocabulary.Narrowing":
                        found.setdefault(Narrowing[member], set()).add(f"{module.name}.{name}")
    return found


def narrows(module: Module, name: str) -> bool:
    return NARROWING in reached(module, name)


@pytest.mark.parametrize("act", list(Narrowing))
def test_every_act_that_narrows_moves_an_epoch(act):
    assert bool(acts().get(act)) != (act in NOT_YET)


def test_every_deed_that_narrows_tells_the_file_of_noes_what_it_is_about():
    """Otherwise a restore could bring back what it ended, until somebody has seen to it by hand."""
    silent = []
    for module in actions():
        for name in module.functions:
            opens = (
                NARROWING in module.mentions(name) and module.name != "governance.actions.scopes"
            )
            users = [name, *callers(module, name)]
            if opens and not any(tells(module, user) for user in users):
                silent.append(f"{module.name}.{name}")
    assert silent == []


def callers(module: Module, name: str) -> list[str]:
    own = f"{module.name}.{name}"
    return [
        other
        for other, function in module.functions.items()
        if any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(function))
        or own in module.mentions(other)
    ]


def tells(module: Module, name: str, depth: int = 4) -> bool:
    """Whether a function, or one of the same module that it calls, says `moment.tell(…)`."""
    function = module.functions[name]
    if any(isinstance(node, ast.Attribute) and node.attr == "tell" for node in ast.walk(function)):
        return True
    called = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    inner = (called & set(module.functions)) - {name}
    return depth > 0 and any(tells(module, each, depth - 1) for each in inner)


def test_no_epoch_moves_without_the_lock():
    """Only governance.actions.scopes gets at a scope to write it; readings may look."""
    scopes = {"governance.models.Scope", "governance.models.ScopeMove"}
    users = {
        name
        for name, module in modules().items()
        if scopes & set(module.names.values()) and ".models" not in name and ".queries" not in name
    }
    assert users == {"governance.actions.scopes"} | set(LOCKS_ONLY)
