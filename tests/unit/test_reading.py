"""How hard a text is to read, and what a consent text needs before it is published."""

import pytest

from consent.rules import reading
from consent.rules.texts import problems
from consent.vocabulary import Part
from tests import texts

HARD_EN = (
    "The organisation subsequently facilitates interdisciplinary coordination of individually "
    "identifiable information among participating institutional representatives."
)
HARD_ES = (
    "La organización posteriormente facilitará la coordinación interdisciplinaria de información "
    "individualmente identificable entre representantes institucionales participantes."
)


def test_the_grade_of_a_known_sentence():
    # 6 words, 1 sentence, 6 syllables: 0.39 * 6 + 11.8 * 1 - 15.59
    assert reading.grade_en("The cat sat on the mat.") == pytest.approx(-1.45)


def test_the_ease_of_a_known_sentence():
    # 4 words, 1 sentence, 7 syllables (u-ted is two): 206.84 - 60 * 7 / 4 - 1.02 * 4
    assert reading.ease_es("Usted puede decir no.") == pytest.approx(206.84 - 60 * 7 / 4 - 1.02 * 4)


@pytest.mark.parametrize(
    ("word", "syllables"),
    [("día", 2), ("que", 1), ("ayuda", 3), ("cuidado", 3), ("leer", 2), ("muy", 1), ("y", 1)],
)
def test_spanish_syllables_are_counted_by_their_vowels(word, syllables):
    assert reading.ease_es(word) == pytest.approx(206.84 - 60 * syllables - 1.02)


def test_at_the_ceiling_it_is_let_through_and_one_tenth_over_it_is_not():
    assert not reading.too_hard(6.0, "en")
    assert reading.too_hard(6.1, "en")
    assert not reading.too_hard(70.0, "es")
    assert reading.too_hard(69.9, "es")
    assert not reading.too_hard(None, "so")


def test_a_text_without_a_word_has_no_measure():
    with pytest.raises(ValueError, match="no word"):
        reading.measured("…", "en")
    assert reading.measured("Waad joojin kartaa.", "so") is None


def test_a_whole_text_in_both_languages_has_nothing_against_it():
    assert problems(texts.both()) == ()


@pytest.mark.parametrize("part", Part)
def test_each_part_that_is_missing_is_named(part):
    (found,) = problems([texts.without(texts.written(), part), texts.written("es")])
    assert found.code == "part_missing"
    assert str(part.label) in str(found.message)
    assert "“en”" in str(found.message)


@pytest.mark.parametrize(("language", "hard"), [("en", HARD_EN), ("es", HARD_ES)])
def test_a_part_that_is_too_hard_is_named_with_its_measure(language, hard):
    several = {each: texts.written(each) for each in ("en", "es")}
    several[language] = texts.written(language, risks=hard)
    (found,) = problems(list(several.values()))
    assert found.code == "part_too_hard"
    assert "What can happen" in str(found.message)
    assert f"“{language}”" in str(found.message)
    assert f"{reading.measured(hard, language):.1f}" in str(found.message)


def test_signs_alone_are_no_part():
    (found,) = problems([texts.written(why="… !"), texts.written("es")])
    assert found.code == "part_missing"


def test_both_languages_are_needed_and_each_once():
    assert [each.code for each in problems([texts.written()])] == ["language_missing"]
    twice = [texts.written(), *texts.both()]
    assert "language_twice" in [each.code for each in problems(twice)]
    assert problems([*texts.both(), texts.written("so")]) == ()


def test_what_is_shown_is_the_short_form_and_then_every_part_in_its_order():
    shown = texts.written().whole.split("\n\n")
    assert shown == [texts.ENGLISH[part] for part in Part]
    assert shown[0] == texts.ENGLISH[Part.EASY]
