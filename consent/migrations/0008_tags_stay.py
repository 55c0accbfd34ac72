"""A late tag is filled once, a left one never changes; what was said before waits for its tag too."""

from django.db import migrations

KEPT = {
    "consent_latetag": ["id", "entry_id", "subject_id"],
    "consent_lefttag": ["id", "entry_id", "subject_id", "tag"],
}
LIKE = {
    "consent_latetag": "id = NEW.id OR (entry_id = NEW.entry_id AND subject_id = NEW.subject_id)",
    "consent_lefttag": (
        "id = NEW.id OR (entry_id = NEW.entry_id AND subject_id = NEW.subject_id AND tag = NEW.tag)"
    ),
}
# What was said while a key was away, before anybody noted whom it was about. A standing no names no
# entry: where several were said at that very instant nobody can tell which is whose.
SAID = (
    "INSERT INTO consent_latetag (entry_id, subject_id)"
    " SELECT DISTINCT e.id, c.subject_id FROM audit_entry e"
    " JOIN consent_consentevent v ON v.entry_id = e.id JOIN consent_consent c ON c.id = v.consent_id"
    " WHERE e.reason = 'key-absent'",
    "INSERT INTO consent_latetag (entry_id, subject_id)"
    " SELECT e.id, o.subject_id FROM audit_entry e JOIN consent_objection o ON o.made_at = e.time"
    " WHERE e.reason = 'key-absent' AND e.type = 'objection:made'"
    " AND (SELECT count(*) FROM consent_objection p WHERE p.made_at = e.time) = 1"
    " AND (SELECT count(*) FROM audit_entry f WHERE f.time = e.time AND f.type = e.type) = 1",
)


def postgres_statements():
    for table, columns in KEPT.items():
        changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in columns)
        if table == "consent_latetag":
            changed += " OR OLD.tagged_id IS NOT NULL"
        yield (
            f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN ({changed}) EXECUTE FUNCTION consent_refuse()"
        )
        yield (
            f"CREATE TRIGGER append_only_delete BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION consent_refuse()"
        )
        yield (
            f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION consent_refuse()"
        )


def sqlite_statements():
    refuse = "BEGIN SELECT RAISE(ABORT, 'append_only: this is refused'); END"
    for table, columns in KEPT.items():
        changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in columns)
        if table == "consent_latetag":
            changed += " OR OLD.tagged_id IS NOT NULL"
        yield (
            f"CREATE TRIGGER append_only_{table}_update BEFORE UPDATE ON {table}"
            f" WHEN {changed} {refuse}"
        )
        yield f"CREATE TRIGGER append_only_{table}_delete BEFORE DELETE ON {table} {refuse}"
        yield (
            f"CREATE TRIGGER append_only_{table}_insert BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {LIKE[table]})"
            f" BEGIN SELECT RAISE(ABORT, 'append_only: INSERT on {table} is refused'); END"
        )


def protect(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in SAID:
            cursor.execute(statement)
        if postgres:
            # The rows are checked now: a table with checks to come takes no trigger.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in postgres_statements() if postgres else sqlite_statements():
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("consent", "0007_late_and_left_tags")]

    # No way back: what is kept stays kept.
    operations = [migrations.RunPython(protect)]
