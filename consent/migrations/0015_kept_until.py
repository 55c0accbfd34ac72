"""The day until which terms let a recipient keep what it got; it never changes, like the text."""

from django.db import migrations, models


def protect(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            cursor.execute(
                "CREATE TRIGGER append_only_kept BEFORE UPDATE ON consent_terms FOR EACH ROW"
                " WHEN (NEW.keep_until IS DISTINCT FROM OLD.keep_until)"
                " EXECUTE FUNCTION consent_refuse()"
            )
        else:
            cursor.execute(
                "CREATE TRIGGER append_only_consent_terms_kept BEFORE UPDATE ON consent_terms"
                " WHEN NEW.keep_until IS NOT OLD.keep_until"
                " BEGIN SELECT RAISE(ABORT, 'append_only: this is refused'); END"
            )


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0014_ended_by_their_date'),
    ]

    operations = [
        migrations.AddField(
            model_name='terms',
            name='keep_until',
            field=models.DateField(null=True),
        ),
        # No way back: what is kept stays kept.
        migrations.RunPython(protect),
    ]
