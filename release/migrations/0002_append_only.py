"""What was loaded, answered and handed over stays; the database says so too.

A release is answered once; after that it can only be declared void and wiped, once each.
"""

from django.db import migrations

FIXED = [
    "release_datasetversion",
    "release_versioncolumn",
    "release_storedpart",
    "release_presence",
    "release_releasepart",
    "release_use",
    "release_withheld",
    "release_download",
]
ASKED = [
    "id", "ref", "release_class", "request_id", "holder_id", "recipient_id", "purpose_id",
    "asked_by_id", "asked_at", "replaces_id", "format",
]
ANSWERED = [
    "state", "answered_at", "version_id", "key_id", "epoch_everyone", "epoch_scope", "good_until",
    "rows", "rows_withheld", "people", "people_withheld", "grounds", "manifest", "entry_id",
]
ONCE = ["voided_at", "void_ground", "wiped_at"]

POSTGRES = """
CREATE FUNCTION release_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append_only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


def changed(differs):
    def any_of(columns):
        return " OR ".join(f"NEW.{name} {differs} OLD.{name}" for name in columns)

    once = " OR ".join(
        f"(OLD.{name} IS NOT NULL AND NEW.{name} {differs} OLD.{name})" for name in ONCE
    )
    return f"{any_of(ASKED)} OR (OLD.state <> 'waiting' AND ({any_of(ANSWERED)})) OR {once}"


def postgres_statements():
    yield POSTGRES
    for table in [*FIXED, "release_release"]:
        yield (
            f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION release_refuse()"
        )
        yield (
            f"CREATE TRIGGER append_only_delete BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION release_refuse()"
        )
    for table in FIXED:
        yield (
            f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION release_refuse()"
        )
    yield (
        "CREATE TRIGGER append_only_update BEFORE UPDATE ON release_release FOR EACH ROW"
        f" WHEN ({changed('IS DISTINCT FROM')}) EXECUTE FUNCTION release_refuse()"
    )


def sqlite_statements():
    refuse = "BEGIN SELECT RAISE(ABORT, 'append_only: this is refused'); END"
    for table in [*FIXED, "release_release"]:
        yield f"CREATE TRIGGER append_only_{table}_delete BEFORE DELETE ON {table} {refuse}"
    for table in FIXED:
        yield f"CREATE TRIGGER append_only_{table}_update BEFORE UPDATE ON {table} {refuse}"
    yield (
        "CREATE TRIGGER append_only_release_release_update BEFORE UPDATE ON release_release"
        f" WHEN {changed('IS NOT')} {refuse}"
    )


def protect(apps, schema_editor):
    statements = (
        postgres_statements()
        if schema_editor.connection.vendor == "postgresql"
        else sqlite_statements()
    )
    with schema_editor.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def unprotect(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION release_refuse() CASCADE")
            return
        for table in [*FIXED, "release_release"]:
            cursor.execute(f"DROP TRIGGER append_only_{table}_delete")
            cursor.execute(f"DROP TRIGGER append_only_{table}_update")


class Migration(migrations.Migration):
    dependencies = [("release", "0001_initial")]

    operations = [migrations.RunPython(protect, unprotect)]
