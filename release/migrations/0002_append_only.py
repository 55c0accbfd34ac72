"""What was loaded, answered and handed over stays; the database says so too.

A release is answered once; after that it can only be declared void and wiped, once each.
"""

from django.db import migrations

# Tables of which no row ever changes or goes, with what makes a row unique.
FIXED = {
    "release_datasetversion": [
        ["ref"], ["dataset_id", "number"], ["dataset_id", "source_sha256", "mapping_sha256"],
    ],
    "release_versioncolumn": [["version_id", "field_id"]],
    "release_storedpart": [["name"], ["version_id", "number"]],
    "release_presence": [["version_id", "block"]],
    "release_releasepart": [["name"], ["release_id", "number"]],
    "release_use": [["release_id", "category_id", "block"]],
    "release_withheld": [["release_id", "ground", "block"]],
    "release_download": [["ref"]],
    "release_sending": [["download_id"]],
}
UNIQUE = {**FIXED, "release_release": [["ref"]]}
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
    for table in UNIQUE:
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
    for table, unique in UNIQUE.items():
        yield refuse(table, "DELETE")
        # REPLACE removes a row without asking a DELETE trigger: one like it is refused first.
        like = " OR ".join(
            "(" + " AND ".join(f"{name} = NEW.{name}" for name in columns) + ")"
            for columns in [["id"], *unique]
        )
        yield refuse(table, "INSERT", f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {like})")
    for table in FIXED:
        yield refuse(table, "UPDATE")
    yield refuse("release_release", "UPDATE", f"WHEN {changed('IS NOT')}")


def refuse(table, deed, when=""):
    return (
        f"CREATE TRIGGER append_only_{table}_{deed.lower()} BEFORE {deed} ON {table} {when}"
        f" BEGIN SELECT RAISE(ABORT, 'append_only: {deed} on {table} is refused'); END"
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
        for table in UNIQUE:
            for deed in ("delete", "insert", "update"):
                cursor.execute(f"DROP TRIGGER append_only_{table}_{deed}")


class Migration(migrations.Migration):
    dependencies = [("release", "0001_initial")]

    operations = [migrations.RunPython(protect, unprotect)]
