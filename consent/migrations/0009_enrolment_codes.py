"""Codes with which people come in: each says more, never less, and goes only with its person's key."""

import common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


TABLE = "consent_enrolmentcode"
FIXED = [
    "id", "ref", "subject_id", "kind", "digest", "issued_by_id", "issued_at", "talked_at", "opens_at",
    "expires_at",
]
FILLED = ["used_at", "cancelled_at"]
HERS = (
    "EXISTS (SELECT 1 FROM consent_subject WHERE slot = OLD.subject_id AND shredded_at IS NOT NULL)"
)


def changed(differs):
    return " OR ".join(
        [
            *(f"NEW.{name} {differs} OLD.{name}" for name in FIXED),
            *(f"(OLD.{name} IS NOT NULL AND NEW.{name} {differs} OLD.{name})" for name in FILLED),
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
        f" WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id OR ref = NEW.ref"
        " OR digest = NEW.digest OR (used_at IS NULL AND cancelled_at IS NULL"
        " AND NEW.used_at IS NULL AND NEW.cancelled_at IS NULL AND subject_id = NEW.subject_id))"
        f" BEGIN SELECT RAISE(ABORT, 'append_only: INSERT on {TABLE} is refused'); END"
    )


def protect(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in postgres_statements() if postgres else sqlite_statements():
            cursor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0008_tags_stay'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='EnrolmentCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.code_reference, max_length=32, unique=True)),
                ('kind', models.CharField(choices=[('arrival', 'a first sign-in'), ('return', 'new words for the sign-in she has')], max_length=16)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('issued_at', models.DateTimeField()),
                ('talked_at', models.DateTimeField()),
                ('opens_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('cancelled_at', models.DateTimeField(null=True)),
                ('issued_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='codes', to='consent.subject')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['arrival', 'return'])), name='enrolment_code_kind_known'), models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$')), name='enrolment_code_digest_is_sha256'), models.CheckConstraint(condition=models.Q(('opens_at__isnull', True), ('expires_at__isnull', True), ('opens_at__lt', models.F('expires_at')), _connector='OR'), name='enrolment_code_opens_before_end'), models.CheckConstraint(condition=models.Q(('talked_at__lte', models.F('issued_at'))), name='enrolment_code_after_the_talk'), models.CheckConstraint(condition=models.Q(('opens_at__gte', models.F('issued_at'))), name='enrolment_code_opens_after_issue'), models.CheckConstraint(condition=models.Q(('used_at__isnull', True), ('cancelled_at__isnull', True), _connector='OR'), name='enrolment_code_used_or_cancelled'), models.UniqueConstraint(condition=models.Q(('cancelled_at__isnull', True), ('used_at__isnull', True)), fields=('subject',), name='enrolment_code_one_open')],
            },
        ),
        migrations.RunPython(protect),
    ]
