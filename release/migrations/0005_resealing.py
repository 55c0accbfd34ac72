"""Parts that were sealed anew; what is written of it stays."""

import django.db.models.deletion
from django.db import migrations, models

TABLE = "release_resealing"
LIKE = (
    "id = NEW.id OR name = NEW.name OR (part_id = NEW.part_id AND sealed_to = NEW.sealed_to)"
)


def protect(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            for deed in ("update", "delete"):
                cursor.execute(
                    f"CREATE TRIGGER append_only_{deed} BEFORE {deed.upper()} ON {TABLE}"
                    " FOR EACH ROW EXECUTE FUNCTION release_refuse()"
                )
            cursor.execute(
                f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {TABLE}"
                " FOR EACH STATEMENT EXECUTE FUNCTION release_refuse()"
            )
            return
        for deed, when in {
            "UPDATE": "",
            "DELETE": "",
            "INSERT": f" WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE {LIKE})",
        }.items():
            cursor.execute(
                f"CREATE TRIGGER append_only_{TABLE}_{deed.lower()} BEFORE {deed} ON {TABLE}"
                f"{when} BEGIN SELECT RAISE(ABORT, 'append_only: {deed} on {TABLE} is refused'); END"
            )


def unprotect(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            for deed in ("update", "delete", "truncate"):
                cursor.execute(f"DROP TRIGGER append_only_{deed} ON {TABLE}")
            return
        for deed in ("update", "delete", "insert"):
            cursor.execute(f"DROP TRIGGER append_only_{TABLE}_{deed}")


class Migration(migrations.Migration):
    dependencies = [("release", "0004_beats")]

    operations = [
        migrations.CreateModel(
            name="Resealing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200, unique=True)),
                ("size", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("sealed_to", models.CharField(max_length=80)),
                ("sealed_at", models.DateTimeField()),
                (
                    "part",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resealings",
                        to="release.storedpart",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("part", "sealed_to"), name="resealing_once_a_key"
                    )
                ],
            },
        ),
        migrations.RunPython(protect, unprotect),
    ]
