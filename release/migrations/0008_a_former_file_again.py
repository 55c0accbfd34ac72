"""A former file may be loaded again, as a version of its own.

SQLite makes the table anew, and its triggers go with the old one: they are put back.
"""

from django.db import migrations

LIKE = "(id = NEW.id) OR (ref = NEW.ref) OR (dataset_id = NEW.dataset_id AND number = NEW.number)"
LIKE_BEFORE = (
    f"{LIKE} OR (dataset_id = NEW.dataset_id AND source_sha256 = NEW.source_sha256"
    " AND mapping_sha256 = NEW.mapping_sha256)"
)
TABLE = "release_datasetversion"


def sqlite_triggers(like):
    for deed, when in (
        ("DELETE", ""),
        ("UPDATE", ""),
        ("INSERT", f"WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE {like})"),
    ):
        yield (
            f"CREATE TRIGGER append_only_{TABLE}_{deed.lower()} BEFORE {deed} ON {TABLE}"
            f" {when} BEGIN SELECT RAISE(ABORT, 'append_only: {deed} on {TABLE} is refused'); END"
        )


def protect(apps, schema_editor, like=LIKE):
    if schema_editor.connection.vendor == "sqlite":
        with schema_editor.connection.cursor() as cursor:
            for statement in sqlite_triggers(like):
                cursor.execute(statement)


def unprotect(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        with schema_editor.connection.cursor() as cursor:
            for deed in ("delete", "update", "insert"):
                cursor.execute(f"DROP TRIGGER IF EXISTS append_only_{TABLE}_{deed}")


def protect_as_before(apps, schema_editor):
    protect(apps, schema_editor, LIKE_BEFORE)


class Migration(migrations.Migration):
    dependencies = [("release", "0007_inquiries")]

    operations = [
        migrations.RunPython(unprotect, protect_as_before),
        migrations.RemoveConstraint(
            model_name="datasetversion", name="dataset_version_same_file_once"
        ),
        migrations.RunPython(protect, unprotect),
    ]
