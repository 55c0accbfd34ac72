"""Words we do not use of ourselves stand in no template, text or page."""

import re
from dataclasses import dataclass
from pathlib import Path

import polib
import pytest

from tests.architecture.source import BASE

CLAIMS = BASE / "docs" / "claims.md"


@dataclass(frozen=True)
class Claim:
    word: str
    unless: tuple[str, ...]

    def stands_in(self, line: str) -> bool:
        found = re.search(rf"(?<![\w-]){re.escape(self.word)}(?![\w-])", line, re.IGNORECASE)
        return bool(found) and not any(phrase in line.lower() for phrase in self.unless)


def claims() -> list[Claim]:
    found = []
    for line in CLAIMS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and cells[0] not in ("word", "---"):
            unless = tuple(
                phrase.strip().lower() for phrase in cells[3].split(",") if phrase.strip()
            )
            found.append(Claim(cells[0], unless))
    return found


def pages() -> list[Path]:
    written = [*BASE.glob("*.md"), *(BASE / "docs").rglob("*.md")]
    shown = [*(BASE / "templates").rglob("*.*"), *(BASE / "governance" / "catalogue").glob("*")]
    return sorted(path for path in [*written, *shown] if path.is_file() and path != CLAIMS)


def lines() -> list[tuple[str, str]]:
    found = [
        (f"{path.relative_to(BASE)}:{number}", line)
        for path in pages()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    ]
    for catalogue in (BASE / "locale").rglob("*.po"):
        for entry in polib.pofile(str(catalogue)):
            for text in (entry.msgid, entry.msgstr, *entry.msgstr_plural.values()):
                found.append((f"{catalogue.relative_to(BASE)}: {entry.msgid}", text))
    return found


def test_the_list_has_words_and_there_are_pages_to_read():
    assert len(claims()) > 20
    assert len(pages()) > 10


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.word)
def test_a_word_we_do_not_use_of_ourselves_stands_nowhere(claim):
    assert [place for place, line in lines() if claim.stands_in(line)] == []


def test_a_claim_is_found_where_it_stands():
    claim = Claim("anonymous", ("not anonymous",))
    assert claim.stands_in("The data is Anonymous.")
    assert not claim.stands_in("The data is not anonymous.")
    assert not claim.stands_in("synonymous")
