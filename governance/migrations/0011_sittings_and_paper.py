"""Where people are signed in, and the codes of a survivor's paper: a used one is never unused again."""

import common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


TABLE, OVER = "governance_papercode", "used_at"


def close(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        if postgres:
            cursor.execute(
                f"CREATE TRIGGER append_only_final BEFORE UPDATE ON {TABLE}"
                f" FOR EACH ROW WHEN (OLD.{OVER} IS NOT NULL AND NEW.{OVER} IS NULL)"
                " EXECUTE FUNCTION governance_refuse()"
            )
            return
        cursor.execute(
            f"CREATE TRIGGER append_only_{TABLE}_final BEFORE UPDATE ON {TABLE}"
            f" WHEN OLD.{OVER} IS NOT NULL AND NEW.{OVER} IS NULL"
            f" BEGIN SELECT RAISE(ABORT, 'append_only: UPDATE on {TABLE} is refused'); END"
        )


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0010_data_keys_of_staff'),
    ]

    operations = [
        migrations.CreateModel(
            name='PaperCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('use', models.CharField(choices=[('back_in', 'get back in'), ('shut', 'shut the way in')], max_length=16)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('made_at', models.DateTimeField()),
                ('used_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='paper_codes', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('use__in', ['back_in', 'shut'])), name='paper_code_use_known'), models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$')), name='paper_code_digest_is_sha256'), models.CheckConstraint(condition=models.Q(('made_at__isnull', True), ('used_at__isnull', True), ('made_at__lt', models.F('used_at')), _connector='OR'), name='paper_code_made_before_used')],
            },
        ),
        migrations.CreateModel(
            name='Sitting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.sitting_reference, max_length=32, unique=True)),
                ('device', models.CharField(choices=[('phone', 'a phone'), ('tablet', 'a tablet'), ('computer', 'a computer'), ('other', 'another device')], max_length=16)),
                ('began_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sittings', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('device__in', ['phone', 'tablet', 'computer', 'other'])), name='sitting_device_known'), models.CheckConstraint(condition=models.Q(('seen_at__gte', models.F('began_at'))), name='sitting_seen_after_it_began')],
            },
        ),
        migrations.RunPython(close),
    ]
