"""What could not be run is a sentence on somebody's own machine, and a failure where CI is true."""

import re

import pytest

from scripts.test import (
    BASE,
    BROWSERS,
    FAULTS,
    NO_CHROMIUM,
    NO_POSTGRESQL,
    SHORT,
    Missing,
    Pass,
    summary,
    without_a_browser,
)
from tests.faults.servers import MAY_NOT


def ran(name: str = "SQLite", **skipped: str) -> Pass:
    return Pass(name, passed={f"{name}::a"}, skipped=skipped)


LACKING: dict[str, tuple[list[Pass], list[Missing], str]] = {
    "PostgreSQL": ([ran()], [NO_POSTGRESQL], "The PostgreSQL pass"),
    "Chromium": ([ran()], [NO_CHROMIUM], "no Chromium"),
    "a fault run": ([ran(), ran(FAULTS, killed="needs redis-server")], [], "killed: needs redis"),
}


@pytest.mark.parametrize("what", LACKING)
def test_what_is_not_here_fails_in_continuous_integration_and_is_named(what, monkeypatch, capsys):
    passes, missing, named = LACKING[what]
    monkeypatch.setenv("CI", "true")
    assert summary(passes, missing, 1) == 1
    told = capsys.readouterr().out
    assert named in told.split("must not be missing")[1]
    assert "FAILED" in told


@pytest.mark.parametrize("what", LACKING)
def test_on_somebodys_own_machine_it_is_a_sentence(what, monkeypatch, capsys):
    passes, missing, named = LACKING[what]
    monkeypatch.delenv("CI", raising=False)
    assert summary(passes, missing, 1) == 0
    told = capsys.readouterr().out
    assert "must not be missing" not in told
    assert named.split(": ")[-1] in told


def test_what_was_chosen_or_needs_a_right_that_no_package_gives_fails_nowhere(monkeypatch):
    monkeypatch.setenv("CI", "true")
    passes = [ran(odd="needs SQLite"), ran(FAULTS, full=f"needs to mount a small disk, {MAY_NOT}")]
    assert summary(passes, [SHORT], 1) == 0


def test_a_pass_that_failed_fails_everywhere(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    assert summary([ran(), Pass("PostgreSQL", code=1)], [], 1) == 1


def test_each_folder_is_read_by_the_pass_that_runs_it():
    """Only the browser's pass reads tests/functional; nothing in it may wait for another."""
    assert BROWSERS not in without_a_browser()
    assert {"unit", "integration", "architecture", "stateful", "spec", FAULTS} <= {
        *without_a_browser()
    }
    for path in sorted((BASE / "tests" / BROWSERS).glob("test_*.py")):
        found = path.read_text(encoding="utf-8")
        (marks,) = re.findall(r"^pytestmark = (.*?)\n(?=\S|\n)", found, re.M | re.S)
        assert "mark.browser" in marks or "mark.goals" in marks, path.name
