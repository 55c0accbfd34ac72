"""That a yes came to its end by its date is written down.

Those that are past it already are written down by the clock, which takes them in turn. SQLite adds a
check by making the table anew, and with the old one its triggers go: they are kept aside in the same
transaction and put back. The next migration lets the mark stay.
"""

from django.db import migrations, models

ASIDE = "consent_triggers_aside"


def put_aside(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {ASIDE} (name text, sql text)")
        cursor.execute(
            f"INSERT INTO {ASIDE} SELECT name, sql FROM sqlite_master"
            " WHERE type = 'trigger' AND sql LIKE '%consent_consent%'"
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
        ('consent', '0013_contests'),
    ]

    operations = [
        migrations.RunPython(put_aside, put_back),
        migrations.AddField(
            model_name='consent',
            name='expired_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(condition=models.Q(('ended_at__isnull', True), ('expired_at__isnull', True)), fields=['ends'], name='consent_to_expire'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('expired_at__isnull', True), ('expired_at__gte', models.F('ends')), ('signer', 'guardian'), _connector='OR'), name='consent_expired_past_its_end'),
        ),
        migrations.RunPython(put_back, put_aside),
    ]
