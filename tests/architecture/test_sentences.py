"""Every refusal is a sentence that can be told in the reader's language, and every deed is guarded."""

import ast
import importlib
import inspect
import typing
from collections.abc import Iterator
from typing import Any

import pytest

from common import inputs
from tests import nasty
from tests.architecture.source import BASE, actions, python_files, tree
from tests.architecture.test_trail import INSIDE, public

REFUSALS = {"RuleBroken", "BadInput", "NotPermitted", "NotReady", "Void", "Problem", "Fault"}
# Where only an operator ever reads a refusal, at a terminal, each with its reason.
TERMINAL: dict[str, str] = {
    "audit/queries/footing.py": "a process does not start",
    "audit/queries/roles.py": "a process does not start",
    "common/keysources.py": "only whoever looks after the keys can do anything about it",
    "governance/actions/filing.py": "the file of noes is looked after at a terminal",
    "governance/queries/noes.py": "the gate says it in other words to whoever asks",
    "governance/storage.py": "the gate says it in other words to whoever asks",
    "release/actions/backups.py": "a backup is made and restored by a command",
    "release/actions/resealing.py": "a key is rotated by a command",
    "release/engine/databases.py": "a backup is made and restored by a command",
    "release/actions/loading/": "a file is loaded by a command",
    "release/actions/versions.py": "a file is loaded by a command",
    "release/rules/mapping.py": "a mapping is read by a command",
    "release/rules/values.py": "the report of a load, written by a command",
    "consent/actions/imports.py": "papers are imported by a command",
    "consent/actions/papers/": "papers are imported by a command",
    "governance/actions/standard.py": "the catalogue is loaded by a command",
}
# Calls whose sentence was made elsewhere: a name that stands for one.
MADE = {"told", "fault", "joined", "_"}


def refusals() -> Iterator[tuple[str, ast.expr]]:
    """Each place where a refusal is made, and the expression of its sentence."""
    for path in python_files():
        place = str(path.relative_to(BASE))
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and node.args:
                name = ast.unparse(node.func).rsplit(".", 1)[-1]
                hidden = isinstance(node.args[0], ast.Starred)
                if name in REFUSALS and (hidden or len(node.args) > 1):
                    yield f"{place}:{node.lineno}", node.args[0 if hidden else 1]


def translatable(sentence: ast.expr) -> bool:
    called = sentence.func if isinstance(sentence, ast.Call) else sentence
    return ast.unparse(called) in MADE


def test_every_refusal_can_be_told_in_the_readers_language():
    found = list(refusals())
    assert len(found) > 150
    bare = [
        place
        for place, sentence in found
        if not translatable(sentence) and not place.startswith(tuple(TERMINAL))
    ]
    assert bare == []


def test_no_listed_place_is_stale():
    places = [place for place, sentence in refusals() if not translatable(sentence)]
    for listed in TERMINAL:
        assert any(place.startswith(listed) for place in places), listed


@pytest.mark.parametrize(
    ("source", "good"),
    [
        ('RuleBroken("x", _("This."))', True),
        ('RuleBroken("x", joined([_("This."), that]))', True),
        ('RuleBroken("x", "This.")', False),
        ('RuleBroken("x", f"This {that}.")', False),
        ("RuleBroken(*THIS)", False),
    ],
)
def test_a_bare_refusal_is_seen(source, good):
    call = ast.parse(source).body[0].value
    assert translatable(call.args[-1]) is good


# --- deeds ----------------------------------------------------------------------------------------

