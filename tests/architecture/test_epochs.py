"""Every act that narrows moves an epoch, and nothing else does."""

import ast
from functools import cache

import pytest

from governance.vocabulary import Narrowing
from tests.architecture.source import Module, actions, modules, reached

NARROWING = "governance.actions.scopes.narrowing"

# Acts that no deed performs yet, each with its reason.
NOT_YET: dict[Narrowing, str] = {}
# Deeds that lock a scope's row without moving it, each with its reason.
LOCKS_ONLY: dict[str, str] = {
    "governance.actions.people": "two first administrators cannot be made at once",
}


@cache
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


def test_no_epoch_moves_without_the_lock():
    """Only governance.actions.scopes gets at a scope to write it; readings may look."""
    scopes = {"governance.models.Scope", "governance.models.ScopeMove"}
    users = {
        name
        for name, module in modules().items()
        if scopes & set(module.names.values()) and ".models" not in name and ".queries" not in name
    }
    assert users == {"governance.actions.scopes"} | set(LOCKS_ONLY)
