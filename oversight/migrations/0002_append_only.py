"""What auditors read, found and were told stays; the database says so too.

A case is closed once. A job is as it was asked, and from its end on only its files go.
"""

from django.db import migrations

# Tables of which no row ever changes or goes, with what makes a row unique.
FIXED = {
    "oversight_casehandle": [["case_id", "word"], ["case_id", "subject_id"]],
    "oversight_reading": [],
    "oversight_savedsearch": [["case_id", "name"]],
    "oversight_finding": [["ref"]],
    "oversight_findingstep": [],
    "oversight_membershipreview": [],
    "oversight_worksheet": [["ref"]],
    "oversight_worksheetline": [["worksheet_id", "number"], ["worksheet_id", "consent_id"]],
    "oversight_worksheetcheck": [["line_id"]],
}
CHANGING = {
    "oversight_auditcase": [["ref"]],
    "oversight_job": [["ref"]],
}
CASE = ["id", "ref", "organisation_id", "holder_id", "title", "reason", "nonce", "opened_by_id", "opened_at"]
JOB = ["id", "ref", "case_id", "kind", "asked_by_id", "asked_at", "reason", "format", "first", "total"]
ENDED = ["done", "root", "ended_at", "code", "told"]

POSTGRES = """
CREATE FUNCTION oversight_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append_only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


def changed(differs):
    """By table, what may not change in it."""

    def any_of(columns):
        return " OR ".join(f"NEW.{name} {differs} OLD.{name}" for name in columns)

    return {
        "oversight_auditcase": f"{any_of(CASE)} OR OLD.closed_at IS NOT NULL",
        "oversight_job": (
            f"{any_of(JOB)} OR (OLD.ended_at IS NOT NULL AND ({any_of(ENDED)}"
            " OR NOT (OLD.state = 'done' AND NEW.state = 'gone')))"
        ),
    }


def postgres_statements():
    yield POSTGRES
    for table in (*FIXED, *CHANGING):
        yield (
            f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION oversight_refuse()"
        )
        yield (
            f"CREATE TRIGGER append_only_delete BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION oversight_refuse()"
        )
    for table in FIXED:
        yield (
            f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION oversight_refuse()"
        )
    for table, when in changed("IS DISTINCT FROM").items():
        yield (
            f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN ({when}) EXECUTE FUNCTION oversight_refuse()"
        )


def sqlite_statements():
    for table, unique in {**FIXED, **CHANGING}.items():
        yield refuse(table, "DELETE")
        # REPLACE removes a row without asking a DELETE trigger: one like it is refused first.
        like = " OR ".join(
            "(" + " AND ".join(f"{name} = NEW.{name}" for name in columns) + ")"
            for columns in [["id"], *unique]
        )
        yield refuse(table, "INSERT", f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {like})")
    for table in FIXED:
        yield refuse(table, "UPDATE")
    for table, when in changed("IS NOT").items():
        yield refuse(table, "UPDATE", f"WHEN {when}")


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
            cursor.execute("DROP FUNCTION oversight_refuse() CASCADE")
            return
        for table in (*FIXED, *CHANGING):
            for deed in ("delete", "insert", "update"):
                cursor.execute(f"DROP TRIGGER append_only_{table}_{deed}")


class Migration(migrations.Migration):
    dependencies = [("oversight", "0001_cases")]

    operations = [migrations.RunPython(protect, unprotect)]
