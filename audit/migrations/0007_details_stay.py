"""A sealed detail stays as it was written: it ends with its person's key, not with its row."""

from django.db import migrations

TABLE = "audit_detail"


def protect(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute(
                f"CREATE TRIGGER append_only_update BEFORE UPDATE OR DELETE ON {TABLE}"
                " FOR EACH ROW EXECUTE FUNCTION audit_refuse()"
            )
            cursor.execute(
                f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {TABLE}"
                " FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
            )
            return
        for deed, when in {
            "UPDATE": "",
            "DELETE": "",
            "INSERT": f" WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE entry_id = NEW.entry_id)",
        }.items():
            cursor.execute(
                f"CREATE TRIGGER append_only_{TABLE}_{deed.lower()} BEFORE {deed} ON {TABLE}"
                f"{when} BEGIN SELECT RAISE(ABORT, 'append_only: {deed} on {TABLE} is refused'); END"
            )


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_details")]

    # No way back: what is kept stays kept.
    operations = [migrations.RunPython(protect)]
