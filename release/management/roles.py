"""Who may do what in the database, on PostgreSQL: four roles, and no more for each than it needs.

owner: holds the tables; only `migrate` and `dbroles` run as it.
app: the doors, the clock and the commands. It cannot change, delete or empty what the triggers keep,
    lift a trigger, alter a table, or number the log.
sequencer: numbers the log and signs its head.
auditor: reads the log, nothing else.

What is append-only is read from the database's own triggers, so no list can fall behind them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper
from psycopg.sql import SQL, Composable, Identifier, Literal

ROLES = ("owner", "app", "sequencer", "auditor")
# The log's own tables, which only the sequencer writes once an entry is in.
NUMBERED = frozenset(["audit_entry"])
SIGNED = frozenset(["audit_node", "audit_checkpoint"])
# What shredding wipes in rows that otherwise stay; their triggers let go of nothing else.
WIPED: dict[str, str] = {"consent_consentevent": "UPDATE (by_id)"}
READ_ONLY = frozenset(["django_migrations"])
SEQUENCER: dict[str, str] = {
    "audit_entry": "SELECT, INSERT, UPDATE (seq)",
    "audit_node": "SELECT, INSERT",
    "audit_checkpoint": "SELECT, INSERT",
    "audit_logentry": "SELECT",
    "audit_journalwaiting": "SELECT, DELETE, UPDATE (row_id)",  # a row is locked before it goes
    "audit_journaldigest": "SELECT, INSERT",
    "django_content_type": "SELECT",
}
AUDITOR: dict[str, str] = {
    **dict.fromkeys(
        [
            "audit_entry",
            "audit_node",
            "audit_checkpoint",
            "audit_logentry",
            "audit_journalwaiting",
            "audit_journaldigest",
            "audit_cosignature",
            "audit_witnessstate",
            "audit_witnessfault",
        ],
        "SELECT",
    ),
    "django_content_type": "SELECT",  # the names of the kinds of rows in the change journal
}
# A trigger that refuses every row before it is touched: no condition, and a function that refuses.
KEPT = r"""
SELECT c.relname,
    bool_or(t.tgtype & 16 = 16) AS no_update,
    bool_or(t.tgtype & 8 = 8) AS no_delete
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND t.tgqual IS NULL AND t.tgtype & 3 = 3
    AND p.proname LIKE '%\_refuse' AND n.nspname = current_schema()
