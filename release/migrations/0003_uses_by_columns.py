"""A use says which columns left: whoever said yes to an older version of a category has fewer.

Rows from before say nothing and count as all columns of their category. SQLite makes the table
anew, and its triggers go with the old one: they are put back.
"""

from django.db import migrations, models

LIKE = (
    "(id = NEW.id) OR (release_id = NEW.release_id AND category_id = NEW.category_id"
    ' AND "group" = NEW."group" AND block = NEW.block)'
)
LIKE_BEFORE = (
    "(id = NEW.id) OR (release_id = NEW.release_id AND category_id = NEW.category_id"
    " AND block = NEW.block)"
)


def sqlite_triggers(like):
    for deed, when in (
        ("DELETE", ""),
        ("UPDATE", ""),
        ("INSERT", f"WHEN EXISTS (SELECT 1 FROM release_use WHERE {like})"),
    ):
        yield (
            f"CREATE TRIGGER append_only_release_use_{deed.lower()} BEFORE {deed} ON release_use"
            f" {when} BEGIN SELECT RAISE(ABORT, 'append_only: {deed} on release_use is refused');"
            " END"
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
                cursor.execute(f"DROP TRIGGER IF EXISTS append_only_release_use_{deed}")


def protect_as_before(apps, schema_editor):
    protect(apps, schema_editor, LIKE_BEFORE)


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0003_scope_moves_by_epoch"),
        ("release", "0002_append_only"),
    ]

    operations = [
        migrations.RunPython(unprotect, protect_as_before),
        migrations.RemoveConstraint(model_name="use", name="use_chunk_once"),
        migrations.AddField(
            model_name="use", name="columns", field=models.JSONField(default=list)
        ),
        migrations.AddField(
            model_name="use", name="group", field=models.PositiveSmallIntegerField(default=0)
        ),
        migrations.AddConstraint(
            model_name="use",
            constraint=models.UniqueConstraint(
                fields=("release", "category", "group", "block"), name="use_chunk_once"
            ),
        ),
        migrations.RunPython(protect, unprotect),
    ]
