"""On PostgreSQL each role may do what it needs and nothing else, and the whole line works so."""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction

from audit.actions import sequence
from audit.models import Entry
from audit.queries import roles as own_role
from consent.models import Consent
from release.management import roles
from release.vocabulary import ReleaseState
from tests.integration import api_world

pytestmark = [pytest.mark.postgresql_only, pytest.mark.database]
PREFIX = f"sayso_test_{os.getpid()}"
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
# Some of what must be kept, by name: were the triggers read wrongly, these would be missed.
KEPT = {
    "audit_entry",
    "audit_node",
    "audit_checkpoint",
    "audit_logentry",
    "audit_journaldigest",
    "consent_consentevent",
    "consent_categoryset",
    "governance_ballot",
    "governance_decision",
    "governance_scopemove",
    "release_use",
    "release_withheld",
    "release_download",
    "release_storedpart",
}


def say(statement: str, *values: object) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def acting(role: str) -> Iterator[None]:
    """Also in connections that are made anew inside: writing a package closes the one there was."""
    options = connection.settings_dict["OPTIONS"]
    before = options["options"]
    options["options"] = f"{before} -c role={PREFIX}_{role}"
    say(f'SET ROLE "{PREFIX}_{role}"')
    try:
        yield
    finally:
        options["options"] = before
        say("SET ROLE NONE")


@pytest.fixture(scope="module")
def set_up(django_db_setup, django_db_blocker) -> Iterator[None]:
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL; this run is on SQLite")
    with django_db_blocker.unblock():
        assert connection.settings_dict["NAME"].startswith("test"), "never another database"
        call_command("dbroles", "--prefix", PREFIX, stdout=io.StringIO())
        yield
        me = say("SELECT current_user")[0][0]
        say(f'REASSIGN OWNED BY "{PREFIX}_owner" TO "{me}"')
        for role in roles.ROLES:
            say(f'DROP OWNED BY "{PREFIX}_{role}"')
            say(f'DROP ROLE "{PREFIX}_{role}"')


def rights(role: str) -> dict[str, set[str]]:
    """What a role may do with each table, as the database itself says."""
    found: dict[str, set[str]] = {}
    for table, _ in say(roles.TABLES):
        for right in RIGHTS:
            if say("SELECT has_table_privilege(%s, %s, %s)", f"{PREFIX}_{role}", table, right)[0][
                0
            ]:
                found.setdefault(table, set()).add(right)
    return found


def refused(statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        transaction.atomic(),
    ):
        say(statement)


@pytest.mark.django_db  # one marked test makes the database of this file
def test_there_are_tables_and_kept_ones(set_up):
    found = rights("app")
    assert len(found) > 50
    assert set(found) >= KEPT
    for table in KEPT:
        assert not found[table] & {"UPDATE", "DELETE"}, table
    assert found["audit_node"] == found["audit_checkpoint"] == {"SELECT"}
    assert found["governance_accessrequest"] == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert found["release_release"] == {"SELECT", "INSERT", "UPDATE"}


