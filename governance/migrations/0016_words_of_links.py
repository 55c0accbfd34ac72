"""What a person parted again stays apart after a restore.

SQLite changes a constraint by making the table anew, and with the old one its triggers go: they are
kept aside in the same transaction and put back.
"""

from django.db import migrations, models


ASIDE = "governance_triggers_aside"


def put_aside(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {ASIDE} (name text, sql text)")
        cursor.execute(
            f"INSERT INTO {ASIDE} SELECT name, sql FROM sqlite_master"
            " WHERE type = 'trigger' AND (sql LIKE '%governance_scopemove%' OR sql LIKE '%governance_keptno%')"
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
        ('governance', '0015_care_of_categories'),
    ]

    operations = [
        migrations.RunPython(put_aside, put_back),
        migrations.RemoveConstraint(
            model_name='keptno',
            name='kept_no_act_known',
        ),
        migrations.AlterField(
            model_name='keptno',
            name='act',
            field=models.CharField(choices=[('consent_withdrawn', 'sharing stopped'), ('consent_paused', 'sharing paused'), ('consent_narrowed', 'sharing narrowed'), ('consent_superseded', 'sharing replaced'), ('consent_invalidated', 'sharing found not valid'), ('objection_made', 'objection made'), ('agreement_suspended', 'agreement suspended'), ('agreement_ended', 'agreement ended'), ('request_ended', 'request ended'), ('dataset_paused', 'dataset paused'), ('dataset_retired', 'dataset retired'), ('purpose_paused', 'purpose paused'), ('purpose_retired', 'purpose retired'), ('field_reclassified', 'field moved to another category'), ('category_restricted', 'category put under rules of its own'), ('membership_ended', 'membership ended'), ('key_ended', "recipient's key ended"), ('subject_shredded', "a person's key destroyed"), ('speaker_ended', 'somebody may speak for a person no more'), ('speaker_stopped', 'sharing stopped by who may speak for a person'), ('speaker_flagged', 'somebody may never speak for a person'), ('minority_recorded', 'a person recorded as a minor'), ('dispute_reported', 'a dispute on who may speak for a person'), ('death_recorded', "a person's death recorded"), ('account_ended', 'account ended'), ('account_shut', 'account shut until it begins anew'), ('invitation_withdrawn', 'invitation taken back'), ('seat_ended', 'seat ended'), ('token_revoked', 'token revoked'), ('shredding_called_off', 'shredding called off'), ('hold_placed', 'legal hold placed'), ('yes_cancelled', 'a yes taken back before it started'), ('no_kept', 'a no that stays after all'), ('assignment_ended', "a helper's work with a person ended"), ('worker_blocked', "a helper kept from a person's page"), ('subjects_split', 'records that a person parted again')], max_length=32),
        ),
        migrations.AddConstraint(
            model_name='keptno',
            constraint=models.CheckConstraint(condition=models.Q(('act__in', ['consent_withdrawn', 'consent_paused', 'consent_narrowed', 'consent_superseded', 'consent_invalidated', 'objection_made', 'agreement_suspended', 'agreement_ended', 'request_ended', 'dataset_paused', 'dataset_retired', 'purpose_paused', 'purpose_retired', 'field_reclassified', 'category_restricted', 'membership_ended', 'key_ended', 'subject_shredded', 'speaker_ended', 'speaker_stopped', 'speaker_flagged', 'minority_recorded', 'dispute_reported', 'death_recorded', 'account_ended', 'account_shut', 'invitation_withdrawn', 'seat_ended', 'token_revoked', 'shredding_called_off', 'hold_placed', 'yes_cancelled', 'no_kept', 'assignment_ended', 'worker_blocked', 'subjects_split'])), name='kept_no_act_known'),
        ),
        migrations.RunPython(put_back, put_aside),
    ]
