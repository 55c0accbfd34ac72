"""Why a record was kept back may be that it was about papers and the recipient is immigration.

SQLite changes a constraint by making the table anew, and with the old one its triggers go: they are
kept aside in the same transaction and put back.
"""

from django.db import migrations, models

ASIDE = "release_triggers_aside"


def put_aside(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {ASIDE} (name text, sql text)")
        cursor.execute(
            f"INSERT INTO {ASIDE} SELECT name, sql FROM sqlite_master"
            " WHERE type = 'trigger' AND (sql LIKE '%release_withheld%')"
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
        ('release', '0010_recalls'),
    ]

    operations = [
        migrations.RunPython(put_aside, put_back),
        migrations.RemoveConstraint(
            model_name='withheld',
            name='withheld_ground_known',
        ),
        migrations.AlterField(
            model_name='withheld',
            name='ground',
            field=models.CharField(choices=[('no_request', 'the request is not approved'), ('request_period', "outside the request's period"), ('no_agreement', 'no agreement covers this'), ('agreement_suspended', 'the agreement is suspended'), ('agreement_period', "outside the agreement's period"), ('agreement_dataset', 'the agreement does not cover this dataset'), ('agreement_purpose', 'the agreement does not cover this purpose'), ('agreement_category', 'the agreement does not cover these categories'), ('dataset_not_active', 'the dataset is paused or retired'), ('purpose_not_active', 'the purpose is paused or retired'), ('reporting_rows', 'reporting never receives rows'), ('immigration_facts', 'what is about papers never goes to immigration'), ('no_key', 'the recipient has no current key'), ('no_member', 'nobody of the recipient may ask any more'), ('no_version', 'nothing has been loaded yet'), ('narrative', 'free text never leaves this way'), ('nobody', 'nobody said yes'), ('no_consent', 'no yes was given'), ('paused', 'paused'), ('not_started', 'not started yet'), ('expired', 'past its end'), ('withdrawn', 'stopped'), ('objected', 'the person objects'), ('other_categories', 'said yes to other information only'), ('record_period', 'recorded after the day the yes covers'), ('another_person', 'another person in the record did not say yes'), ('changed_while_written', 'changed while written, ask again'), ('engine', 'the engine ran out of memory')], max_length=24),
        ),
        migrations.AddConstraint(
            model_name='withheld',
            constraint=models.CheckConstraint(condition=models.Q(('ground__in', ['no_request', 'request_period', 'no_agreement', 'agreement_suspended', 'agreement_period', 'agreement_dataset', 'agreement_purpose', 'agreement_category', 'dataset_not_active', 'purpose_not_active', 'reporting_rows', 'immigration_facts', 'no_key', 'no_member', 'no_version', 'narrative', 'nobody', 'no_consent', 'paused', 'not_started', 'expired', 'withdrawn', 'objected', 'other_categories', 'record_period', 'another_person', 'changed_while_written', 'engine'])), name='withheld_ground_known'),
        ),
        migrations.RunPython(put_back, put_aside),
    ]
