"""The change journal: which rows it keeps, how little of them, and that nothing goes round it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from auditlog.registry import auditlog
from django.apps import apps
from django.conf import settings
from django.db.models import Model
from django.utils.module_loading import import_string

from audit.rules import MASK, masked
from common.sensitivity import Sensitivity
from config.journal import JOURNALED, NOT_JOURNALED, Kept
from tests.architecture.source import Module, modules
from tests.factories import governance as made
from tests.factories import machines

HANDLE = "river-maple-41"

# Writes whose model cannot be told from the line itself, each with its reason.
UNTOLD: dict[str, str] = {
    "audit.actions.journal: type.bulk_create": "the one helper: it writes the journal itself",
    "governance.actions.scopes: scopes.update": "epochs of Scope, which is not journaled",
    "common.rows: INSERT INTO {}": "people, their words and events, which are not journaled",
    "common.rows: COPY {}": "people, their words and events, which are not journaled",
    "consent.actions.imports: still.update": "yeses that a paper replaces, which are not journaled",
}
# What of the journal library is used, and by whom; its context and middleware by nobody.
USES: dict[str, set[str]] = {
    "audit.models.journal": {
        "auditlog.models.AbstractLogEntry",
        "auditlog.models.LogEntryManager",
    },
    "audit.actions.journal": {"auditlog.diff.model_instance_diff"},
}
NEVER = {"password", "last_login", "data", "last_used_at", "language", "label"}


def model(label: str) -> type[Model]:
    found: type[Model] = apps.get_model(label)
    return found


def journaled() -> set[type[Model]]:
    return {model(label) for label in JOURNALED}


# --- what is kept ----------------------------------------------------------------------------


def test_every_model_is_journaled_or_says_why_not():
    labels = {one._meta.label for one in apps.get_models()}
    assert set(JOURNALED) | set(NOT_JOURNALED) == labels
    assert not set(JOURNALED) & set(NOT_JOURNALED)
    assert all([*(kept.why for kept in JOURNALED.values()), *NOT_JOURNALED.values()])


def test_exactly_the_journaled_models_are_registered_with_the_library():
    assert set(auditlog.get_models()) == journaled()


@pytest.mark.parametrize("label", JOURNALED)
def test_a_journaled_model_names_its_columns_one_by_one(label):
    """Without `include_fields` the library keeps every column there is and every one to come."""
    kept, known = JOURNALED[label], auditlog.get_model_fields(model(label))
    columns = {field.name for field in model(label)._meta.concrete_fields}
    assert kept.columns
    assert set(known["include_fields"]) == {*kept.columns, *kept.masked} <= columns
    assert set(known["mask_fields"]) == set(kept.masked)
    assert known["mask_callable"] is None  # the one of the settings, for all
    assert not auditlog._registry[model(label)]["m2m_fields"]
    assert not auditlog._registry[model(label)]["serialize_data"]


def tells_too_much(kept: Kept, sensitivity: dict[str, Sensitivity]) -> set[str]:
    """Columns kept in clear that are more than the inner workings; `ref` is how the log names."""
    open_ones = {Sensitivity.PUBLIC, Sensitivity.INTERNAL}
    return {
        name for name in kept.columns if name != "ref" and sensitivity[name] not in open_ones
    } | (NEVER & {*kept.columns, *kept.masked})


@pytest.mark.parametrize("label", JOURNALED)
def test_nothing_personal_and_no_secret_is_kept_in_clear(label):
    internal = dict.fromkeys(
        (field.name for field in model(label)._meta.concrete_fields), Sensitivity.INTERNAL
    )
    declared = getattr(model(label), "sensitivity", internal)
    assert tells_too_much(JOURNALED[label], declared) == set()


def test_a_column_that_tells_too_much_is_seen():
    user = model("governance.User").sensitivity
    token = model("governance.ApiToken").sensitivity
    assert tells_too_much(Kept(("ref", "username"), ""), user) == {"username"}
    assert tells_too_much(Kept(("kind",), "", masked=("password",)), user) == {"password"}
    assert tells_too_much(Kept(("digest",), ""), token) == {"digest"}


@pytest.mark.parametrize("value", ["", "x", "a secret of some length", "None"])
def test_the_mask_is_the_same_whatever_the_value(value):
    assert masked(value) == MASK
    assert import_string(settings.AUDITLOG_MASK_CALLABLE) is masked


MAKERS = {
    "Organisation": lambda: made.organisation(name=HANDLE),
    "User": lambda: made.user(username=HANDLE),
    "Membership": lambda: made.membership(user=made.user(username=HANDLE)),
    "RecipientKey": lambda: made.recipient_key(registered_by=made.user(username=HANDLE)),
    "ApiToken": lambda: made.api_token(label=HANDLE),
    "MachineClient": lambda: machines.machine_client(label=HANDLE),
    "ClientScope": lambda: machines.client_scope(),
    "ClientSecret": lambda: machines.client_secret(issued_by=made.user(username=HANDLE)),
    "DataCategory": lambda: made.category(code=HANDLE, label_en=HANDLE, description_en=HANDLE),
    "StandardField": lambda: made.standard_field(name=HANDLE, description=HANDLE),
    "Purpose": lambda: made.purpose(code=HANDLE, label_en=HANDLE),
    "Dataset": lambda: made.dataset(name=HANDLE, title=HANDLE),
    "Field": lambda: made.data_field(name=HANDLE.replace("-", "_")),
    "Board": lambda: made.board(name=HANDLE),
    "Charter": lambda: made.charter(board=made.board(name=HANDLE)),
    "Seat": lambda: made.seat(user=made.user(username=HANDLE)),
    "Agreement": lambda: made.agreement(title=HANDLE),
    "AccessRequest": lambda: made.access_request(reason=HANDLE, benefit=HANDLE),
    "OrganisationUserPermission": lambda: model("governance.OrganisationUserPermission")(pk=1),
    "BoardUserPermission": lambda: model("governance.BoardUserPermission")(pk=1),
}
OPAQUE = re.compile(r"[a-z]{3}-[0-9a-z]{13}|[a-z ]+ \d+")


def test_every_journaled_model_of_ours_is_made_below():
    ours = {label.split(".")[1] for label in JOURNALED if label.startswith("governance.")}
    assert ours == set(MAKERS)


@pytest.mark.django_db
@pytest.mark.parametrize("name", MAKERS)
def test_what_a_journaled_row_says_of_itself_is_an_opaque_word(name):
    assert OPAQUE.fullmatch(str(MAKERS[name]()))


# --- how the library is set ------------------------------------------------------------------


def test_the_library_keeps_no_address_and_nothing_that_strangers_write_into_headers():
    assert settings.AUDITLOG_DISABLE_REMOTE_ADDR is True
    assert not any("auditlog" in one for one in settings.MIDDLEWARE)
    kept = {field.name for field in model("audit.LogEntry")._meta.get_fields()}
    assert {"remote_addr", "remote_port", "actor_email"}.isdisjoint(kept)


def test_who_acts_is_said_right_after_the_session_is_known():
    order = settings.MIDDLEWARE
    assert order.index("config.acting.Acting") == 1 + order.index(
        "django.contrib.auth.middleware.AuthenticationMiddleware"
    )


def test_nobody_uses_the_librarys_own_actor_or_turns_it_off():
    """`set_actor` within `set_actor` loses the outer actor; `disable_auditlog` is a way round."""
    found = {
        name: {meaning for meaning in module.names.values() if meaning.startswith("auditlog")}
        for name, module in modules().items()
    }
    assert {name: names for name, names in found.items() if names} == USES


# --- nothing goes round it -------------------------------------------------------------------

BULK = {"bulk_create", "abulk_create", "bulk_update", "abulk_update", "_raw_delete"}
VERB = (
    r"\b(INSERT INTO|REPLACE INTO|(?<!FOR )UPDATE|DELETE FROM|TRUNCATE(?: TABLE)?|MERGE INTO|COPY)"
)
SQL = re.compile(VERB + r"\s+[\"']?([a-z_]+|\{\w*\}|%s)", re.IGNORECASE)
OPEN = re.compile(VERB + r" \Z()")  # the table is put behind it elsewhere


def root(node: ast.expr) -> ast.expr:
    """Where a chain of calls and attributes begins."""
    while isinstance(node, (ast.Attribute, ast.Call, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node


def silent_calls(module: Module, found: ast.AST) -> Iterator[tuple[str, str]]:
    """Calls that write rows and send no signal: what they begin with, and their name."""
    for node in ast.walk(found):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        # A query set's `update` takes its columns by name; a dictionary's or digest's does not.
        by_name = node.func.attr in {"update", "aupdate"} and node.keywords and not node.args
        if node.func.attr in BULK or by_name:
            yield module.meaning(root(node.func)), node.func.attr


def silent_sql(found: ast.AST) -> Iterator[tuple[str, str]]:
    """SQL that writes rows: the verb and the table, `{}` where that is filled in."""
    for node in ast.walk(found):
        text = ""
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        for verb, table in SQL.findall(text) + OPEN.findall(text):
            yield verb.upper(), table.lower() if table.isidentifier() else "{}"


def is_model(name: str) -> type[Model] | None:
    try:
        found = import_string(name)
    except ImportError:
        return None
    return found if isinstance(found, type) and issubclass(found, Model) else None


def ways_round(module: Module, found: ast.AST) -> set[str]:
    """Writes that the journal would not hear of, or of which the line does not tell."""
    wrong = set()
    for owner, name in silent_calls(module, found):
        written = is_model(owner)
        if written is None or written in journaled():
            wrong.add(f"{module.name}: {owner}.{name}")
    tables = {one._meta.db_table for one in journaled()} | {"{}"}
    wrong |= {
        f"{module.name}: {verb} {table}" for verb, table in silent_sql(found) if table in tables
    }
    return wrong


def everything() -> Iterator[tuple[Module, ast.AST]]:
    for module in modules().values():
        yield module, ast.parse(module.path.read_text(encoding="utf-8"))


def test_no_code_writes_journaled_rows_unheard():
    assert set().union(*(ways_round(*one) for one in everything())) == set(UNTOLD)


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("Organisation.objects.update(name='x')", True),
        ("Organisation.objects.filter(pk=1).exclude(pk=2).update(name='x')", True),
        ("Field.objects.bulk_create(rows)", True),
        ("Field.objects.bulk_update(rows, ['name'])", True),
        ("User.objects.all()._raw_delete('default')", True),
        ("rows.update(state='ended')", True),
        ("rows.filter(pk=1).update(**values)", True),
        ("agreement.requests.update(state='ended')", True),
        ("cursor.execute('UPDATE governance_user SET is_active = true')", True),
        ("cursor.execute(f'DELETE FROM {table}')", True),
        ("cursor.execute('INSERT INTO governance_seat VALUES (1)')", True),
        ("cursor.execute('insert into \"governance_seat\" values (1)')", True),
        ("cursor.execute('DELETE FROM ' + table)", True),
        ("cursor.execute('DELETE FROM {table}'.format(table=name))", True),
        ("cursor.execute('UPDATE %s SET x = 1' % table)", True),
        ("cursor.execute('TRUNCATE governance_membership')", True),
        ("Scope.objects.update(epoch=1)", False),
        ("ScopeMove.objects.bulk_create(rows)", False),
        ("cursor.execute('UPDATE audit_entry SET seq = 1')", False),
        ("cursor.execute('SELECT 1 FROM governance_user FOR UPDATE')", False),
        ("names.update(dict(rows))", False),
        ("digest.update(chunk)", False),
        ("user.save(update_fields=['is_active'])", False),
    ],
)
def test_a_way_round_the_journal_is_seen(line, seen):
    names = {
        name: f"governance.models.{name}"
        for name in ("Organisation", "Field", "User", "Scope", "ScopeMove")
    }
    module = Module(name="planted", path=Path("planted.py"), names=names)
    assert bool(ways_round(module, ast.parse(line))) == seen
