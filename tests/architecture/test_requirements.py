"""Dependencies: locked with hashes, tied to no mirror, each with a sentence."""

import re
import tomllib

import pytest

from tests.architecture.source import BASE

FOLDER = BASE / "requirements"
PROJECT = (BASE / "pyproject.toml").read_text(encoding="utf-8")


def wanted(name: str) -> list[str]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return sorted(line for line in lines if line and not line.startswith(("#", "-r ")))


def locked(name: str) -> list[str]:
    """The lock's requirements, each with its hashes on one line."""
    text = (FOLDER / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]


def normal(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[=~<>; ]", requirement)[0]).lower()


@pytest.mark.parametrize("name", ["base.in", "dev.in", "base.txt", "dev.txt"])
def test_no_file_of_requirements_names_an_address(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|--trusted-host|@ file", text)


@pytest.mark.parametrize("name", ["base.txt", "dev.txt"])
def test_every_locked_requirement_is_pinned_with_hashes(name):
    lines = locked(name)
    assert len(lines) > 20
    for line in lines:
        assert re.match(r"^[A-Za-z0-9_.\[\],-]+==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", line), line


@pytest.mark.parametrize(("source", "lock"), [("base.in", "base.txt"), ("dev.in", "dev.txt")])
def test_the_lock_holds_everything_that_is_asked_for(source, lock):
    assert {normal(line) for line in wanted(source)} <= {normal(line) for line in locked(lock)}


def test_the_locks_of_service_and_workshop_agree():
    service = {normal(line): line.split(" ")[0] for line in locked("base.txt")}
    workshop = {normal(line): line.split(" ")[0] for line in locked("dev.txt")}
    assert service.items() <= workshop.items()


def test_the_project_file_lists_what_is_asked_for():
    project = tomllib.loads(PROJECT)
    assert sorted(project["project"]["dependencies"]) == wanted("base.in")
    assert sorted(project["dependency-groups"]["dev"]) == wanted("dev.in")


def test_every_direct_dependency_has_a_sentence_that_says_why():
    lines = [line for line in PROJECT.splitlines() if re.match(r'^    "[A-Za-z]', line)]
    asked = set(wanted("base.in") + wanted("dev.in"))
    found = {}
    for line in lines:
        written = re.match(r'^    "([^"]+)",(?:  # (.+\.))?$', line)
        if written and written.group(1) in asked:
            found[written.group(1)] = written.group(2)
    assert set(found) == asked
    assert [name for name, sentence in found.items() if not sentence] == []
