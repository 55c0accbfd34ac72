"""`make portal-report`, what stands still: styles, script and words, read as they lie in their files."""

import gzip
import re
from pathlib import Path

import polib
import pytest
from django.conf import settings as deployment

from tests.architecture.source import BASE
from tests.functional.conftest import Ours

pytestmark = pytest.mark.goals
LOOK = BASE / "portal" / "static" / "look"


def test_script(ours: Ours) -> None:
    script = BASE / "portal" / "static" / "portal" / "leave.js"
    size = len(gzip.compress(script.read_bytes()))
    ours("weight of the script", "2 KB compressed", f"{size} bytes", size <= 2048)


def test_translation(ours: Ours) -> None:
    po = polib.pofile(str(Path(deployment.BASE_DIR) / "locale/es/LC_MESSAGES/django.po"))
    left = len(po.untranslated_entries()) + len(po.fuzzy_entries())
    ours("translation", "0 untranslated or doubtful", left, left == 0)


def test_sides(ours: Ours) -> None:
    sided = re.compile(r"\b(left|right)\b(?=[^;{}]*[:;])")
    found = [
        f"{path.name}: {line.strip()}"
        for path in LOOK.glob("*.css")
        for line in re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S).splitlines()
        if sided.search(line)
    ]
    ours("left and right in styles", "0", len(found), not found)


def test_contrast(ours: Ours) -> None:
    """Body text on every ground it stands on, in both schemes."""
    css = (LOOK / "tokens.css").read_text(encoding="utf-8")
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    colours = re.compile(r"--([\w-]+): (#[0-9a-f]{6})")
    schemes = {"light": dict(colours.findall(light))}
    schemes["dark"] = {**schemes["light"], **dict(colours.findall(dark))}
    found = {
        f"{text} on {ground}, {name}": ratio(scheme[text], scheme[ground])
        for name, scheme in schemes.items()
        for text, grounds in BODY.items()
        for ground in grounds
    }
    worst = min(found, key=lambda each: found[each])
    ours("contrast of text", "7:1", f"{found[worst]:.1f} ({worst})", found[worst] >= 7)


GROUNDS = ("paper", "card")
BODY = {
    "ink": (*GROUNDS, "accent-tint", "good-tint", "wait-tint", "stop-tint"),
    "ink-soft": GROUNDS,
    "accent": GROUNDS,
    "accent-ink": ("accent",),
    "good": ("good-tint",),
    "wait": ("wait-tint",),
    "stop": ("stop-tint",),
}


def ratio(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two colours."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    first, second = sorted((light(one), light(other)))
    return (second + 0.05) / (first + 0.05)
