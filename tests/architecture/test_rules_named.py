"""An entry names the rules that decided by what they say: none is missing, none changes unnoticed."""

import ast
import subprocess
from pathlib import Path

import pytest

from common import sources
from governance.rules import policies
from release.rules import policy
from tests.architecture.source import BASE, imported, modules, tree

NAMED = {
    "release/rules/policy.py, GATE_PUBLISHED": (
        policy.GATE_MODULES,
        policy.GATE_RULES,
        policy.GATE_PUBLISHED,
    ),
    "governance/rules/policies.py, BOARD_PUBLISHED": (
        policies.BOARD_MODULES,
        policies.BOARD_RULES,
        policies.BOARD_PUBLISHED,
    ),
}


def rules_behind(module: str) -> set[str]:
    """The modules of rules that it imports, itself or a name out of them."""
    names = {
        name
        for node in ast.walk(tree(sources.path_of(module)))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in imported(node).values()
    }
    owners = names | {name.rpartition(".")[0] for name in names}
    return {
        name
        for name in owners & set(modules())
        if name.split(".")[1:2] == ["rules"] and tree(sources.path_of(name)).body
    }


@pytest.mark.parametrize("where", NAMED)
def test_no_rule_that_decides_is_missing_among_those_that_are_named(where: str):
    listed = set(NAMED[where][0])
    assert set().union(*map(rules_behind, listed)) <= listed


@pytest.mark.parametrize("where", NAMED)
def test_the_rules_that_run_are_those_that_are_given_out(where: str):
    _modules, digest, published = NAMED[where]
    assert digest == published[-1], f"The rules changed. Put {digest} last into {where} (ADR 21)."
    assert len(set(published)) == len(published)


@pytest.mark.parametrize(
    ("where", "module"), [(where, module) for where in NAMED for module in NAMED[where][0]]
)
def test_a_rule_that_is_written_otherwise_is_another_digest(
    where: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    names, digest, _published = NAMED[where]
    for name in names:
        copy = tmp_path / sources.path_of(name).relative_to(BASE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(sources.path_of(name).read_bytes())
    monkeypatch.setattr(sources, "HERE", tmp_path)
    assert sources.digest(names) == digest
    with sources.path_of(module).open("ab") as file:
        file.write(b"\n")
    assert sources.digest(names) != digest


def test_anybody_makes_the_digest_again_with_nothing_of_ours():
    files = [str(sources.path_of(name).relative_to(BASE)) for name in policy.GATE_MODULES]
    each = subprocess.run(["sha256sum", *files], cwd=BASE, check=True, capture_output=True)
    whole = subprocess.run(["sha256sum"], input=each.stdout, check=True, capture_output=True)
    assert whole.stdout.decode().split()[0] == policy.GATE_RULES
