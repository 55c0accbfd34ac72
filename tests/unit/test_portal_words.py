"""The words of the survivors' pages: complete, neutral, plain, and in both languages."""

import gzip
import re
from pathlib import Path

import polib
import pytest
from django.conf import settings

from audit.vocabulary import EntryType
from consent.vocabulary import Happening
from portal.words import HAPPENED, SAID, WHY
from release.vocabulary import Ground, VoidGround

BASE = Path(settings.BASE_DIR)
TEMPLATES = [
    path
    for folder in ("portal", "errors", "components")
    for path in sorted((BASE / "templates" / folder).glob("*.html"))
] + [BASE / "templates" / "base.html"]
STYLES = sorted((BASE / "portal" / "static" / "look").glob("*.css"))
COMMENT = re.compile(r"{% comment %}.*?{% endcomment %}", re.S)
TRANSLATED = re.compile(r"{% blocktranslate.*?{% endblocktranslate %}", re.S)
TAG = re.compile(r"{%.*?%}|{{.*?}}|<[^>]*>", re.S)
PHYSICAL = re.compile(
    r"(margin|padding|border|scroll-margin|scroll-padding)-(left|right)\b"
    r"|(?<![-\w])(left|right)\s*:|(float|clear|text-align)\s*:\s*(left|right)"
    r"|border-(top|bottom)-(left|right)-radius|(margin|padding)-(inline|block)\s*:"
)


def test_every_ground_has_a_sentence_for_her() -> None:
    assert set(WHY) == set(Ground.values) | set(VoidGround.values)
    for words in WHY.values():
        assert str(words).endswith(".")


def test_whatever_she_can_say_has_a_sentence_in_her_list() -> None:
    objections = {each for each in EntryType.values if each.startswith("objection:")}
    asked = {"consent:signed", "consent:cancelled", "consent:lapsed"}  # of what she is asked for
    contested = {"correction:asked", "correction:decided"}
    consents = {f"consent:{each}" for each in Happening.values}
    assert set(SAID) == consents | objections | asked | contested
    for words in SAID.values():
        assert str(words).endswith(":")


def test_whatever_happens_to_a_yes_has_a_sentence_on_its_slip() -> None:
    assert set(HAPPENED) == set(Happening)
    for words in HAPPENED.values():
        assert str(words).endswith(".")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_word_in_a_template_escapes_translation(path: Path) -> None:
    left = TAG.sub(" ", TRANSLATED.sub(" ", COMMENT.sub(" ", path.read_text(encoding="utf-8"))))
    assert re.findall(r"[^\W\d_]{2,}", left) == []


def test_the_check_for_untranslated_words_bites() -> None:
    left = TAG.sub(" ", TRANSLATED.sub(" ", '<p title="x">Stop {% translate "now" %}</p>'))
    assert re.findall(r"[^\W\d_]{2,}", left) == ["Stop"]


def test_every_text_has_its_spanish_and_none_is_doubtful() -> None:
    catalogue = polib.pofile(str(BASE / "locale" / "es" / "LC_MESSAGES" / "django.po"))
    assert len(catalogue) > 100
    assert [entry.msgid for entry in catalogue.untranslated_entries()] == []
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []


def test_a_translation_keeps_the_places_for_numbers_and_days() -> None:
    catalogue = polib.pofile(str(BASE / "locale" / "es" / "LC_MESSAGES" / "django.po"))
    places = re.compile(r"%\(\w+\)s")
    for entry in catalogue:
        if entry.msgid_plural:  # "One request waits" needs no number
            *few, many = entry.msgstr_plural.values()
            wanted = set(places.findall(entry.msgid_plural))
            assert set(places.findall(many)) == wanted
            assert all(set(places.findall(each)) <= wanted for each in few)
        else:
            assert set(places.findall(entry.msgstr)) == set(places.findall(entry.msgid))


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_know_no_left_and_right_and_load_nothing(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
    assert [found.group(0) for found in PHYSICAL.finditer(text)] == []
    assert "url(" not in text
    assert "@import" not in text


def test_the_script_is_small() -> None:
    assert (BASE / "portal" / "static" / "portal" / "leave.js").stat().st_size < 512


def test_styles_of_a_survivors_page_weigh_little() -> None:
    whole = b"".join(
        gzip.compress((BASE / "portal" / "static" / "look" / name).read_bytes())
        for name in ("tokens.css", "base.css")
    )
    assert len(whole) < 5_000
