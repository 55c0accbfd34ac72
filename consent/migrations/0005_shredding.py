"""Shredding a person's key, and legal holds.

SQLite changes a constraint by making the table anew, and with the old one its triggers go: they are
kept aside in the same transaction and put back.
"""

import common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ASIDE = "consent_triggers_aside"


def put_aside(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {ASIDE} (name text, sql text)")
        cursor.execute(
            f"INSERT INTO {ASIDE} SELECT name, sql FROM sqlite_master"
            " WHERE type = 'trigger' AND (sql LIKE '%consent_%')"
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
        ('audit', '0007_details_stay'),
        ('consent', '0004_covering_indexes'),
        ('governance', '0009_words_of_shredding'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(put_aside, put_back),
        migrations.CreateModel(
            name='LegalHold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.hold_reference, max_length=32, unique=True)),
                ('ground', models.CharField(choices=[('court_order', 'an order of a court'), ('proceedings', 'a case before a court'), ('statute', 'a law says how long it is kept'), ('complaint', 'a complaint that is being looked into')], max_length=16)),
                ('placed_at', models.DateTimeField()),
                ('ends', models.DateTimeField()),
                ('lifted_at', models.DateTimeField(null=True)),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('placed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='consent.subject')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('ground__in', ['court_order', 'proceedings', 'statute', 'complaint'])), name='hold_ground_known'),
                    models.CheckConstraint(condition=models.Q(('placed_at__isnull', True), ('ends__isnull', True), ('placed_at__lt', models.F('ends')), _connector='OR'), name='hold_placed_before_end'),
                    models.CheckConstraint(condition=models.Q(models.Q(('lifted_at__isnull', True), ('lifted_by__isnull', True)), models.Q(('lifted_at__isnull', False), ('lifted_by__isnull', False)), _connector='OR'), name='hold_lifted_by_somebody'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Shredding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.shredding_reference, max_length=32, unique=True)),
                ('asked_at', models.DateTimeField()),
                ('agreed_at', models.DateTimeField(null=True)),
                ('called_off_at', models.DateTimeField(null=True)),
                ('shredded_at', models.DateTimeField(null=True)),
                ('cleaned_at', models.DateTimeField(null=True)),
                ('agreed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('called_off_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shreddings', to='consent.subject')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('agreed_by__isnull', True), models.Q(('agreed_by', models.F('asked_by')), _negated=True), _connector='OR'), name='shredding_by_two'),
                    models.CheckConstraint(condition=models.Q(models.Q(('agreed_at__isnull', True), ('agreed_by__isnull', True)), models.Q(('agreed_at__isnull', False), ('agreed_by__isnull', False)), _connector='OR'), name='shredding_agreed_by_somebody'),
                    models.CheckConstraint(condition=models.Q(('shredded_at__isnull', True), models.Q(('agreed_at__isnull', False), ('called_off_at__isnull', True)), _connector='OR'), name='shredding_done_was_agreed'),
                    models.CheckConstraint(condition=models.Q(('called_off_by__isnull', True), ('called_off_at__isnull', False), _connector='OR'), name='shredding_called_off_at_a_time'),
                    models.CheckConstraint(condition=models.Q(('cleaned_at__isnull', True), ('shredded_at__isnull', False), _connector='OR'), name='shredding_cleaned_after'),
                    models.UniqueConstraint(condition=models.Q(('called_off_at__isnull', True)), fields=('subject',), name='shredding_one_open'),
                ],
            },
        ),
        migrations.AddField(
            model_name='subject',
            name='shredded_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name='consent',
            name='recorded_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='objection',
            name='made_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='subject',
            constraint=models.CheckConstraint(condition=models.Q(('shredded_at__isnull', True), models.Q(('account__isnull', True), ('wrapped_key', b'')), _connector='OR'), name='subject_shredded_keeps_nothing'),
        ),
        migrations.RunPython(put_back, put_aside),
    ]