GROUP BY c.relname
"""
TABLES = """
SELECT c.relname, pg_get_userbyid(c.relowner) FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') ORDER BY c.relname
"""
FUNCTIONS = """
SELECT p.proname, pg_get_function_identity_arguments(p.oid), pg_get_userbyid(p.proowner)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = current_schema() AND NOT EXISTS (
    SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


@dataclass(frozen=True)
class Kept:
    """What the triggers of one table refuse altogether."""

    update: bool
    delete: bool


@dataclass(frozen=True)
class Database:
    """What is there to be granted, and who runs this."""

    name: str
    schema: str
    owner: str
    schema_owner: str
    superuser: bool
    tables: dict[str, str]
    functions: list[tuple[str, str, str]]
    kept: dict[str, Kept]
    roles: frozenset[str]


def read(cursor: CursorWrapper) -> Database:
    """The database as it is."""
    cursor.execute(
        "SELECT current_database(), current_schema(), pg_get_userbyid(d.datdba), "
        "(SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = current_schema()), "
        "(SELECT rolsuper FROM pg_roles WHERE rolname = current_user) "
        "FROM pg_database d WHERE datname = current_database()"
    )
    name, schema, owner, schema_owner, superuser = cursor.fetchone()
    cursor.execute(TABLES)
    tables = dict(cursor.fetchall())
    cursor.execute(FUNCTIONS)
    functions = list(cursor.fetchall())
    cursor.execute(KEPT)
    kept = {table: Kept(update, delete) for table, update, delete in cursor.fetchall()}
    cursor.execute("SELECT rolname FROM pg_roles")
    roles = frozenset(role for (role,) in cursor.fetchall())
    return Database(name, schema, owner, schema_owner, superuser, tables, functions, kept, roles)


def app_rights(table: str, kept: dict[str, Kept]) -> str:
    """What the app's role may do with this table."""
    if table in READ_ONLY | SIGNED:
        return "SELECT"
    refused = kept.get(table, Kept(update=False, delete=False))
    rights = ["SELECT", "INSERT"]
    if table in WIPED:
        rights.append(WIPED[table])
    elif not refused.update and table not in NUMBERED:
        rights.append("UPDATE")
    if not refused.delete:
        rights.append("DELETE")
    return ", ".join(rights)


def statements(found: Database, prefix: str) -> Iterator[Composable]:
    """Everything to be said to the database, in order; saying it twice changes nothing."""
    names = {role: f"{prefix}_{role}" for role in ROLES}
    for name in names.values():
        if name not in found.roles:
            yield SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(
                Identifier(name)
            )
    yield from _owning(found, names["owner"])
    yield from _nothing(found, names)
    yield from _granted(found, names)
    yield from _later(found, names)


def _owning(found: Database, owner: str) -> Iterator[Composable]:
    to = Identifier(owner)
    if found.owner != owner:
        yield SQL("ALTER DATABASE {} OWNER TO {}").format(Identifier(found.name), to)
    if found.schema_owner != owner:
        yield SQL("ALTER SCHEMA {} OWNER TO {}").format(Identifier(found.schema), to)
    for table, before in found.tables.items():
        if before != owner:
            yield SQL("ALTER TABLE {} OWNER TO {}").format(Identifier(table), to)
    for name, arguments, before in found.functions:
        if before != owner:
            yield SQL("ALTER FUNCTION {}({}) OWNER TO {}").format(
                Identifier(name),
                SQL(arguments),  # as PostgreSQL itself spells it
                to,
            )


def _nothing(found: Database, names: dict[str, str]) -> Iterator[Composable]:
    """First nothing to anybody; inside one transaction, so that nobody is ever without."""
    yield SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(Identifier(found.name))
    yield SQL("REVOKE ALL ON SCHEMA {} FROM PUBLIC").format(Identifier(found.schema))
    for kind in ("TABLES", "SEQUENCES"):
        for who in (SQL("PUBLIC"), *(Identifier(names[role]) for role in ROLES[1:])):
            yield SQL("REVOKE ALL ON ALL {} IN SCHEMA {} FROM {}").format(
                SQL(kind), Identifier(found.schema), who
            )


def _granted(found: Database, names: dict[str, str]) -> Iterator[Composable]:
    for role in ROLES[1:]:
        who = Identifier(names[role])
        yield SQL("GRANT CONNECT ON DATABASE {} TO {}").format(Identifier(found.name), who)
        yield SQL("GRANT USAGE ON SCHEMA {} TO {}").format(Identifier(found.schema), who)
    for role in ("app", "sequencer"):
        yield SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA {} TO {}").format(
            Identifier(found.schema), Identifier(names[role])
        )
    for table in found.tables:
        yield _grant(app_rights(table, found.kept), table, names["app"])
        if table in SEQUENCER:
            yield _grant(SEQUENCER[table], table, names["sequencer"])
        if table in AUDITOR:
            yield _grant(AUDITOR[table], table, names["auditor"])


def _grant(rights: str, table: str, role: str) -> Composable:
    return SQL("GRANT {} ON {} TO {}").format(SQL(rights), Identifier(table), Identifier(role))


def _later(found: Database, names: dict[str, str]) -> Iterator[Composable]:
    """A table of a later migration can be read and added to; more only when this has run again,
    since only then it is known what its triggers refuse."""
    for rights, kind in (("SELECT, INSERT", "TABLES"), ("USAGE", "SEQUENCES")):
        yield SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} GRANT {} ON {} TO {}").format(
            Identifier(names["owner"]),
            Identifier(found.schema),
            SQL(rights),
            SQL(kind),
            Identifier(names["app"]),
        )


def password(role: str, scrambled: str) -> Composable:
    """Set a password that was scrambled here: the server's own log never sees it in clear."""
    return SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(role), Literal(scrambled))
