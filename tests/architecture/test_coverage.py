"""Every address and method that changes something, or shows what is kept of a person, leaves an entry.

The deeds themselves are held to it in test_trail.py; here are the doors. Read from the source: what a
view leads to with one method, followed through our own functions, has to reach the log, or stands
in a list with its reason.
"""

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from api.packages import Package
from tests.architecture import test_trail
from tests.architecture.source import Module, modules, reached, resolve

# A burst of failed sign-ins is written within the log itself.
RECORDS = {*test_trail.RECORDS, "audit.actions.entries.record"}
READS, CHANGES = "GET", {"POST", "PUT", "PATCH", "DELETE"}
DECORATORS = {
    "require_GET": {"GET"},
    "require_safe": {"GET"},
    "require_POST": {"POST"},
}
# What is kept of one person, row by row.
PERSONAL = {
    *(f"consent.models.{name}" for name in ("Consent", "ConsentEvent", "Objection", "Subject")),
    *(f"release.models.{name}" for name in ("Use", "Withheld", "StoredPart", "Presence")),
    "consent.models.SubjectKey",
    "release.storage.store",
}

# Changes without an entry, each with its reason.
NO_ENTRY: dict[str, str] = {
    **dict.fromkeys(
        ["DELETE metrics", "PATCH metrics", "POST metrics", "PUT metrics"],
        "the same figures whatever the method; it changes nothing",
    ),
    **dict.fromkeys(
        ["POST account_login", "PUT account_login", "POST mfa_authenticate"],
        "one sign-in is no deed; the library tells its signs of failing, and a burst is an entry "
        "(tests/integration/test_signin_bursts.py)",
    ),
    "POST account_logout": "ends a session, and with it nothing that anybody was granted",
    **dict.fromkeys(
        ["POST desk-anew", "POST desk-invited"],
        "shows a code, which this session keeps; the deed that it opens leaves the entry",
    ),
    "POST desk-language": "in which language this browser reads",
    "POST desk:replace-device": "opens the page of a new device; the device leaves the entry",
    "POST portal:asked_check": "shows once more what she chose; nothing is kept before she signs",
    "POST portal:choose_name": "a name that this session keeps; the deed it is for leaves the entry",
    "POST portal:paper": "this session forgets the codes that it showed; making them was the entry",
    "POST desk:clients": "leads to a page by client number; opening that page leaves the entry",
    "POST desk:yes-check": "shows once more what was chosen; nothing is kept before it is signed",
    "POST portal:hide_names": "this session shows numbers again instead of names",
    "POST portal:hide": "what her own pages show; nothing that is shared hangs on it",
    "POST portal:show": "the same",
    "POST portal:leave": "ends a session; who leaves in a hurry leaves no trace",
    "POST portal:sign_out": "the same, without hurry",
}
# Readings of what is kept of a person without an entry, each with its reason.
HERS: dict[str, str] = {
    **dict.fromkeys(
        [
            *("GET portal:home", "GET portal:details", "GET portal:done", "GET portal:history"),
            *("GET portal:resume", "GET portal:stop", "GET portal:slip", "GET portal:slip_copy"),
        ],
        "she reads what is kept of herself; that she looked is nobody's to know",
    ),
    **dict.fromkeys(
        [
            *("GET portal:asked",),
            *(f"GET portal:asked_{step}" for step in ("first", "no", "now", "back", "done")),
            *("GET portal:asked_check",),
        ],
        "she reads what she is asked, or what she said",
    ),
    "GET portal:hide": "she reads what is on her own pages",
    "GET portal:ask_words": "she reads what she asked and was answered",
    "GET desk:clients": "references, and which questions wait; opening either is on record",
    "GET portal:helpers": "she reads who helps her and who looked",
    "GET desk:work": "how many people, in bands; nobody in them is told",
    "GET portal:record": "she reads what is to become of her own record",
    "GET desk:speaking": "references and days: no number and no name, and only where one advises",
    "GET desk:wiping": "references, days and colleagues: no number, and only where one has a hand",
    "GET desk:wipe-agree": "what a colleague wrote for whoever may agree; agreeing is the entry",
    "GET desk:hold-lift": "the digest of a paper, for whoever may end the hold",
    "GET api:upload-report": "line numbers and what is wrong with them; no cell, and only to who sent it",
}


