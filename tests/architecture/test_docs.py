"""Pages of the documentation: generated ones are current, and what a page points at is there."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls.resolvers import RoutePattern

import api.urls
from config import journal
from governance.rules import arrivals_page, transitions_page
from release.management.commands import rotate_key
from tests.architecture.source import BASE
from tests.spec import decision, speaking

REFERENCE = BASE / "docs" / "reference"
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")

# Every page under docs/reference and what draws it.
DRAWN: dict[str, Callable[[], str]] = {
    "transitions.md": transitions_page,
    "people.md": arrivals_page,
    "decision.md": decision.page,
    "journal.md": journal.page,
    "speaking.md": speaking.page,
}

# Pages under docs/reference that are written by hand, each with its reason.
WRITTEN: dict[str, str] = {
    "keys.md": "says what else to do; the commands, reasons and tests in it are held against the code",
    "api.md": "says what a caller should do; the addresses in it are held against the code below",
}


def pages() -> list[Path]:
    return sorted([*BASE.glob("*.md"), *(BASE / "docs").rglob("*.md")])


def test_every_reference_page_is_drawn_from_the_code_or_listed_with_a_reason():
    assert {path.name for path in REFERENCE.glob("*.md")} == set(DRAWN) | set(WRITTEN)


def test_the_page_of_the_machines_door_names_exactly_its_addresses():
    page = (REFERENCE / "api.md").read_text(encoding="utf-8")
    named = {
        re.sub(r"<[^>]*>", "<>", address)
        for address in re.findall(r"^\| `/(api/[^`]*)`", page, re.MULTILINE)
    }
    routes = {
        "api/" + re.sub(r"<[^>]*>", "<>", str(pattern.pattern))
        for pattern in api.urls.urlpatterns
        if isinstance(pattern.pattern, RoutePattern)
    }
    assert named == routes


def test_the_page_of_keys_names_every_key_that_a_command_rotates_and_the_reason_of_its_entry():
    page = (REFERENCE / "keys.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| ")][1:]
    commands = {name for row in rows for name in re.findall(r"`rotate_key (\w+)", row[3])}
    assert commands == set(rotate_key.KEYS)
    reasons = {row[6].split("`")[1] for row in rows if "`" in row[6] and ":" not in row[6]}
    assert reasons == commands | {"second-factors"}
    for row in rows:
        for pointer in re.findall(r"`([^`]+)`", row[7]):
            path, _, function = pointer.partition("::")
            assert f"def {function}" in (BASE / path).read_text(encoding="utf-8"), pointer


@pytest.mark.parametrize("name", DRAWN)
def test_a_reference_page_is_current(name):
    assert (REFERENCE / name).read_text(encoding="utf-8") == DRAWN[name]()


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(BASE)))
def test_what_a_page_links_to_is_there(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", ["promises.md", "law.md"])
def test_every_row_names_code_and_tests_that_exist(name):
    """| what | code | tests |: every word in code marks is a file, or a file::test."""
    rows = [
        line
        for line in (BASE / "docs" / name).read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and "`" in line
    ]
    assert rows
    for row in rows:
        code, tests = (cell.strip() for cell in row.strip("| ").split("|")[-2:])
        assert "`tests/" in tests, row
        for pointer in re.findall(r"`([^`]+)`", f"{code} {tests}"):
            path, _, function = pointer.partition("::")
            assert (BASE / path).exists(), pointer
            if function:
                source = (BASE / path).read_text(encoding="utf-8")
                assert f"def {function}(" in source, pointer


def test_every_command_of_the_makefile_is_listed_by_help():
    text = (BASE / "Makefile").read_text(encoding="utf-8")
    listed = set(re.findall(r"^([a-z]+):.*## ", text, re.MULTILINE))
    assert {"demo", "run", "test", "check", "bench", "faults", "lock", "help"} <= listed
