"""What a consent text needs before it may be published. Pure.

Source: 45 CFR 164.508(c) and 28 CFR 46.116 for what it has to say; R6, R10, R20 for the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.words import sentence as _
from consent.rules import Problem, reading
from consent.vocabulary import Part

LANGUAGES = ("en", "es")
"""Every version is published in both, and in whichever other languages there are beside them."""


@dataclass(frozen=True)
class Piece:
    """One part of a text, a paragraph."""

    part: Part
    text: str


@dataclass(frozen=True)
class Written:
    """One version of a text in one language, part by part."""

    language: str
    title: str
    pieces: tuple[Piece, ...]

    @property
    def parts(self) -> Mapping[Part, str]:
        return {Part(each.part): each.text.strip() for each in self.pieces}

    @property
    def whole(self) -> str:
        """What is shown, to the letter: the short form first, then each part in its order."""
        return "\n\n".join(self.parts[part] for part in Part if part in self.parts)


def measure(text: str, language: str) -> float | None:
    """How hard a part is to read; None where it has no word, or the language no measure."""
    try:
        return reading.measured(text, language)
    except ValueError:
        return None


def problems(texts: Sequence[Written]) -> tuple[Problem, ...]:
    """Everything that stands against publishing these together; none: they may be."""
    found = []
    languages = [each.language for each in texts]
    for language in LANGUAGES:
        if language not in languages:
            found.append(
                Problem(
                    "language_missing",
                    _("The text in “%(language)s” is missing. Write it too.", language=language),
                )
            )
    if len(set(languages)) < len(languages):
        found.append(Problem("language_twice", _("One language stands there twice. Take one out.")))
    for text in texts:
        found += _of_one(text)
    return tuple(found)


def _of_one(text: Written) -> list[Problem]:
    found = []
    for part in Part:
        words = text.parts.get(part, "")
        if not any(sign.isalpha() for sign in words):
            found.append(
                Problem(
                    "part_missing",
                    _(
                        "“%(part)s” is missing in “%(language)s”. Write it in plain words.",
                        part=part.label,
                        language=text.language,
                    ),
                )
            )
        elif reading.too_hard(measured := measure(words, text.language), text.language):
            found.append(_too_hard(text.language, part, f"{measured:.1f}"))
    return found


def _too_hard(language: str, part: Part, measured: str) -> Problem:
    said = {"part": part.label, "language": language, "measured": measured}
    if language == "en":
        return Problem(
            "part_too_hard",
            _(
                "“%(part)s” in “%(language)s” is too hard to read: grade %(measured)s, and 6 is the most. Use short words and short sentences.",
                **said,
            ),
        )
    return Problem(
        "part_too_hard",
        _(
            "“%(part)s” in “%(language)s” is too hard to read: ease %(measured)s, and 70 is the least. Use short words and short sentences.",
            **said,
        ),
    )
