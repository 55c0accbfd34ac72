"""What holders asked about one client, and were answered; what is written of it stays."""

import common.ids
import django.db.models.deletion
from django.db import migrations, models


TABLE = "release_inquiry"
LIKE = "id = NEW.id OR ref = NEW.ref"


def protect(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            for deed in ("update", "delete"):
                cursor.execute(
                    f"CREATE TRIGGER append_only_{deed} BEFORE {deed.upper()} ON {TABLE}"
                    " FOR EACH ROW EXECUTE FUNCTION release_refuse()"
                )
            cursor.execute(
                f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {TABLE}"
                " FOR EACH STATEMENT EXECUTE FUNCTION release_refuse()"
            )
            return
        for deed, when in {
            "UPDATE": "",
            "DELETE": "",
            "INSERT": f" WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE {LIKE})",
        }.items():
            cursor.execute(
                f"CREATE TRIGGER append_only_{TABLE}_{deed.lower()} BEFORE {deed} ON {TABLE}"
                f"{when} BEGIN SELECT RAISE(ABORT, 'append_only: {deed} on {TABLE} is refused'); END"
            )


def unprotect(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "postgresql":
            for deed in ("update", "delete", "truncate"):
                cursor.execute(f"DROP TRIGGER append_only_{deed} ON {TABLE}")
            return
        for deed in ("update", "delete", "insert"):
            cursor.execute(f"DROP TRIGGER append_only_{TABLE}_{deed}")


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0004_words_of_inquiries'),
        ('consent', '0004_covering_indexes'),
        ('governance', '0007_words_of_inquiries'),
        ('release', '0006_uploads'),
    ]

    operations = [
        migrations.CreateModel(
            name='Inquiry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.inquiry_reference, max_length=32, unique=True)),
                ('at', models.DateTimeField()),
                ('permitted', models.BooleanField()),
                ('columns', models.JSONField(default=dict)),
                ('record_until', models.DateField(null=True)),
                ('grounds', models.CharField(blank=True, max_length=400)),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='inquiries', to='governance.accessrequest')),
                ('subject', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.subject')),
            ],
            options={
                'verbose_name_plural': 'inquiries',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('grounds', ''), ('permitted', True), ('record_until__isnull', False), ('subject__isnull', False)), models.Q(('permitted', False), ('record_until__isnull', True), models.Q(('grounds', ''), _negated=True)), _connector='OR'), name='inquiry_yes_or_grounds')],
            },
        ),
        migrations.RunPython(protect, unprotect),
    ]
