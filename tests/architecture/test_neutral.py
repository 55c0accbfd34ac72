"""What a glance at a screen, a history or a folder shows tells nothing of anybody."""

import re

import pytest

from tests.architecture.source import BASE, text_files
from tests.architecture.test_doors import addresses

WORD = "traffick"  # in any form
TITLE = re.compile(r"<title>(.*?)</title>|{% block title %}(.*?){% endblock", re.DOTALL)
# A path on somebody's machine; the folder of a container is none.
MACHINE = re.compile(r"(?<![\w.$}])/(?:home|root|Users|work|workspace)/\w")


def test_no_address_names_what_happened_to_anybody():
    assert [one for one in addresses() if WORD in (one.path + one.name).lower()] == []


def test_no_page_title_names_what_happened_to_anybody():
    found = []
    for page in (BASE / "templates").rglob("*.html"):
        for title in TITLE.findall(page.read_text(encoding="utf-8")):
            found += [str(page) for part in title if WORD in part.lower()]
    assert found == []


def test_no_mail_names_what_happened_to_anybody():
    mails = sorted((BASE / "templates").rglob("*.txt"))
    assert [str(path) for path in mails if WORD in path.read_text(encoding="utf-8").lower()] == []


def test_no_file_name_names_what_happened_to_anybody():
    skipped = {".git", ".venv", "var", "__pycache__"}
    found = []
    for path in BASE.rglob("*"):
        inside = path.relative_to(BASE).parts
        if not skipped & set(inside) and WORD in path.name.lower():
            found.append(str(path))
    assert found == []


def test_no_file_names_a_path_on_somebodys_machine():
    found = []
    for path in text_files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if MACHINE.search(line):
                found.append(f"{path.relative_to(BASE)}:{number}")
    assert found == []


@pytest.mark.parametrize("folder", ["home", "root", "Users"])
def test_a_path_on_somebodys_machine_is_found(folder):
    assert MACHINE.search(f"open('/{folder}/key')")
