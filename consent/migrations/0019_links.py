"""A person joins her records at two organisations under one sign-in: what she joined stays written down
until she parts it, and goes only with the record's key.
"""

import common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


TABLE = "consent_subjectlink"
FIXED = ["id", "ref", "subject_id", "account_id", "former_id", "linked_at"]
HERS = (
    "EXISTS (SELECT 1 FROM consent_subject WHERE slot = OLD.subject_id AND shredded_at IS NOT NULL)"
)
# What makes a row unique: SQLite's REPLACE asks no DELETE trigger.
LIKE = (
    "id = NEW.id OR ref = NEW.ref"
    " OR (split_at IS NULL AND NEW.split_at IS NULL AND subject_id = NEW.subject_id)"
)


def changed(differs):
    return " OR ".join(
        [
            *(f"NEW.{name} {differs} OLD.{name}" for name in FIXED),
            f"(OLD.split_at IS NOT NULL AND NEW.split_at {differs} OLD.split_at)",
        ]
    )


def postgres_statements():
    yield (
        f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {TABLE} FOR EACH ROW"
        f" WHEN ({changed('IS DISTINCT FROM')}) EXECUTE FUNCTION consent_refuse()"
    )
    yield (
        f"CREATE TRIGGER append_only_delete BEFORE DELETE ON {TABLE}"
        " FOR EACH ROW EXECUTE FUNCTION consent_only_wiped()"
    )
    yield (
        f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {TABLE}"
        " FOR EACH STATEMENT EXECUTE FUNCTION consent_refuse()"
    )


def sqlite_statements():
    refuse = "BEGIN SELECT RAISE(ABORT, 'append_only: this is refused'); END"
    yield (
        f"CREATE TRIGGER append_only_{TABLE}_update BEFORE UPDATE ON {TABLE}"
        f" WHEN {changed('IS NOT')} {refuse}"
    )
    yield (
        f"CREATE TRIGGER append_only_{TABLE}_delete BEFORE DELETE ON {TABLE}"
        f" WHEN NOT {HERS} {refuse}"
    )
    yield (
        f"CREATE TRIGGER append_only_{TABLE}_insert BEFORE INSERT ON {TABLE}"
        f" WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE {LIKE})"
        f" BEGIN SELECT RAISE(ABORT, 'append_only: INSERT on {TABLE} is refused'); END"
    )


def protect(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in postgres_statements() if postgres else sqlite_statements():
            cursor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0018_hidden'),
        ('governance', '0016_words_of_links'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SubjectLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.link_reference, max_length=32, unique=True)),
                ('linked_at', models.DateTimeField()),
                ('split_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('former', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='links', to='consent.subject')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('linked_at__isnull', True), ('split_at__isnull', True), ('linked_at__lt', models.F('split_at')), _connector='OR'), name='link_starts_before_end'), models.CheckConstraint(condition=models.Q(('former__isnull', True), models.Q(('former', models.F('account')), _negated=True), _connector='OR'), name='link_from_another_sign_in'), models.UniqueConstraint(condition=models.Q(('split_at__isnull', True)), fields=('subject',), name='link_one_stands')],
            },
        ),
        # No way back: what is kept stays kept.
        migrations.RunPython(protect),
    ]