@pytest.mark.django_db
def test_the_app_cannot_change_delete_empty_or_open_what_is_kept(set_up):
    with acting("app"):
        for table in sorted(KEPT):
            column = "row_id" if table == "audit_journaldigest" else "id"
            refused(f"UPDATE {table} SET {column} = NULL")  # noqa: S608 - our own names
            refused(f"DELETE FROM {table}")  # noqa: S608 - the same
            refused(f"TRUNCATE {table} CASCADE")
            refused(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
            refused(f"ALTER TABLE {table} ADD COLUMN x integer")
            refused(f"DROP TABLE {table}")


@pytest.mark.django_db
def test_the_app_may_wipe_what_shredding_wipes_and_no_other_column(set_up):
    asked = "SELECT has_column_privilege(%s, 'consent_consentevent', %s, 'UPDATE')"
    may = {name: say(asked, f"{PREFIX}_app", name)[0][0] for name in ("by_id", "at", "happening")}
    assert may == {"by_id": True, "at": False, "happening": False}
    assert rights("app")["consent_subjectkey"] == {"SELECT", "INSERT", "DELETE"}
    assert rights("app")["audit_detail"] == {"SELECT", "INSERT"}


@pytest.mark.django_db
def test_the_app_empties_no_table_and_alters_none(set_up):
    for table, may in rights("app").items():
        assert not may & {"TRUNCATE", "REFERENCES", "TRIGGER"}, table
    with acting("app"):
        refused("CREATE TABLE planted (id integer)")
        refused("CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'")
        refused("DROP FUNCTION audit_refuse() CASCADE")
        refused("SET session_replication_role = replica")
        refused("UPDATE audit_entry SET seq = 1")
        refused("INSERT INTO audit_node (level, index, hash) VALUES (1, 1, '')")
    member = "SELECT pg_has_role(%s, %s, 'MEMBER')"
    assert say(member, f"{PREFIX}_app", f"{PREFIX}_owner") == [(False,)]


@pytest.mark.django_db
def test_the_sequencer_may_do_only_what_it_needs(set_up):
    wanted = {
        table: {word.split(" ")[0] for word in said.split(", ")} - {"UPDATE"}
        for table, said in roles.SEQUENCER.items()
    }
    assert rights("sequencer") == wanted
    with acting("sequencer"):
        refused("UPDATE audit_entry SET actor = 'x'")
        refused("SELECT * FROM consent_consent")
        refused("SELECT * FROM governance_user")
        refused("DELETE FROM audit_entry")


@pytest.mark.django_db
def test_the_auditor_reads_the_log_and_nothing_else(set_up):
    assert rights("auditor") == {table: {"SELECT"} for table in roles.AUDITOR}
    with acting("auditor"):
        refused("SELECT * FROM release_use")
        refused("SELECT * FROM governance_user")
        refused("INSERT INTO audit_journalwaiting VALUES (1)")


@pytest.mark.django_db
def test_what_is_no_column_of_a_role_is_no_ones(set_up):
    public = say(
        "SELECT c.relname FROM pg_class c, aclexplode(c.relacl) a "
        "WHERE a.grantee = 0 AND c.relnamespace = 'public'::regnamespace"
    )
    assert public == []


@pytest.mark.django_db
def test_setting_up_again_changes_nothing(set_up):
    acl = "SELECT relname, relacl::text, relowner FROM pg_class ORDER BY 1, 2"
    before = say(acl)
    call_command("dbroles", "--prefix", PREFIX, stdout=io.StringIO())
    assert say(acl) == before


@pytest.mark.django_db
def test_the_owner_may_set_up_again_and_the_app_may_not(set_up):
    with acting("owner"):
        call_command("dbroles", "--prefix", PREFIX, stdout=io.StringIO())
    with acting("app"), pytest.raises(CommandError, match="may not set up roles"):
        call_command("dbroles", "--prefix", PREFIX, stdout=io.StringIO())


@pytest.mark.django_db
def test_a_table_of_a_later_migration_can_be_added_to_and_more_only_after_setting_up(set_up):
    with acting("owner"):
        say("CREATE TABLE later_free (id integer)")
        say("CREATE TABLE later_kept (id integer)")
        say(
            "CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON later_kept "
            "FOR EACH ROW EXECUTE FUNCTION audit_refuse()"
        )
        first = {table: rights("app")[table] for table in ("later_free", "later_kept")}
        call_command("dbroles", "--prefix", PREFIX, stdout=io.StringIO())
        then = {table: rights("app")[table] for table in ("later_free", "later_kept")}
    assert set(map(frozenset, first.values())) == {frozenset({"SELECT", "INSERT"})}
    assert then["later_kept"] == {"SELECT", "INSERT"}
    assert then["later_free"] == {"SELECT", "INSERT", "UPDATE", "DELETE"}


@pytest.mark.django_db
def test_passwords_come_from_files_and_are_scrambled(set_up, tmp_path):
    for role in roles.ROLES:
        (tmp_path / role).write_text(f"a long password for {role}\n")
    call_command("dbroles", "--prefix", PREFIX, "--passwords", str(tmp_path), stdout=io.StringIO())
    kept = say("SELECT rolpassword FROM pg_authid WHERE starts_with(rolname, %s)", PREFIX)
    assert len(kept) == 4
    assert all(word.startswith("SCRAM-SHA-256$") for (word,) in kept)
    (tmp_path / "app").write_text("short")
    with pytest.raises(CommandError, match="shorter than"):
        call_command("dbroles", "--prefix", PREFIX, "--passwords", str(tmp_path))


@pytest.mark.django_db
def test_a_role_that_may_do_too_much_is_found(set_up):
    assert [fault.code for fault in own_role.role_faults()] == ["database_superuser"]
    with acting("owner"):
        assert [fault.code for fault in own_role.role_faults()] == ["database_owner"]
    for role in ("app", "sequencer", "auditor"):
        with acting(role):
            assert own_role.role_faults() == []
            assert own_role.may_number() == (role == "sequencer")


class Sequencer(threading.Thread):
    """Numbers in a connection and a role of its own, as its process does."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self.numbered = 0

    def run(self) -> None:
        try:
            say(f'SET ROLE "{PREFIX}_sequencer"')
            while not self.ended.wait(0.02):
                self.numbered += sequence()
        finally:
            connection.close()

    def end(self) -> None:
        self.ended.set()
        self.join(30)


def test_the_whole_line_works_with_the_roles_apart(set_up, django_db_blocker):
    with django_db_blocker.unblock():
        own = Sequencer()
        own.start()
        try:
            _line(own)
        finally:
            own.end()


def still_the_app() -> None:
    """A connection made anew would be the superuser's, and show nothing."""
    assert say("SELECT current_user") == [(f"{PREFIX}_app",)]


def _line(own: Sequencer) -> None:
    with lasting() as world, acting("app"):
        consent = Consent.objects.order_by("pk").first()
        first = world.prepared(world.approved())
        still_the_app()
        assert first.state == ReleaseState.PREPARED
        client = world.delta.client()
        package = client.get(f"/api/releases/{first.ref}/package/")
        still_the_app()
        assert package.status_code == 200
        assert b"".join(package)[:2] == b"PK"
        still_the_app()
        world.no(consent)
        still_the_app()
        assert client.get(f"/api/releases/{first.ref}/package/").status_code == 410
        assert own.numbered > 10
        own.end()
        still_the_app()
        world.ask(first.request)
        still_the_app()
        assert sequence() == 0  # the app's role leaves it to the sequencer's
        assert Entry.objects.filter(seq__isnull=True).exists()


@contextmanager
def lasting() -> Iterator[api_world.World]:
    """The machines' world, made by the app's role and taken away by the superuser."""
    with ExitStack() as afterwards:
        with acting("app"):
            world = afterwards.enter_context(api_world.committed())
        yield world
