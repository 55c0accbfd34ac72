"""Who helps whom, who looked, whom a person keeps away, and stops said aloud: rows that say more, never
less, and go only with their person's key."""

import common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# table: what never changes, what is filled once, and what makes a row the same as another.
TABLES = {
    "consent_assignment": (
        ["id", "ref", "subject_id", "membership_id", "begun_by_id", "started_at"],
        ["ended_at"],
        "ref = NEW.ref OR (ended_at IS NULL AND NEW.ended_at IS NULL"
        " AND subject_id = NEW.subject_id AND membership_id = NEW.membership_id)",
    ),
    "consent_look": (
        ["id", "subject_id", "worker_id", "hour"],
        [],
        "subject_id = NEW.subject_id AND worker_id = NEW.worker_id AND hour = NEW.hour",
    ),
    "consent_block": (
        ["id", "ref", "subject_id", "worker_id", "blocked_by_id", "blocked_at"],
        ["lifted_at"],
        "ref = NEW.ref OR (lifted_at IS NULL AND NEW.lifted_at IS NULL"
        " AND subject_id = NEW.subject_id AND worker_id = NEW.worker_id)",
    ),
    "consent_spokenstop": (
        ["id", "ref", "subject_id", "recipient_id", "recorded_by_id", "said_at"],
        ["checked_by_id", "checked_at", "checked"],
        "ref = NEW.ref",
    ),
}
EMPTY = {"checked": "OLD.checked <> ''"}  # the one column that is empty and not NULL at first
HERS = (
    "EXISTS (SELECT 1 FROM consent_subject WHERE slot = OLD.subject_id AND shredded_at IS NOT NULL)"
)


def changed(fixed, filled, differs):
    return " OR ".join(
        [
            *(f"NEW.{name} {differs} OLD.{name}" for name in fixed),
            *(
                f"({EMPTY.get(name, f'OLD.{name} IS NOT NULL')} AND NEW.{name} {differs} OLD.{name})"
                for name in filled
            ),
        ]
    )


def postgres_statements():
    for table, (fixed, filled, _alike) in TABLES.items():
        yield (
            f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN ({changed(fixed, filled, 'IS DISTINCT FROM')}) EXECUTE FUNCTION consent_refuse()"
        )
        yield (
            f"CREATE TRIGGER append_only_delete BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION consent_only_wiped()"
        )
        yield (
            f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION consent_refuse()"
        )


def sqlite_statements():
    refuse = "BEGIN SELECT RAISE(ABORT, 'append_only: this is refused'); END"
    for table, (fixed, filled, alike) in TABLES.items():
        yield (
            f"CREATE TRIGGER append_only_{table}_update BEFORE UPDATE ON {table}"
            f" WHEN {changed(fixed, filled, 'IS NOT')} {refuse}"
        )
        yield (
            f"CREATE TRIGGER append_only_{table}_delete BEFORE DELETE ON {table}"
            f" WHEN NOT {HERS} {refuse}"
        )
        yield (
            f"CREATE TRIGGER append_only_{table}_insert BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id OR {alike})"
            f" BEGIN SELECT RAISE(ABORT, 'append_only: INSERT on {table} is refused'); END"
        )


def protect(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in postgres_statements() if postgres else sqlite_statements():
            cursor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0010_proposals'),
        ('governance', '0013_words_of_helping'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Assignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.assignment_reference, max_length=32, unique=True)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('begun_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('membership', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='governance.membership')),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='consent.subject')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('started_at__isnull', True), ('ended_at__isnull', True), ('started_at__lt', models.F('ended_at')), _connector='OR'), name='assignment_starts_before_end'), models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('subject', 'membership'), name='assignment_once_at_a_time')],
            },
        ),
        migrations.CreateModel(
            name='Block',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.block_reference, max_length=32, unique=True)),
                ('blocked_at', models.DateTimeField()),
                ('lifted_at', models.DateTimeField(null=True)),
                ('blocked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='blocks', to='consent.subject')),
                ('worker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('blocked_at__isnull', True), ('lifted_at__isnull', True), ('blocked_at__lt', models.F('lifted_at')), _connector='OR'), name='block_starts_before_end'), models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('subject', 'worker'), name='block_once_at_a_time')],
            },
        ),
        migrations.CreateModel(
            name='Look',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField()),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='looks', to='consent.subject')),
                ('worker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('subject', 'worker', 'hour'), name='look_once_an_hour')],
            },
        ),
        migrations.CreateModel(
            name='SpokenStop',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.spoken_reference, max_length=32, unique=True)),
                ('said_at', models.DateTimeField()),
                ('checked_at', models.DateTimeField(null=True)),
                ('checked', models.CharField(blank=True, choices=[('hers', 'she said so'), ('not_hers', 'she did not say so')], default='', max_length=16)),
                ('checked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('recipient', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation')),
                ('recorded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='spoken_stops', to='consent.subject')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('checked', ''), ('checked__in', ['hers', 'not_hers']), _connector='OR'), name='spoken_stop_checked_known'), models.CheckConstraint(condition=models.Q(models.Q(('checked', ''), ('checked_at__isnull', True), ('checked_by__isnull', True)), models.Q(models.Q(('checked', ''), _negated=True), ('checked_at__isnull', False), ('checked_by__isnull', False)), _connector='OR'), name='spoken_stop_checked_whole'), models.CheckConstraint(condition=models.Q(('said_at__isnull', True), ('checked_at__isnull', True), ('said_at__lt', models.F('checked_at')), _connector='OR'), name='spoken_stop_said_before_checked')],
            },
        ),
        # No way back: what is kept stays kept.
        migrations.RunPython(protect),
    ]