@dataclass(frozen=True)
class Place:
    """One address with one method: its name, and the function or class that answers."""

    name: str
    method: str
    view: Callable[..., Any] | type

    def __str__(self) -> str:
        return f"{self.method} {self.name}"


def patterns(resolver: URLResolver, spaces: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inside = f"{spaces}{pattern.namespace}:" if pattern.namespace else spaces
            yield from patterns(pattern, inside)
        else:
            yield f"{spaces}{pattern.name}", pattern


def places() -> list[Place]:
    return [
        Place(name, method, view)
        for name, pattern in patterns(get_resolver())
        for view in [answering(pattern.callback)]
        for method in sorted(methods_of(view))
    ]


def answering(callback: Any) -> Callable[..., Any] | type:
    """The class behind `as_view()`, or the function behind its decorators."""
    found = getattr(callback, "view_class", None) or getattr(callback, "cls", None)
    return found if isinstance(found, type) else inspect.unwrap(callback)


def methods_of(view: Callable[..., Any] | type) -> set[str]:
    every = {READS, *CHANGES}
    if isinstance(view, type):
        return {each for each in every if hasattr(view, each.lower())}
    module = modules()[view.__module__]
    return allowed(module.functions[view.__name__]) or every


def allowed(function: ast.FunctionDef) -> set[str]:
    """The methods that a view's decorators let through; empty where none says."""
    for each in function.decorator_list:
        if isinstance(each, ast.Name) and each.id in DECORATORS:
            return DECORATORS[each.id]
        if isinstance(each, ast.Call) and ast.unparse(each.func) == "require_http_methods":
            return set(ast.literal_eval(each.args[0])) - {"HEAD", "OPTIONS"}
    return set()


def leads_to(view: Callable[..., Any] | type, method: str) -> set[str]:
    """Every dotted name that a view leads to when it is asked with this method."""
    if isinstance(view, type):
        return of_class(view, method.lower())
    module = modules()[view.__module__]
    return of_function(module, module.functions[view.__name__], method)


def of_function(module: Module, function: ast.FunctionDef, method: str) -> set[str]:
    found = set[str]()
    for statement in statements(function.body, method):
        follow(module, statement, found)
    return found


def statements(body: list[ast.stmt], method: str) -> list[ast.stmt]:
    """What is done with this method, as far as `request.method` is asked at the outermost level."""
    kept: list[ast.stmt] = []
    for statement in body:
        asked = asks_for(statement) if isinstance(statement, ast.If) else None
        if not isinstance(statement, ast.If) or asked is None:
            kept.append(statement)
        elif asked == method:
            kept += [ast.Expr(statement.test), *statement.body]
            if isinstance(statement.body[-1], (ast.Return, ast.Raise)) and is_plain(statement):
                break
        else:
            kept += statement.orelse
    return kept


def asks_for(statement: ast.If) -> str | None:
    """The method that an `if` waits for, alone or with more after `and`."""
    test = statement.test
    first = (
        test.values[0] if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else test
    )
    match = ast.unparse(first)
    for method in (READS, *CHANGES):
        if match == f"request.method == '{method}'":
            return method
    return None


def is_plain(statement: ast.If) -> bool:
    return isinstance(statement.test, ast.Compare)


def follow(module: Module, node: ast.AST, found: set[str]) -> None:
    for inner in ast.walk(node):
        if isinstance(inner, (ast.Name, ast.Attribute)) and (name := module.meaning(inner)):
            found.add(name)
            target = resolve(name) or resolve(f"{module.name}.{name}")
            if target is not None:
                found |= reached(*target)


def of_class(view: type, method: str) -> set[str]:
    """The same for a class: its method and whatever of itself that calls, also what is inherited."""
    own = methods(view)
    found, waiting, seen = set[str](), [method], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in own:
            continue
        seen.add(name)
        module, function = own[name]
        follow(module, function, found)
        waiting += [
            inner.attr
            for inner in ast.walk(function)
            if isinstance(inner, ast.Attribute) and ast.unparse(inner.value) == "self"
        ]
    return found


def methods(view: type) -> dict[str, tuple[Module, ast.FunctionDef]]:
    """Its methods that stand in our own source, its bases' below its own."""
    found: dict[str, tuple[Module, ast.FunctionDef]] = {}
    for each in reversed(view.__mro__):
        module = modules().get(each.__module__)
        if module is None:
            continue
        for node in ast.walk(ast.parse(module.path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name == each.__name__:
                found |= {
                    one.name: (module, one) for one in node.body if isinstance(one, ast.FunctionDef)
                }
    return found


def logs(names: set[str]) -> bool:
    return any(record in names for record in RECORDS)


PLACES = places()
CHANGING = {str(place): place for place in PLACES if place.method in CHANGES}
READING = {
    str(place): place
    for place in PLACES
    if place.method == READS and leads_to(place.view, READS) & PERSONAL
}


def test_there_are_places_of_both_kinds_to_look_at():
    assert len(CHANGING) > 30
    assert {"GET api:package", "GET api:part", "GET portal:history"} <= set(READING)


@pytest.mark.parametrize("name", sorted(CHANGING))
def test_whatever_changes_something_leaves_an_entry_or_is_listed_with_a_reason(name):
    place = CHANGING[name]
    assert logs(leads_to(place.view, place.method)) != (name in NO_ENTRY)


@pytest.mark.parametrize("name", sorted(READING))
def test_whatever_shows_a_persons_rows_leaves_an_entry_or_is_listed_with_a_reason(name):
    assert logs(leads_to(READING[name].view, READS)) != (name in HERS)


def test_no_listed_exception_is_stale():
    assert set(NO_ENTRY) <= set(CHANGING)
    assert set(HERS) <= set(READING)


# --- planted --------------------------------------------------------------------------------------

PLANTED = """
from consent.actions import consents
from consent.models import Consent
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

@require_http_methods(["GET", "POST"])
def silent(request, ref):
    if request.method == "POST":
        Consent.objects.filter(ref=ref).update(signature="x")
    return render(request, "x.html", {})

@require_http_methods(["GET", "POST"])
def told(request, ref):
    consent = Consent.objects.get(ref=ref)
    if request.method == "GET":
        return render(request, "x.html", {"consent": consent})
    consents.withdraw(consent=consent, by=request.user, at=None, via="portal")
    return render(request, "x.html", {})
"""


@pytest.fixture
def planted(tmp_path):
    path = tmp_path / "planted.py"
    tree = ast.parse(PLANTED)
    names = {
        "consents": "consent.actions.consents",
        "Consent": "consent.models.Consent",
    }
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return Module(name="portal.planted", path=path, names=names, functions=functions)


def test_a_planted_view_that_changes_without_an_entry_is_seen(planted):
    assert allowed(planted.functions["silent"]) == {"GET", "POST"}
    assert not logs(of_function(planted, planted.functions["silent"], "POST"))
    assert logs(of_function(planted, planted.functions["told"], "POST"))


def test_a_planted_view_that_only_its_change_tells_the_log_is_seen_when_it_shows(planted):
    shown = of_function(planted, planted.functions["told"], "GET")
    assert shown & PERSONAL
    assert not logs(shown)
    assert not of_function(planted, planted.functions["silent"], "GET") & PERSONAL


class Told:
    """Stands for an endpoint whose deed a helper of its own does."""

    def post(self) -> None:
        self._do()

    def _do(self) -> None: ...


def test_a_method_that_a_class_inherits_is_followed():
    assert logs(of_class(Package, "get"))
    assert not logs(of_class(Told, "post"))
