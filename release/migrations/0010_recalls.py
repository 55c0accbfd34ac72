"""What recipients are asked to delete, and what they said of it; what is written of it stays."""

import common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Tables of which no row ever changes or goes, with what makes a row unique.
FIXED = {
    "release_recall": "id = NEW.id OR ref = NEW.ref",
    "release_recalled": "id = NEW.id OR (recall_id = NEW.recall_id AND block = NEW.block)",
    "release_recallstep": "id = NEW.id OR (recall_id = NEW.recall_id AND step = NEW.step)",
}


def protect(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        for table, like in FIXED.items():
            if schema_editor.connection.vendor == "postgresql":
                for deed in ("update", "delete"):
                    cursor.execute(
                        f"CREATE TRIGGER append_only_{deed} BEFORE {deed.upper()} ON {table}"
                        " FOR EACH ROW EXECUTE FUNCTION release_refuse()"
                    )
                cursor.execute(
                    f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}"
                    " FOR EACH STATEMENT EXECUTE FUNCTION release_refuse()"
                )
                continue
            for deed, when in {
                "UPDATE": "",
                "DELETE": "",
                "INSERT": f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {like})",
            }.items():
                cursor.execute(
                    f"CREATE TRIGGER append_only_{table}_{deed.lower()} BEFORE {deed} ON {table}{when}"
                    f" BEGIN SELECT RAISE(ABORT, 'append_only: {deed} on {table} is refused'); END"
                )


def unprotect(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        for table in FIXED:
            if schema_editor.connection.vendor == "postgresql":
                for deed in ("update", "delete", "truncate"):
                    cursor.execute(f"DROP TRIGGER append_only_{deed} ON {table}")
                continue
            for deed in ("update", "delete", "insert"):
                cursor.execute(f"DROP TRIGGER append_only_{table}_{deed}")


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0009_search_indexes'),
        ('release', '0009_roots_of_parts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Recall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.recall_reference, max_length=32, unique=True)),
                ('columns', models.JSONField(default=list)),
                ('people', models.PositiveIntegerField()),
                ('opened_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='recalls', to='release.release')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('people__gt', 0)), name='recall_is_about_somebody'),
                    models.CheckConstraint(condition=models.Q(('opened_at__isnull', True), ('due_at__isnull', True), ('opened_at__lt', models.F('due_at')), _connector='OR'), name='recall_due_after_opened'),
                ],
                'indexes': [
                    models.Index(fields=['due_at'], name='recall_by_due'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Recalled',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('block', models.IntegerField()),
                ('bits', models.BinaryField(max_length=1024)),
                ('recall', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='chunks', to='release.recall')),
            ],
            options={
                'verbose_name_plural': 'recalled',
                'constraints': [
                    models.UniqueConstraint(fields=('recall', 'block'), name='recalled_chunk_once'),
                ],
                'indexes': [
                    models.Index(fields=['block', 'recall'], name='recalled_by_block'),
                ],
            },
        ),
        migrations.CreateModel(
            name='RecallStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(choices=[('acknowledged', 'received'), ('reported', 'reported'), ('overdue', 'overdue')], max_length=16)),
                ('reported', models.CharField(blank=True, choices=[('deleted', 'deleted it'), ('returned', 'gave it back and kept no copy')], max_length=16)),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
                ('recall', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='release.recall')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('step__in', ['acknowledged', 'reported', 'overdue'])), name='recall_step_known'),
                    models.CheckConstraint(condition=models.Q(models.Q(('reported__in', ['deleted', 'returned']), ('step', 'reported')), models.Q(models.Q(('step', 'reported'), _negated=True), ('reported', '')), _connector='OR'), name='recall_report_says_what'),
                    models.CheckConstraint(condition=models.Q(models.Q(('by__isnull', True), ('step', 'overdue')), models.Q(models.Q(('step', 'overdue'), _negated=True), ('by__isnull', False)), _connector='OR'), name='recall_step_by_whom'),
                    models.UniqueConstraint(fields=('recall', 'step'), name='recall_step_once'),
                ],
            },
        ),
        migrations.CreateModel(
            name='RecallWatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('epoch_everyone', models.BigIntegerField()),
                ('epoch_scope', models.BigIntegerField()),
                ('look_at', models.DateTimeField(null=True)),
                ('release', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='recall_watch', to='release.release')),
            ],
        ),
        migrations.RunPython(protect, unprotect),
    ]
