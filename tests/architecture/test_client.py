"""The client is a package of its own: the service does not know it, and it knows nothing of ours."""

import ast
import sys
import tomllib
from pathlib import Path

from tests.architecture.source import BASE, imported, packages, python_files, tree

CLIENT = BASE / "client" / "sayso_client"
PROJECT = tomllib.loads((BASE / "client" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LONGEST = 400


def files() -> list[Path]:
    return sorted(CLIENT.rglob("*.py"))


def tops(path: Path) -> set[str]:
    return {
        name.split(".")[0]
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in imported(node).values()
    }


def test_the_service_does_not_know_the_client():
    assert [str(path) for path in python_files() if "sayso_client" in tops(path)] == []


def test_the_client_knows_only_what_its_own_project_asks_for():
    asked = {line.split("~")[0] for line in PROJECT["dependencies"]}
    found = set().union(*(tops(path) for path in files()))
    foreign = found - set(sys.stdlib_module_names) - {"sayso_client"}
    assert foreign == asked
    assert foreign.isdisjoint(packages())


def test_no_file_of_the_client_is_longer_than_the_house_allows():
    assert files()
    assert [path.name for path in files() if len(path.read_text().splitlines()) > LONGEST] == []
