"""Draws what the reference pages say of the machines' door: the OpenAPI text and every code.

`python scripts/reference.py write` puts both in place; a test holds them against the code.
"""

import ast
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SAYSO_DEMO", "1")

import django  # noqa: E402 - the path and the settings come first
from django.apps import apps  # noqa: E402

if not apps.ready:
    django.setup()

from django.utils import translation  # noqa: E402

from api.errors import CHANGED, OF_A_PERSON  # noqa: E402
from api.schema import document  # noqa: E402
from release.rules import decide  # noqa: E402
from release.vocabulary import Ground, VoidGround  # noqa: E402

REFERENCE = BASE / "docs" / "reference"
OPENAPI = REFERENCE / "openapi.json"
PAGE = REFERENCE / "api.md"
BEGIN, END = "<!-- drawn: codes -->", "<!-- drawn until here -->"
OURS = ("api", "audit", "common", "consent", "governance", "oversight", "release")
STATUS = {
    "BadInput": 400,
    "TooManyBadRows": 400,
    "NotPermitted": 403,
    "RuleBroken": 409,
    "Fault": 409,
    "Void": 410,
    "Reused": 422,
    "NotReady": 503,
}
# What the door itself and its framework answer; the codes stand in api/errors.py.
FRAMEWORK = [
    (400, "bad_shape"),
    (400, "parse_error"),
    (400, "unreadable"),
    (401, "not_authenticated"),
    (401, "token_refused"),
    (403, "insufficient_scope"),
    (403, "not_permitted"),
    (404, "not_found"),
    (405, "method_not_allowed"),
    (413, "too_large"),
    (415, "unsupported_media_type"),
    (416, "range"),
    (429, "throttled"),
    (500, "internal"),
    (503, "database_unavailable"),
]


def openapi() -> str:
    return json.dumps(document(), indent=1, ensure_ascii=False, default=str) + "\n"


def codes() -> list[tuple[int, str]]:
    """Every (status, code) that anything below this door can raise, found in the source."""
    found = set(FRAMEWORK)
    for path in reached():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                found |= set(_raised(node))
    found |= {(410, ground.value) for ground in VoidGround if ground.value not in OF_A_PERSON}
    return sorted(found | {(410, CHANGED)})


def section() -> str:
    """The part of the page that is drawn."""
    told = codes()
    with translation.override("en"):
        grounds = [f"| `{each.value}` | {each.label} | {rule_of(each)} |" for each in Ground]
    lines = [
        BEGIN,
        "",
        "| status | codes |",
        "|---|---|",
        *(
            f"| {status} | {', '.join(f'`{code}`' for at, code in told if at == status)} |"
            for status in sorted({status for status, _ in told})
        ),
        "",
        "`grounds` of a refused release:",
        "",
        "| ground | what it means | rule |",
        "|---|---|---|",
        *grounds,
        "",
        END,
    ]
    return "\n".join(lines)


def rule_of(ground: Ground) -> str:
    return str(decide.RULES[ground])


def page() -> str:
    """The page with its drawn part as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    return before + section() + rest.split(END)[1]


def reached() -> list[Path]:
    """The files of every module that the door imports, however deep."""
    # What was sent is loaded by the clock; its codes stand in the answer to who sent it.
    loaded = BASE / "release" / "actions" / "uploads.py"
    waiting, seen = [*sorted((BASE / "api").glob("*.py")), loaded], set[Path]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        waiting += _imported(path)
    return sorted(seen)


def _imported(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.split(".")[0] in OURS:
                place = BASE.joinpath(*name.split("."))
                yield from (
                    each
                    for each in (place.with_suffix(".py"), place / "__init__.py")
                    if each.is_file()
                )


def _raised(node: ast.Call) -> Iterator[tuple[int, str]]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    words = [
        each.value if isinstance(each.value, str) else ""
        for each in node.args
        if isinstance(each, ast.Constant)
    ]
    if name == "_require" and words:
        yield 403, f"may_not_{words[0]}"
    elif name == "TooManyBadRows":
        yield 400, "too_many_bad_rows"
    elif name in STATUS and words and isinstance(node.args[0], ast.Constant):
        yield STATUS[name], str(words[0])


def main() -> int:
    if sys.argv[1:] != ["write"]:
        print(__doc__)
        return 2
    OPENAPI.write_text(openapi(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
