"""What the database role of this very connection may do, and what of it is too much."""

from django.db import connection

from common.errors import Fault

ROLE = """
SELECT r.rolsuper, r.rolbypassrls,
    EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')
              AND pg_has_role(r.oid, c.relowner, 'USAGE'))
FROM pg_roles r WHERE r.rolname = current_user
"""


SUPERUSER = Fault(
    "database_superuser",
    "The service is connected as a superuser of the database, who can change the log and lift its "
    "triggers. Connect as the app role: run `manage.py dbroles` once as the superuser.",
)
OWNER = Fault(
    "database_owner",
    "The service is connected as an owner of its tables, who can lift their triggers. Connect as "
    "the app role: run `manage.py dbroles` once as the superuser; only `migrate` runs as the owner.",
)


def role_faults() -> list[Fault]:
    """What stands against running the service with this role; nothing on SQLite, which has none."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(ROLE)
        superuser, bypasses, owns = cursor.fetchone()
    if superuser or bypasses:
        return [SUPERUSER]
    return [OWNER] if owns else []


def may_number() -> bool:
    """Whether this role may number entries: on PostgreSQL the sequencer's alone, where roles are
    apart."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_column_privilege('audit_entry', 'seq', 'UPDATE') "
            "AND has_table_privilege('audit_node', 'INSERT')"
        )
        return bool(cursor.fetchone()[0])
