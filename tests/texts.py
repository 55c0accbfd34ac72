"""Consent texts for tests: every part, in English and Spanish, as plain as has to be."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from consent.actions import terms
from consent.models import Terms
from consent.rules.texts import Piece, Written
from consent.vocabulary import Part

ENGLISH: Mapping[Part, str] = {
    Part.EASY: "You choose what they get. You can stop.",
    Part.WHAT: "You choose what is shared. You can say no. You can stop.",
    Part.WHOM: "It goes to one place. You see the name.",
    Part.WHY: "They want to learn what helps.",
    Part.UNTIL: "It ends on a day that you see.",
    Part.DELETE: "They must delete it in thirty days.",
    Part.RISKS: "What they got, they may still have.",
    Part.OTHER_WAYS: "You can tell them what you want to tell.",
    Part.SERVICES: "You get the same help if you say no.",
    Part.STOP: "Press the button to stop. Or tell the one who helps you.",
}
SPANISH: Mapping[Part, str] = {
    Part.EASY: "Usted elige lo que ven. Puede parar.",
    Part.WHAT: "Usted elige lo que se da. Puede decir no. Puede parar.",
    Part.WHOM: "Va a un lugar. Usted ve el nombre.",
    Part.WHY: "Quieren saber lo que ayuda.",
    Part.UNTIL: "Acaba en un día que usted ve.",
    Part.DELETE: "Lo deben borrar en un mes.",
    Part.RISKS: "Lo que ya tienen, lo pueden tener.",
    Part.OTHER_WAYS: "Usted les puede decir lo que quiera.",
    Part.SERVICES: "La ayuda es la misma si dice no.",
    Part.STOP: "Toque el botón para parar. O dígalo a quien le ayuda.",
}


def written(language: str = "en", **changes: str) -> Written:
    """A whole text; `changes`: the words of a part, or `title`."""
    parts = ENGLISH if language == "en" else SPANISH
    title = changes.pop("title", "What is shared" if language == "en" else "Lo que se da")
    words = {**parts, **{Part(name): text for name, text in changes.items()}}
    return Written(language, title, tuple(Piece(part, text) for part, text in words.items()))


def without(text: Written, part: Part) -> Written:
    return replace(text, pieces=tuple(each for each in text.pieces if each.part != part))


def both(**english: str) -> list[Written]:
    """In both languages; `english` changes parts of the English one."""
    return [written(**english), written("es")]


def publish(code: str = "sharing", **given: Any) -> Terms:
    """Published; gives the English one."""
    return terms.publish(**{"code": code, "texts": both(), "widens": True, **given})["en"]
