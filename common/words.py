"""Sentences for people: English as they stand, and in the reader's language where a page tells them.

Machines, the log and the operator always read English, whatever language is spoken at that moment.
Import `sentence` as `_`, so that `make messages` gathers the texts.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, override

Piece = tuple[str, Mapping[str, Any]]


class Sentence(str):
    """A text in English that can also be told in the reader's language."""

    pieces: tuple[Piece, ...]

    def told(self) -> str:
        """In the language that is spoken now."""
        return " ".join(
            gettext(text) % {name: _told(value) for name, value in given.items()}
            if given
            else gettext(text)
            for text, given in self.pieces
        )


def sentence(text: str, **given: Any) -> Sentence:
    """One sentence; `%(name)s` in it stands for what is `given`, which may itself be translated."""
    return _made(((text, given),))


def joined(sentences: Iterable[str]) -> Sentence:
    """Several sentences, one after another."""
    pieces: list[Piece] = []
    for each in sentences:
        pieces += each.pieces if isinstance(each, Sentence) else (("%(text)s", {"text": each}),)
    return _made(tuple(pieces))


def told(message: str) -> str:
    """The message in the language that is spoken now, where it is a sentence of ours."""
    return message.told() if isinstance(message, Sentence) else message


def _told(value: Any) -> Any:
    return value.told() if isinstance(value, Sentence) else value


def _made(pieces: tuple[Piece, ...]) -> Sentence:
    found = Sentence(
        " ".join(
            text % {name: _in_english(value) for name, value in given.items()} if given else text
            for text, given in pieces
        )
    )
    found.pieces = pieces
    return found


def _in_english(value: Any) -> Any:
    """A word of a vocabulary is translated when it is written out."""
    if not isinstance(value, Promise):
        return value
    with override("en"):
        return str(value)
