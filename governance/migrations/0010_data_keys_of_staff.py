"""Each staff member has a data key of her own: it stays hers, and what wraps it may change."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

TABLE = "governance_datakey"


def protect(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute(
                f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {TABLE} FOR EACH ROW"
                " WHEN (NEW.user_id IS DISTINCT FROM OLD.user_id)"
                " EXECUTE FUNCTION governance_refuse()"
            )
            cursor.execute(
                f"CREATE TRIGGER append_only_delete BEFORE DELETE ON {TABLE}"
                " FOR EACH ROW EXECUTE FUNCTION governance_refuse()"
            )
            cursor.execute(
                f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {TABLE}"
                " FOR EACH STATEMENT EXECUTE FUNCTION governance_refuse()"
            )
            return
        for deed, when in {
            "UPDATE": " WHEN NEW.user_id IS NOT OLD.user_id",
            "DELETE": "",
            "INSERT": f" WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE user_id = NEW.user_id)",
        }.items():
            cursor.execute(
                f"CREATE TRIGGER append_only_{TABLE}_{deed.lower()} BEFORE {deed} ON {TABLE}"
                f"{when} BEGIN SELECT RAISE(ABORT, 'append_only: {deed} on {TABLE} is refused'); END"
            )


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0009_words_of_shredding'),
    ]

    operations = [
        migrations.CreateModel(
            name='DataKey',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='data_key', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('wrapped', models.BinaryField(max_length=64)),
            ],
        ),
        migrations.RunPython(protect),
    ]
