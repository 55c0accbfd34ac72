"""An auditor has some entries of the log verified.

SQLite changes a constraint by making the table anew, and with the old one its triggers go: they are
kept aside in the same transaction and put back.
"""

from django.db import migrations, models


ASIDE = "oversight_triggers_aside"


def put_aside(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {ASIDE} (name text, sql text)")
        cursor.execute(
            f"INSERT INTO {ASIDE} SELECT name, sql FROM sqlite_master"
            " WHERE type = 'trigger' AND sql LIKE '%oversight_job%'"
        )
        cursor.execute(f"SELECT name FROM {ASIDE}")
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP TRIGGER "{name}"')


def put_back(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT sql FROM {ASIDE}")
        for (sql,) in cursor.fetchall():
            cursor.execute(sql)
        cursor.execute(f"DROP TABLE {ASIDE}")


class Migration(migrations.Migration):

    dependencies = [
        ('oversight', '0002_append_only'),
    ]

    operations = [
        migrations.RunPython(put_aside, put_back),
        migrations.RemoveConstraint(
            model_name='job',
            name='job_kind_known',
        ),
        migrations.RemoveConstraint(
            model_name='job',
            name='job_export_has_a_reason',
        ),
        migrations.AlterField(
            model_name='job',
            name='kind',
            field=models.CharField(choices=[('verify', 'verification'), ('range', 'verification of some entries'), ('export', 'export')], max_length=8),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['verify', 'range', 'export'])), name='job_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'export'), _negated=True), models.Q(('format', ''), ('reason', ''), _negated=True), _connector='OR'), name='job_export_has_a_reason'),
        ),
        migrations.RunPython(put_back, put_aside),
    ]
