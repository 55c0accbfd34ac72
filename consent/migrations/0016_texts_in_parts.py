"""Consent texts in parts, whose they are, until when they let what was sent be kept, and whether a
version lets more go than the one before; none of it changes."""

import django.db.models.deletion
from django.db import migrations, models

# Of a text nothing changes but that it is retired, once.
TERMS = [
    "id", "code", "version", "language", "title", "text", "digest", "published_at", "keep_until",
    "publisher_id", "widens",
]
PART = "consent_termspart"


def changed(differs):
    return " OR ".join(
        [*(f"NEW.{name} {differs} OLD.{name}" for name in TERMS), "OLD.retired_at IS NOT NULL"]
    )


def postgres_statements():
    yield "DROP TRIGGER append_only_update ON consent_terms"
    yield (
        "CREATE TRIGGER append_only_update BEFORE UPDATE ON consent_terms FOR EACH ROW"
        f" WHEN ({changed('IS DISTINCT FROM')}) EXECUTE FUNCTION consent_refuse()"
    )
    for what in ("UPDATE", "DELETE"):
        yield (
            f"CREATE TRIGGER append_only_{what.lower()} BEFORE {what} ON {PART} FOR EACH ROW"
            " EXECUTE FUNCTION consent_refuse()"
        )
    yield (
        f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {PART} FOR EACH STATEMENT"
        " EXECUTE FUNCTION consent_refuse()"
    )


def sqlite_statements():
    refuse = "BEGIN SELECT RAISE(ABORT, 'append_only: this is refused'); END"
    yield "DROP TRIGGER append_only_consent_terms_update"
    yield (
        "CREATE TRIGGER append_only_consent_terms_update BEFORE UPDATE ON consent_terms"
        f" WHEN {changed('IS NOT')} {refuse}"
    )
    for what in ("UPDATE", "DELETE"):
        yield f"CREATE TRIGGER append_only_{PART}_{what.lower()} BEFORE {what} ON {PART} {refuse}"
    # SQLite's REPLACE removes a row without asking a DELETE trigger.
    yield (
        f"CREATE TRIGGER append_only_{PART}_insert BEFORE INSERT ON {PART}"
        f" WHEN EXISTS (SELECT 1 FROM {PART} WHERE id = NEW.id"
        " OR (terms_id = NEW.terms_id AND part = NEW.part))"
        f" BEGIN SELECT RAISE(ABORT, 'append_only: INSERT on {PART} is refused'); END"
    )


def protect(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in postgres_statements() if postgres else sqlite_statements():
            cursor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0015_ended_once'),
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
            name='keep_until',
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name='terms',
            name='publisher',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation'),
        ),
        migrations.AddField(
            model_name='terms',
            name='widens',
            field=models.BooleanField(null=True),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(condition=models.Q(('ended_at__isnull', True), ('expired_at__isnull', True)), fields=['terms'], name='consent_of_a_text'),
        ),
        # No way back: what is kept stays kept.
        migrations.RunPython(protect),
    ]
