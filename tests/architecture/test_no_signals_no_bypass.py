"""The next step can be read: no signals, no flags that turn a guard off, no drawers."""

import ast
import re

from tests.architecture.source import BASE, python_files, tree

SIGNALS = ("django.dispatch", "django.db.models.signals", "django.core.signals", "blinker")
BYPASS = re.compile(
    r"^(skip|bypass|no_check|without_check|ignore_(permission|rule|audit)|force|log_action|silent)"
)
DRAWERS = {"utils.py", "helpers.py", "misc.py", "common.py", "signals.py", "services.py"}
LONGEST = 400

# Files longer than the house allows, each with its reason.
LONG: dict[str, str] = {
    "config/settings.py": "one settings file, read from the environment",
    "governance/permissions.py": "who may what, in one place that alone asks what was granted",
    "tests/architecture/test_constraints.py": "one table of constraints, and a row that breaks each",
    "tests/integration/test_canary.py": "one table of answers and commands, in one world",
    "tests/integration/test_desk_pages.py": "one table of pages and the world it walks",
    "tests/integration/test_gate_gaps.py": "every gap of one line, in one world",
    "tests/integration/test_ingest_spreadsheets.py": "one table of bad files",
    "tests/integration/test_log_guards_bite.py": "one table of guards and the harm behind each",
    "tests/integration/test_nasty_deeds.py": "one table of deeds, and what would be good in each",
    "tests/integration/test_nasty_forms.py": "one table of forms, and what would be good in each",
    "tests/integration/test_consent_append_only.py": "one table of what people said, and what stays",
    "tests/stateful/test_her_word.py": "one machine and all that can happen to her word",
    "tests/worlds.py": "one small world and all that can be done in it",
    "tests/integration/test_proposals.py": "one ask for a yes and all that can come of it",
    "tests/integration/test_reconcile.py": "one table of harms to what left, in one world that lived",
    "tests/integration/test_reconcile_words.py": "one table of harms to what was said and agreed",
    "tests/integration/test_governance_reviews.py": "one table of ballots and what comes of them",
}


def test_nothing_of_ours_listens_to_or_sends_signals():
    found = []
    for path in python_files():
        for node in ast.walk(tree(path)):
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            found += [f"{path.name}: {name}" for name in names if name.startswith(SIGNALS)]
    assert found == []


def test_no_argument_turns_a_guard_or_the_trail_off():
    found = []
    for path in python_files():
        for node in ast.walk(tree(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                every = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
                found += [
                    f"{path.relative_to(BASE)}: {node.name}({one.arg})"
                    for one in every
                    if BYPASS.match(one.arg)
                ]
    assert found == []


def test_the_pattern_of_bypass_flags_knows_one_when_it_sees_it():
    assert BYPASS.match("skip_permission_checks")
    assert not BYPASS.match("paused_until")


def test_no_file_is_a_drawer():
    assert [str(path) for path in python_files() if path.name in DRAWERS] == []


def test_no_file_is_longer_than_the_house_allows():
    found = {
        str(path.relative_to(BASE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in python_files("tests", "scripts") or ()
    } | {
        str(path.relative_to(BASE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in python_files()
    }
    assert {name for name, lines in found.items() if lines > LONGEST} == set(LONG)
