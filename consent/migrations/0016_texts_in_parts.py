"""Consent texts in parts, and whether a version lets more go than the one before; none of it changes."""

import django.db.models.deletion
from django.db import migrations, models

FIXED = "append_only: this is refused"


def protect(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in postgres_statements() if postgres else sqlite_statements():
            cursor.execute(statement)


def postgres_statements():
    yield (
        "CREATE TRIGGER append_only_widens BEFORE UPDATE ON consent_terms FOR EACH ROW"
        " WHEN (NEW.widens IS DISTINCT FROM OLD.widens"
        " OR NEW.publisher_id IS DISTINCT FROM OLD.publisher_id)"
        " EXECUTE FUNCTION consent_refuse()"
    )
    for name, what in {
        "update": "BEFORE UPDATE ON consent_termspart FOR EACH ROW",
        "delete": "BEFORE DELETE ON consent_termspart FOR EACH ROW",
        "truncate": "BEFORE TRUNCATE ON consent_termspart FOR EACH STATEMENT",
    }.items():
        yield f"CREATE TRIGGER append_only_{name} {what} EXECUTE FUNCTION consent_refuse()"


def sqlite_statements():
    refuse = f"BEGIN SELECT RAISE(ABORT, '{FIXED}'); END"
    yield (
        "CREATE TRIGGER append_only_consent_terms_widens BEFORE UPDATE ON consent_terms"
        " WHEN NEW.widens IS NOT OLD.widens OR NEW.publisher_id IS NOT OLD.publisher_id"
        f" {refuse}"
    )
    table = "consent_termspart"
    yield f"CREATE TRIGGER append_only_{table}_update BEFORE UPDATE ON {table} {refuse}"
    yield f"CREATE TRIGGER append_only_{table}_delete BEFORE DELETE ON {table} {refuse}"
    # SQLite's REPLACE removes a row without asking a DELETE trigger.
    yield (
        f"CREATE TRIGGER append_only_{table}_insert BEFORE INSERT ON {table}"
        f" WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id"
        " OR (terms_id = NEW.terms_id AND part = NEW.part))"
        f" BEGIN SELECT RAISE(ABORT, 'append_only: INSERT on {table} is refused'); END"
    )


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0015_kept_until'),
        ('governance', '0015_care_of_categories'),
    ]

    operations = [
        migrations.CreateModel(
            name='TermsPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.CharField(choices=[('easy', 'In short'), ('what', 'What is shared'), ('whom', 'With whom'), ('why', 'Why'), ('until', 'Until when'), ('delete', 'By when they must delete it'), ('risks', 'What can happen'), ('other_ways', 'Other ways'), ('services', 'Services never depend on it'), ('stop', 'How to stop')], max_length=16)),
                ('text', models.TextField()),
                ('measure', models.DecimalField(decimal_places=1, max_digits=5, null=True)),
                ('terms', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='consent.terms')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('part__in', ['easy', 'what', 'whom', 'why', 'until', 'delete', 'risks', 'other_ways', 'services', 'stop'])), name='terms_part_known'), models.UniqueConstraint(fields=('terms', 'part'), name='terms_part_once'), models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='terms_part_says_something')],
            },
        ),
        migrations.AddField(
            model_name='terms',
            name='widens',
            field=models.BooleanField(null=True),
        ),
        migrations.AddField(
            model_name='terms',
            name='publisher',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(condition=models.Q(('ended_at__isnull', True), ('expired_at__isnull', True)), fields=['terms'], name='consent_of_a_text'),
        ),
        # No way back: what is kept stays kept.
        migrations.RunPython(protect),
    ]
