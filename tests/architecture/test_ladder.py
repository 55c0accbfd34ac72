"""Every part of the service stands in the import contracts."""

import tomllib
from typing import Any

from django.conf import settings

from tests.architecture.source import BASE, packages

LINTER: dict[str, Any] = tomllib.loads((BASE / "pyproject.toml").read_text(encoding="utf-8"))[
    "tool"
]["importlinter"]
CONTRACTS: dict[str, dict[str, Any]] = {one["id"]: one for one in LINTER["contracts"]}


def test_every_folder_with_code_is_a_root_package_of_the_contracts():
    assert sorted(LINTER["root_packages"]) == packages()


def test_every_package_has_its_rung_on_the_ladder():
    rungs = [name.strip() for layer in CONTRACTS["ladder"]["layers"] for name in layer.split("|")]
    assert sorted(rungs) == packages()


def test_every_package_with_deeds_has_the_stair_inside():
    with_deeds = {
        name
        for name in packages()
        if (BASE / name / "actions").is_dir() or (BASE / name / "actions.py").exists()
    }
    assert with_deeds == set(CONTRACTS["rungs"]["containers"])


def test_every_package_is_looked_at_for_circles():
    assert set(CONTRACTS["no-circles"]["ancestors"]) == set(packages()) - {"config"}


def test_every_app_of_ours_is_installed():
    apps = {name for name in packages() if (BASE / name / "apps.py").exists()}
    assert apps <= set(settings.INSTALLED_APPS)
