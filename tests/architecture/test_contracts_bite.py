"""Each import contract catches what it is there for: the violation is planted in a copy."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.source import BASE, packages
from tests.architecture.test_ladder import CONTRACTS


@dataclass(frozen=True)
class Violation:
    contract: str
    file: str
    line: str = ""


VIOLATIONS = [
    Violation("ladder", "governance/queries/planted.py", "import consent.vocabulary"),
    Violation("ladder", "portal/planted.py", "import desk.planted_too"),
    Violation("ladder", "common/planted.py", "import audit.vocabulary"),
    Violation("ladder", "release/actions/planted.py", "import config.settings"),
    Violation("rungs", "governance/helpers.py"),
    Violation("rungs", "release/helpers.py"),
    Violation("rungs", "release/views.py"),
    Violation("rungs", "consent/signals.py"),
    Violation("rungs", "consent/models/planted.py", "import consent.actions"),
    Violation("rungs", "release/queries/planted.py", "import release.actions"),
    Violation("pure-rules", "release/rules/planted.py", "import django.db"),
    Violation("pure-rules", "governance/rules.py", "import governance.models"),
    Violation("pure-rules", "consent/rules/__init__.py", "import django.conf"),
    Violation("rungs-have-no-doors", "release/actions/planted.py", "import rest_framework"),
    Violation("survivors-door", "portal/planted.py", "import governance.actions"),
    Violation("survivors-door", "portal/planted.py", "import release.actions"),
    Violation("one-gate", "desk/planted.py", "import release.storage"),
    Violation("one-gate", "oversight/queries/planted.py", "import release.storage"),
    Violation("ladder", "release/queries/planted.py", "import oversight.vocabulary"),
    Violation("one-gate", "consent/queries/planted.py", "import duckdb"),
    Violation("one-way-into-the-trail", "release/actions/planted.py", "import audit.models"),
    Violation("guardian-behind-permissions", "release/queries/planted.py", "import guardian"),
    Violation("guardian-behind-permissions", "consent/actions/planted.py", "import guardian"),
    Violation("witness-stands-alone", "audit/tlog/planted.py", "import django"),
    Violation("witness-stands-alone", "audit/tlog/planted.py", "import audit.models"),
    Violation("witness-stands-alone", "audit/witness/planted.py", "import django"),
    Violation("witness-stands-alone", "audit/witness/planted.py", "import audit.queries"),
    Violation("witness-stands-alone", "audit/witness/planted.py", "import common.errors"),
    Violation("formats-below-the-witness", "audit/tlog/planted.py", "import audit.witness.store"),
    Violation("nobody-is-the-witness", "audit/actions/planted.py", "import audit.witness.store"),
    Violation("formats-never-write", "interop/planted.py", "import consent.actions.consents"),
    Violation("ladder", "oversight/queries/planted.py", "import interop.receipts"),
    Violation("one-gate", "interop/planted.py", "import release.storage"),
    Violation("no-circles", "governance/models/people.py", "import governance.models.boards"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    shutil.copy(BASE / "pyproject.toml", folder)
    for name in packages():
        shutil.copytree(
            BASE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    (folder / "desk" / "planted_too.py").touch()
    return folder


def lint(folder: Path) -> tuple[int, str]:
    ended = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "250", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_the_tree_keeps_every_contract(copy):
    code, said = lint(copy)
    assert code == 0, said


def test_every_contract_has_a_violation_planted():
    assert {one.contract for one in VIOLATIONS} == set(CONTRACTS)


@pytest.mark.parametrize("planted", VIOLATIONS, ids=lambda one: f"{one.contract}-{one.file}")
def test_a_planted_violation_breaks_its_contract(copy, planted):
    path = copy / planted.file
    if not path.parent.is_dir():
        pytest.skip(f"there is no {Path(planted.file).parent} to plant anything in yet")
    before = path.read_text(encoding="utf-8") if path.exists() else None
    try:
        path.write_text(f"{before or ''}\n{planted.line}\n", encoding="utf-8")
        code, said = lint(copy)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before, encoding="utf-8")
    assert code == 1, said
    assert f"{CONTRACTS[planted.contract]['name']} BROKEN" in said
