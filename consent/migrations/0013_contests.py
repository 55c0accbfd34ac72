"""What a person says is wrong, or is not to be shared for now: what was said stays, and what was
decided stays.

Nothing here leads to a person whose key is destroyed, so nothing of it is wiped.
"""

import common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


FIXED = ["id", "ref", "subject_id", "category_id", "kind", "objection_id", "entry_id", "asked_at"]
FILLED = ["decision", "decided_at", "decided_by_id", "decided_entry_id"]  # all at once
# What makes a row unique: SQLite's REPLACE asks no DELETE trigger.
LIKE = (
    "id = NEW.id OR ref = NEW.ref OR objection_id = NEW.objection_id"
    " OR (subject_id = NEW.subject_id AND category_id = NEW.category_id AND kind = NEW.kind"
    " AND decided_at IS NULL AND NEW.decided_at IS NULL)"
)


def changed(differs):
    return " OR ".join(
        [
            *(f"NEW.{name} {differs} OLD.{name}" for name in FIXED),
            *(f"(OLD.decided_at IS NOT NULL AND NEW.{name} {differs} OLD.{name})" for name in FILLED),
        ]
    )


def postgres_statements():
    yield (
        "CREATE TRIGGER append_only_update BEFORE UPDATE ON consent_contest FOR EACH ROW"
        f" WHEN ({changed('IS DISTINCT FROM')}) EXECUTE FUNCTION consent_refuse()"
    )
    yield (
        "CREATE TRIGGER append_only_delete BEFORE DELETE ON consent_contest"
        " FOR EACH ROW EXECUTE FUNCTION consent_refuse()"
    )
    yield (
        "CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON consent_contest"
        " FOR EACH STATEMENT EXECUTE FUNCTION consent_refuse()"
    )


def sqlite_statements():
    refuse = "BEGIN SELECT RAISE(ABORT, 'append_only: this is refused'); END"
    table = "consent_contest"
    yield (
        f"CREATE TRIGGER append_only_{table}_update BEFORE UPDATE ON {table}"
        f" WHEN {changed('IS NOT')} {refuse}"
    )
    yield f"CREATE TRIGGER append_only_{table}_delete BEFORE DELETE ON {table} {refuse}"
    yield (
        f"CREATE TRIGGER append_only_{table}_insert BEFORE INSERT ON {table}"
        f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {LIKE})"
        f" BEGIN SELECT RAISE(ABORT, 'append_only: INSERT on {table} is refused'); END"
    )


def protect(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in postgres_statements() if postgres else sqlite_statements():
            cursor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0014_who_may_speak'),
        ('consent', '0012_who_may_speak'),
        ('governance', '0014_who_may_speak'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Contest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.contest_reference, max_length=32, unique=True)),
                ('kind', models.CharField(choices=[('correction', 'something is wrong'), ('restriction', 'not to be shared for now')], max_length=16)),
                ('asked_at', models.DateTimeField()),
                ('decision', models.CharField(blank=True, choices=[('corrected', 'it was put right'), ('unchanged', 'it was right as it was'), ('kept', 'it stays unshared'), ('ended', 'it may be shared again')], default='', max_length=16)),
                ('decided_at', models.DateTimeField(null=True)),
                ('category', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.datacategory')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_entry', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
                ('objection', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='contest', to='consent.objection')),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contests', to='consent.subject')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['correction', 'restriction'])), name='contest_kind_known'), models.CheckConstraint(condition=models.Q(('decision', ''), ('decision__in', ['corrected', 'unchanged', 'kept', 'ended']), _connector='OR'), name='contest_decision_known'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decision', '')), models.Q(('decided_at__isnull', False), ('decision__in', ['corrected', 'unchanged']), ('kind', 'correction')), models.Q(('decided_at__isnull', False), ('decision__in', ['kept', 'ended']), ('kind', 'restriction')), _connector='OR'), name='contest_decision_fits'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('decided_entry__isnull', True)), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('decided_entry__isnull', False)), _connector='OR'), name='contest_decided_whole'), models.CheckConstraint(condition=models.Q(('asked_at__isnull', True), ('decided_at__isnull', True), ('asked_at__lt', models.F('decided_at')), _connector='OR'), name='contest_asked_before_decided'), models.UniqueConstraint(condition=models.Q(('decided_at__isnull', True)), fields=('subject', 'category', 'kind'), name='contest_one_open')],
            },
        ),
        # No way back: what is kept stays kept.
        migrations.RunPython(protect),
    ]
