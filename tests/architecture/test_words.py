"""No word of a vocabulary is forgotten where words are told apart."""

import ast
import importlib
from collections.abc import Mapping
from typing import Any

import pytest
from django.db.models import TextChoices

from release.vocabulary import Ground
from tests.architecture.source import BASE, modules, python_files, tree

RUNGS = {"audit", "governance", "consent", "release", "oversight"}


def matches() -> list[tuple[str, ast.Match]]:
    return [
        (f"{path.relative_to(BASE)}:{node.lineno}", node)
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Match)
    ]


def tells_words_apart(node: ast.Match) -> bool:
    return any(
        isinstance(inner, ast.MatchValue) and isinstance(inner.value, ast.Attribute)
        for case in node.cases
        for inner in ast.walk(case.pattern)
    )


def closes(node: ast.Match) -> bool:
    """The last case takes whatever is left, and says that nothing may be."""
    last = node.cases[-1]
    if not (isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None):
        return False
    return any(
        isinstance(inner, ast.Raise)
        or (isinstance(inner, ast.Call) and ast.unparse(inner.func).endswith("assert_never"))
        for statement in last.body
        for inner in ast.walk(statement)
    )


def test_every_match_over_words_ends_by_refusing_what_it_does_not_know():
    over_words = [(place, node) for place, node in matches() if tells_words_apart(node)]
    assert over_words, "somewhere words are told apart"
    assert [place for place, node in over_words if not closes(node)] == []


def test_every_other_match_says_what_happens_to_the_rest():
    rest = [
        place
        for place, node in matches()
        if not isinstance(node.cases[-1].pattern, ast.MatchAs)
        or node.cases[-1].pattern.pattern is not None
    ]
    assert rest == []


def tables() -> list[tuple[str, Mapping[Any, Any], type[TextChoices]]]:
    """Module-level tables of ours whose keys are all words of one vocabulary."""
    found = []
    for name in modules():
        if name.split(".")[0] not in RUNGS or "management" in name:
            continue
        module = importlib.import_module(name)
        for attribute, value in vars(module).items():
            if attribute.startswith("_") or not isinstance(value, Mapping) or not value:
                continue
            kinds = {type(key) for key in value}
            kind = next(iter(kinds))
            if len(kinds) == 1 and issubclass(kind, TextChoices):
                found.append((f"{name}.{attribute}", value, kind))
    return found


# Tables that hold only some words on purpose, each with its reason.
PARTIAL: dict[str, str] = {
    "governance.permissions.GRANTS": "a seat on a board gives its permission, not a membership",
    "consent.actions.drafts.CLOSED": "only some of what happens to an ask ends it without a yes",
    "consent.actions.drafts.ENTRIES": "an ask that became a yes stands under that yes's entry",
    "consent.actions.giving.FIRST": "only some of what happens to a yes begins one",
    "consent.queries.sets.NOT_YET": "only what a running yes can still be, besides run out",
    "release.rules.decide.STANDING_GROUNDS": "a yes in force is no ground to withhold",
    "release.rules.person.STANDING_GROUNDS": "the same table, for one person",
    "release.queries.standing.WHOLE": "only what stands against a whole release voids a package",
    "oversight.queries.releases.ANSWERS": "what waits has no answer yet",
    "oversight.rules.standing.AGREEMENT": "the rest of the log is not about agreements; a signature "
    "counts by its reason",
    "oversight.rules.agreed.REQUEST": "the rest of the log is not about requests; an answer counts by "
    "its decision",
    "oversight.rules.agreed.ANSWERS": "a board's answer is a yes or a no",
    "oversight.rules.ENDINGS": "only some of what happens to a yes ends it",
    "release.rules.mapping.BOUNDS": "only numbers and dates have a least and a most",
}


def test_every_table_of_words_has_them_all():
    gaps = {
        name: sorted(str(word) for word in set(kind) - set(value))
        for name, value, kind in tables()
        if name not in PARTIAL
    }
    assert {name: gap for name, gap in gaps.items() if gap} == {}


def test_no_listed_partial_table_is_stale():
    partial = {name for name, value, kind in tables() if set(kind) != set(value)}
    assert set(PARTIAL) <= partial


@pytest.mark.parametrize("ground", list(Ground))
def test_every_ground_names_the_rule_it_rests_on(ground):
    law = [value for _, value, kind in tables() if kind is Ground]
    assert law, "release.rules holds a table from every Ground to its R-rule"
    assert any(str(rules.get(ground, "")).startswith("R") for rules in law)


def test_every_word_is_unlike_every_other_of_its_vocabulary():
    for name, module in modules().items():
        if not name.endswith(".vocabulary"):
            continue
        loaded = importlib.import_module(name)
        for attribute in module.names:
            kind = getattr(loaded, attribute)
            if isinstance(kind, type) and issubclass(kind, TextChoices) and list(kind):
                assert len({word.value for word in kind}) == len(kind.__members__), attribute