SELF_SAID = {"by", "at", "via"}  # who, when, through which door: said by the door itself
LOOKED = "what calls it has looked at it already"
# Public functions of actions that look at nothing first, each with its reason.
INNER: dict[str, str] = {
    "audit.actions.bursts.failed": "whatever is claimed is counted by its digest and kept nowhere",
    "audit.actions.feeding.await_quorum": "a number of the doors' own",
    "audit.actions.entries.record": "the entry's own rules refuse what is no opaque word",
    "audit.actions.sequencing.sequence": "a number of the clock's own",
    "audit.actions.sequencing.settle": "a number of the doors' own",
    "consent.actions.replaying.replay": "marks, which are compared with those of the file",
    "release.actions.shredding.replay": "marks, which are compared with those of the file",
    "consent.actions.afresh.ask_due": "a number of the clock's own",
    "consent.actions.endings.note_due": "a number of the clock's own",
    "consent.actions.liftings.settle_due": "a number of the clock's own",
    "consent.actions.proposals.ask_renewals": "a number of the clock's own",
    "consent.actions.questions.erase_due": "a number of the clock's own",
    "consent.actions.proposals.settle_due": "a number of the clock's own",
    "consent.actions.sets.added_later": LOOKED,
    "consent.actions.sets.versions_at": LOOKED,
    "governance.actions.details.sealed": LOOKED,
    "consent.actions.tagging.wait": "the key of the entry that the deed has just written",
    "oversight.actions.reviews.look": "where a page ended: two numbers that the door has read",
    "consent.actions.sets.category_set": LOOKED,
    "consent.actions.subjects.client_digest": "a digest of whatever is in a file",
    "consent.actions.subjects.enrol": "digests, made in large numbers",
    "governance.actions.boards.vacate": LOOKED,
    "governance.actions.filing.begin_anew": "a checkpoint, whose reader refuses what is none",
    "governance.actions.filing.keep": LOOKED,
    "governance.actions.filing.write_anew": "a slot of the deed's own",
    "governance.actions.invitations.close": LOOKED,
    "governance.actions.leaving.holdings": LOOKED,
    "governance.actions.categories.publish": "keys of rows that the deed has just read",
    "governance.actions.memberships.begin": LOOKED,
    "governance.actions.memberships.check_can_hold": LOOKED,
    "governance.actions.memberships.finish": LOOKED,
    "governance.actions.organisations.insert": LOOKED,
    "governance.actions.people.insert": LOOKED,
    "governance.actions.people.set_password": LOOKED,
    "governance.actions.scopes.closing": "a word that the deed has chosen",
    "governance.actions.scopes.repeating": "what the file of noes holds, sealed by ourselves",
    "governance.actions.machines.end_held": LOOKED,
    "governance.actions.tokens.close": LOOKED,
    "governance.actions.repeats.once": "the door has looked at the key; the rest it made itself",
    "governance.actions.scopes.ensure": "keys of rows that the deed has just read",
    "governance.actions.scopes.gate": "a number of the deed's own",
    "governance.actions.scopes.narrowing": "keys of rows that the deed has just read",
    "governance.actions.scopes.steady": "a key and a number of the deed's own",
    "governance.actions.scopes.steady_beside": "the same, and readings that a query has made",
    "governance.actions.trail.record": "words that the deed has chosen or looked at",
    "oversight.actions.looking.note": LOOKED,
    "release.actions.backups.make": "a path of the operator's own, looked at by the deed",
    "release.actions.backups.restore": "a path of the operator's own, looked at by the deed",
    "release.actions.handing.void": "a word of the vocabulary, chosen by the gate",
    "release.actions.keeping.beat": "the clock's own name",
    "release.actions.profiles.draft": "a path that the command has looked at; nothing is written",
    "release.actions.receiving.receive": "digests that the door made; the mapping is read later",
    "release.actions.receiving.refuse": "a code of ours",
    "release.actions.stopping.stopped": "a word of the vocabulary, chosen by who streams",
    "release.actions.versions.ingest_sent": "what was sent was digested on its way in",
    "release.actions.versions.quiet": "does nothing, on purpose",
}
# Texts and numbers without a limit of their own, each with its reason.
UNLIMITED: dict[tuple[str, str], str] = {
    ("release.actions.inquiries.answer", "request"): "read from the database by its holder",
    **{
        (
            f"oversight.actions.{deed}",
            "wanted",
        ): "each word of it is looked at, and compared with columns"
        for deed in ("cases.save_search", "looking.find", "looking.timeline")
    },
    ("consent.actions.consents.give", "signature"): "the rules say it with every other reason",
    ("consent.actions.consents.give", "answers"): "the rules say it with every other reason",
    ("consent.actions.consents.give", "authority"): "the rules say it with every other reason",
    ("consent.actions.terms.publish", "texts"): "the deed looks at each part, by the columns",
    ("consent.actions.imports.consents", "scope"): "the command puts a reference of ours there",
    ("consent.actions.imports.consents", "most_bad"): "a share, which the import compares",
    ("governance.actions.catalogue.define_fields", "fields"): "the rules say what a field may be",
    ("governance.actions.tokens.issue", "days"): "the deed says how long a token lasts",
    (
        "release.actions.versions.ingest",
        "limits",
    ): "the house's own numbers, which tests make small",
}


def told_things(deed: Any) -> dict[str, Any]:
    """The arguments of a deed that are texts, numbers, days, words, or hold such."""
    return {
        name: parameter.annotation
        for name, parameter in inspect.signature(deed).parameters.items()
        if name not in SELF_SAID and nasty.known(parameter.annotation)
    }


def told() -> dict[str, Any]:
    """Every public function of actions that is given such things, whoever calls it.

    Steps inside one deed apart: an architecture test of their own keeps doors away from them.
    """
    found = {}
    for module in actions():
        for function in public(module):
            deed = getattr(importlib.import_module(module.name), function)
            if not module.name.startswith(tuple(INSIDE)) and told_things(deed):
                found[f"{module.name}.{function}"] = deed
    return found


def guarded() -> dict[str, Any]:
    """Those that look at what they are given first, as all do that are not listed."""
    return {name: deed for name, deed in told().items() if name not in INNER}


def test_there_are_deeds_that_are_told_things():
    assert len(guarded()) > 20


@pytest.mark.parametrize("name", sorted(guarded()))
def test_every_deed_that_is_told_things_looks_at_them_first(name):
    assert hasattr(guarded()[name], "limits"), f"{name} is not `taking`"


@pytest.mark.parametrize("name", sorted(guarded()))
def test_every_text_and_number_of_a_deed_has_its_limit(name):
    deed = guarded()[name]
    for argument, kind in told_things(deed).items():
        if limited(kind) and argument not in deed.limits:
            assert (name, argument) in UNLIMITED, f"{name}({argument}) has no limit"


def limited(kind: Any) -> bool:
    if typing.get_origin(kind) in (*inputs.UNIONS, *inputs.MANY):
        return any(limited(inner) for inner in typing.get_args(kind))
    return kind in (str, int, float) or hasattr(kind, "__dataclass_fields__")


def test_no_listed_exception_of_a_limit_is_stale():
    deeds_now = guarded()
    for name, argument in UNLIMITED:
        assert argument in told_things(deeds_now[name]), (name, argument)
        assert argument not in deeds_now[name].limits, (name, argument)
    everything = told()
    assert set(INNER) <= set(everything)
    assert not [name for name in INNER if hasattr(everything[name], "limits")]
