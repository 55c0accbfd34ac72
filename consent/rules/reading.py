"""How hard a text is to read. Pure.

Source: Flesch and Kincaid's grade for English (Kincaid et al. 1975); Fernández Huerta's reading ease
for Spanish (1959, with the constant 60 for syllables a word). Syllables are counted by vowels, as
programs do: a word may be one off, a paragraph hardly is.
"""

import re

CEILING_EN = 6.0  # a grade of school: this or lower
FLOOR_ES = 70.0  # of 100: this or higher


def grade_en(text: str) -> float:
    """Flesch and Kincaid's grade; lower is easier. Raises ValueError where there is no word."""
    words = re.findall(r"[A-Za-z]+(?:['’][A-Za-z]+)*", text)
    syllables = sum(_syllables_en(word.lower()) for word in words)
    return 0.39 * _each(len(words), _sentences(text)) + 11.8 * _each(syllables, len(words)) - 15.59


def ease_es(text: str) -> float:
    """Fernández Huerta's ease; higher is easier. Raises ValueError where there is no word."""
    words = re.findall(r"[^\W\d_]+", text)
    syllables = sum(_syllables_es(word.lower()) for word in words)
    return 206.84 - 60 * _each(syllables, len(words)) - 1.02 * _each(len(words), _sentences(text))


def measured(text: str, language: str) -> float | None:
    """The measure of this language, to one decimal; None for a language that has none here.

    Raises ValueError where there is no word.
    """
    if language == "en":
        return round(grade_en(text), 1)
    if language == "es":
        return round(ease_es(text), 1)
    return None


def too_hard(measure: float | None, language: str) -> bool:
    """Whether a text with this measure may not be published."""
    if measure is None:
        return False
    return measure > CEILING_EN if language == "en" else measure < FLOOR_ES


def _sentences(text: str) -> int:
    return max(1, len(re.findall(r"[.!?]+", text)))


def _each(count: int, among: int) -> float:
    if not among:
        raise ValueError("There is no word in this text.")
    return count / among


def _syllables_en(word: str) -> int:
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith("le") and groups > 1
    return max(1, groups - silent)


def _syllables_es(word: str) -> int:
    """Each strong vowel is one, and weak ones that stand beside none of these are one together."""
    strong = "aeoáéóíú"
    return max(1, len(re.findall(f"[{strong}]|(?<![{strong}])[iuü]+(?![{strong}])", word)))
