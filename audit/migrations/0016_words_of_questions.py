"""The log knows that what somebody asked, and was answered, is erased.

SQLite changes a constraint by making the table anew, and with the old one its triggers go: they are
kept aside in the same transaction and put back.
"""

from django.db import migrations, models

ASIDE = "audit_triggers_aside"


def put_aside(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {ASIDE} (name text, sql text)")
        cursor.execute(
            f"INSERT INTO {ASIDE} SELECT name, sql FROM sqlite_master"
            " WHERE type = 'trigger' AND (sql LIKE '%audit_entry%')"
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
        ('audit', '0015_word_of_care'),
    ]

    operations = [
        migrations.RunPython(put_aside, put_back),
        migrations.RemoveConstraint(
            model_name='entry',
            name='entry_type_is_a_word',
        ),
        migrations.AlterField(
            model_name='entry',
            name='type',
            field=models.CharField(choices=[('consent:requested', 'Consent Requested'), ('consent:deferred', 'Consent Deferred'), ('consent:given', 'Consent Given'), ('consent:renewed', 'Consent Renewed'), ('consent:narrowed', 'Consent Narrowed'), ('consent:paused', 'Consent Paused'), ('consent:resumed', 'Consent Resumed'), ('consent:refused', 'Consent Refused'), ('consent:withdrawn', 'Consent Withdrawn'), ('consent:expired', 'Consent Expired'), ('consent:invalidated', 'Consent Invalidated'), ('consent:superseded', 'Consent Superseded'), ('consent:imported', 'Consent Imported'), ('consent:signed', 'Consent Signed'), ('consent:cancelled', 'Consent Cancelled'), ('consent:lapsed', 'Consent Lapsed'), ('objection:made', 'Objection Made'), ('objection:narrowed', 'Objection Narrowed'), ('objection:lifted', 'Objection Lifted'), ('objection:lifting', 'Objection Lifting'), ('objection:kept', 'Objection Kept'), ('terms:published', 'Terms Published'), ('terms:retired', 'Terms Retired'), ('subject:enrolled', 'Subject Enrolled'), ('subject:linked', 'Subject Linked'), ('subject:unlinked', 'Subject Unlinked'), ('subject:tagged', 'Subject Tagged'), ('subject:restricted', 'Subject Restricted'), ('subject:assigned', 'Subject Assigned'), ('subject:transferred', 'Subject Transferred'), ('subject:read', 'Subject Read'), ('worker:blocked', 'Worker Blocked'), ('worker:unblocked', 'Worker Unblocked'), ('stop:checked', 'Stop Checked'), ('representative:named', 'Representative Named'), ('representative:flagged', 'Representative Flagged'), ('representative:ended', 'Representative Ended'), ('question:asked', 'Question Asked'), ('question:answered', 'Question Answered'), ('question:erased', 'Question Erased'), ('correction:asked', 'Correction Asked'), ('correction:decided', 'Correction Decided'), ('organisation:created', 'Organisation Created'), ('organisation:changed', 'Organisation Changed'), ('user:created', 'User Created'), ('user:changed', 'User Changed'), ('user:ended', 'User Ended'), ('membership:granted', 'Membership Granted'), ('membership:ended', 'Membership Ended'), ('invitation:made', 'Invitation Made'), ('invitation:withdrawn', 'Invitation Withdrawn'), ('invitation:accepted', 'Invitation Accepted'), ('reset:asked', 'Reset Asked'), ('reset:agreed', 'Reset Agreed'), ('reset:withdrawn', 'Reset Withdrawn'), ('reset:used', 'Reset Used'), ('token:issued', 'Token Issued'), ('token:revoked', 'Token Revoked'), ('signin:failed', 'Signin Failed'), ('catalogue:loaded', 'Catalogue Loaded'), ('category:versioned', 'Category Versioned'), ('category:restricted', 'Category Restricted'), ('purpose:changed', 'Purpose Changed'), ('field:classified', 'Field Classified'), ('dataset:created', 'Dataset Created'), ('dataset:ingested', 'Dataset Ingested'), ('dataset:rejected', 'Dataset Rejected'), ('dataset:paused', 'Dataset Paused'), ('dataset:resumed', 'Dataset Resumed'), ('dataset:retired', 'Dataset Retired'), ('dataset:released', 'Dataset Released'), ('dataset:refused', 'Dataset Refused'), ('agreement:drafted', 'Agreement Drafted'), ('agreement:signed', 'Agreement Signed'), ('agreement:narrowed', 'Agreement Narrowed'), ('agreement:suspended', 'Agreement Suspended'), ('agreement:resumed', 'Agreement Resumed'), ('agreement:ended', 'Agreement Ended'), ('board:chartered', 'Board Chartered'), ('seat:filled', 'Seat Filled'), ('seat:ended', 'Seat Ended'), ('ballot:cast', 'Ballot Cast'), ('ballot:recused', 'Ballot Recused'), ('request:drafted', 'Request Drafted'), ('request:submitted', 'Request Submitted'), ('request:decided', 'Request Decided'), ('request:paused', 'Request Paused'), ('request:withdrawn', 'Request Withdrawn'), ('request:lapsed', 'Request Lapsed'), ('request:ended', 'Request Ended'), ('release:asked', 'Release Asked'), ('release:prepared', 'Release Prepared'), ('release:refused', 'Release Refused'), ('release:voided', 'Release Voided'), ('release:compelled', 'Release Compelled'), ('release:counted', 'Release Counted'), ('inquiry:answered', 'Inquiry Answered'), ('download:given', 'Download Given'), ('download:refused', 'Download Refused'), ('download:stopped', 'Download Stopped'), ('recall:opened', 'Recall Opened'), ('recall:acknowledged', 'Recall Acknowledged'), ('recall:reported', 'Recall Reported'), ('recall:overdue', 'Recall Overdue'), ('key:registered', 'Key Registered'), ('key:rotated', 'Key Rotated'), ('key:ended', 'Key Ended'), ('shredding:asked', 'Shredding Asked'), ('shredding:agreed', 'Shredding Agreed'), ('shredding:halted', 'Shredding Called Off'), ('key:shredded', 'Key Shredded'), ('hold:placed', 'Hold Placed'), ('hold:lifted', 'Hold Lifted'), ('speaker:recorded', 'Speaker Recorded'), ('speaker:ended', 'Speaker Ended'), ('speaker:stopped', 'Speaker Stopped'), ('speaker:flagged', 'Speaker Flagged'), ('speaker:refused', 'Speaker Refused'), ('minority:recorded', 'Minority Recorded'), ('dispute:reported', 'Dispute Reported'), ('dispute:resolved', 'Dispute Resolved'), ('death:reported', 'Death Reported'), ('death:agreed', 'Death Agreed'), ('death:halted', 'Death Taken Back'), ('log:read', 'Log Read'), ('log:searched', 'Log Searched'), ('log:exported', 'Log Exported'), ('log:verified', 'Log Verified'), ('journal:changed', 'Journal Changed'), ('finding:opened', 'Finding Opened'), ('finding:answered', 'Finding Answered'), ('finding:closed', 'Finding Closed'), ('case:opened', 'Case Opened'), ('case:closed', 'Case Closed'), ('handle:issued', 'Handle Issued'), ('search:saved', 'Search Saved'), ('membership:reviewed', 'Membership Reviewed'), ('worksheet:drawn', 'Worksheet Drawn'), ('worksheet:checked', 'Worksheet Checked')], max_length=40),
        ),
        migrations.AddConstraint(
            model_name='entry',
            constraint=models.CheckConstraint(condition=models.Q(('type__in', ['consent:requested', 'consent:deferred', 'consent:given', 'consent:renewed', 'consent:narrowed', 'consent:paused', 'consent:resumed', 'consent:refused', 'consent:withdrawn', 'consent:expired', 'consent:invalidated', 'consent:superseded', 'consent:imported', 'consent:signed', 'consent:cancelled', 'consent:lapsed', 'objection:made', 'objection:narrowed', 'objection:lifted', 'objection:lifting', 'objection:kept', 'terms:published', 'terms:retired', 'subject:enrolled', 'subject:linked', 'subject:unlinked', 'subject:tagged', 'subject:restricted', 'subject:assigned', 'subject:transferred', 'subject:read', 'worker:blocked', 'worker:unblocked', 'stop:checked', 'representative:named', 'representative:flagged', 'representative:ended', 'question:asked', 'question:answered', 'question:erased', 'correction:asked', 'correction:decided', 'organisation:created', 'organisation:changed', 'user:created', 'user:changed', 'user:ended', 'membership:granted', 'membership:ended', 'invitation:made', 'invitation:withdrawn', 'invitation:accepted', 'reset:asked', 'reset:agreed', 'reset:withdrawn', 'reset:used', 'token:issued', 'token:revoked', 'signin:failed', 'catalogue:loaded', 'category:versioned', 'category:restricted', 'purpose:changed', 'field:classified', 'dataset:created', 'dataset:ingested', 'dataset:rejected', 'dataset:paused', 'dataset:resumed', 'dataset:retired', 'dataset:released', 'dataset:refused', 'agreement:drafted', 'agreement:signed', 'agreement:narrowed', 'agreement:suspended', 'agreement:resumed', 'agreement:ended', 'board:chartered', 'seat:filled', 'seat:ended', 'ballot:cast', 'ballot:recused', 'request:drafted', 'request:submitted', 'request:decided', 'request:paused', 'request:withdrawn', 'request:lapsed', 'request:ended', 'release:asked', 'release:prepared', 'release:refused', 'release:voided', 'release:compelled', 'release:counted', 'inquiry:answered', 'download:given', 'download:refused', 'download:stopped', 'recall:opened', 'recall:acknowledged', 'recall:reported', 'recall:overdue', 'key:registered', 'key:rotated', 'key:ended', 'shredding:asked', 'shredding:agreed', 'shredding:halted', 'key:shredded', 'hold:placed', 'hold:lifted', 'speaker:recorded', 'speaker:ended', 'speaker:stopped', 'speaker:flagged', 'speaker:refused', 'minority:recorded', 'dispute:reported', 'dispute:resolved', 'death:reported', 'death:agreed', 'death:halted', 'log:read', 'log:searched', 'log:exported', 'log:verified', 'journal:changed', 'finding:opened', 'finding:answered', 'finding:closed', 'case:opened', 'case:closed', 'handle:issued', 'search:saved', 'membership:reviewed', 'worksheet:drawn', 'worksheet:checked'])), name='entry_type_is_a_word'),
        ),
        migrations.RunPython(put_back, put_aside),
    ]
