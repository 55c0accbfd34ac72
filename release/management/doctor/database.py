"""The database: does it answer, as whom, and does it keep what it must keep."""

from collections.abc import Iterator
from datetime import timedelta

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from audit.queries import footing
from governance.queries import clock
from release.management import roles
from release.management.doctor import triggers
from release.management.doctor.findings import Finding, bad, look, well

DRIFT = timedelta(seconds=2)
OLDEST = {"postgresql": (15, 0), "sqlite": (3, 37, 0)}


def findings() -> Iterator[Finding]:
    """Raises DatabaseError where the database does not answer."""
    yield _version()
    yield _migrations()
    yield from _role()
    yield from _triggers()
    yield from _postgresql() if connection.vendor == "postgresql" else _sqlite()
    yield _drift()


def _one(statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def _version() -> Finding:
    found = connection.get_database_version()
    words = f"{connection.display_name} {'.'.join(map(str, found))}"
    if tuple(found) < OLDEST[connection.vendor]:
        return bad("database", f"{words} is too old.", "Use PostgreSQL 15 or newer.")
    return well("database", f"{words} answers.")


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        return bad(
            "migrations",
            f"{len(waiting)} migrations have not been applied.",
            "Run `manage.py migrate`; on PostgreSQL as the owner, then `manage.py dbroles`.",
        )
    return well("migrations", "Every migration has been applied.")


def _role() -> Iterator[Finding]:
    faults = footing.role_faults()
    for fault in faults:
        yield bad("database role", fault.says, "Run `manage.py dbroles`, connect as the app role.")
    if connection.vendor != "postgresql":
        yield look(
            "database role",
            "SQLite has no roles: whoever may write to its file may change the log.",
            "Fine for one small organisation; otherwise use PostgreSQL.",
        )
    elif not faults:
        yield well("database role", "The role is neither superuser nor owner.")
        yield from _rights()


def _rights() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        found = roles.read(cursor)
        missing, excess = [], []
        for table in found.tables:
            rights = roles.app_rights(table, found.kept).split(", ")
            wanted = {right for right in rights if "(" not in right}  # on the whole table
            for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER"):
                cursor.execute("SELECT has_table_privilege(%s, %s)", [table, right])
                has = cursor.fetchone()[0]
                if right in wanted and not has:
                    missing.append(table)
                elif has and right not in wanted:
                    excess.append(table)
    again = "Run `manage.py dbroles` as the owner; do so after every `migrate`."
    if excess:
        yield bad("database rights", f"Too much is allowed on {_few(excess)}.", again)
    if missing:
        yield bad("database rights", f"Something needed is not allowed on {_few(missing)}.", again)
    if not excess and not missing:
        yield well("database rights", "The role may do what it needs and nothing else.")


def _triggers() -> Iterator[Finding]:
    wanted, there = triggers.wanted(connection.vendor), triggers.there()
    gone = sorted({table for table, name in wanted - set(there)})
    asleep = sorted({table for (table, _), works in there.items() if not works})
    if gone:
        yield bad(
            "triggers",
            f"Triggers that keep things as they are were removed from {_few(gone)}.",
            "Find out who owns the database. Run `manage.py verify_log`; restore a backup.",
        )
    if asleep:
        yield bad(
            "triggers",
            f"Triggers were turned off on {_few(asleep)}.",
            "Find out who did it. ALTER TABLE … ENABLE TRIGGER ALL; run `manage.py verify_log`.",
        )
    if not gone and not asleep:
        yield well("triggers", f"All {len(wanted)} triggers are there and at work.")


SERVER: dict[str, tuple[str, str]] = {
    "default_transaction_isolation": (
        "read committed",
        "It is set by this service; something else sets it too. Look at ALTER ROLE … SET.",
    ),
    "synchronous_commit": ("on", "Turn it on: without it an acknowledged no can be lost."),
    "fsync": ("on", "Turn it on in postgresql.conf: without it a power cut loses the log."),
    "full_page_writes": ("on", "Turn it on in postgresql.conf."),
}


def _postgresql() -> Iterator[Finding]:
    for name, (wanted, do) in SERVER.items():
        found = _one(f"SHOW {name}")
        if found == wanted:
            yield well(f"postgresql {name}", f"{name} is {wanted}.")
        else:
            yield bad(f"postgresql {name}", f"{name} is {found}.", do)


def _sqlite() -> Iterator[Finding]:
    for name, wanted in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
        found = _one(f"PRAGMA {name}")
        if found == wanted:
            yield well(f"sqlite {name}", f"{name} is {wanted}.")
        else:
            yield bad(f"sqlite {name}", f"{name} is {found}.", "Put the file on a local disk.")


def _drift() -> Finding:
    before = timezone.now()
    apart = abs(clock.now() - before)
    if apart > DRIFT:
        return bad(
            "time",
            f"The database's clock and this machine's are {apart.total_seconds():.1f} s apart.",
            "Let both keep time (chrony or systemd-timesyncd).",
        )
    return well("time", "The database and this machine agree on the time.")


def _few(names: list[str]) -> str:
    every = sorted(set(names))
    return ", ".join(every[:4]) + (f" and {len(every) - 4} more" if len(every) > 4 else "")
