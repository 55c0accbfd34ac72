"""Who may speak for a person, and who may never: what was written stays, what is filled in stays.

Nothing here leads to a person whose key is destroyed, so nothing of it is wiped.
"""

import common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# table: columns that never change, and columns that are filled once.
KEPT = {
    "consent_representative": (
        ["id", "ref", "subject_id", "kind", "who", "paper", "entry_id", "works_for_id", "starts",
         "ends", "recorded_by_id", "recorded_at"],
        ["ended_by_id", "ended_at"],
    ),
    "consent_spoken": (["id", "consent_id", "representative_id", "assent"], []),
    "consent_minority": (
        ["id", "ref", "subject_id", "majority", "alone", "entry_id", "recorded_by_id", "recorded_at"],
        ["ended_by_id", "ended_at"],
    ),
    "consent_flag": (
        ["id", "ref", "subject_id", "who", "threat", "entry_id", "made_by_id", "made_at"],
        [],
    ),
    "consent_dispute": (
        ["id", "ref", "subject_id", "entry_id", "reported_by_id", "reported_at"],
        ["resolved_by_id", "resolved_at"],
    ),
    "consent_death": (
        ["id", "ref", "subject_id", "reported_by_id", "reported_at", "documented", "entry_id"],
        ["agreed_by_id", "agreed_at", "counts_at", "taken_back_by_id", "taken_back_at"],
    ),
}
# What makes a row unique: SQLite's REPLACE asks no DELETE trigger.
ONE = "id = NEW.id OR ref = NEW.ref OR (subject_id = NEW.subject_id AND {open} IS NULL AND NEW.{open} IS NULL)"
LIKE = {
    "consent_representative": (
        "id = NEW.id OR ref = NEW.ref OR (subject_id = NEW.subject_id AND who = NEW.who"
        " AND ended_at IS NULL AND NEW.ended_at IS NULL)"
    ),
    "consent_spoken": "id = NEW.id OR consent_id = NEW.consent_id",
    "consent_minority": ONE.format(open="ended_at"),
    "consent_flag": (
        "id = NEW.id OR ref = NEW.ref OR (subject_id = NEW.subject_id AND who = NEW.who)"
    ),
    "consent_dispute": ONE.format(open="resolved_at"),
    "consent_death": ONE.format(open="taken_back_at"),
}


def changed(table, differs):
    fixed, filled = KEPT[table]
    return " OR ".join(
        [
            *(f"NEW.{name} {differs} OLD.{name}" for name in fixed),
            *(f"(OLD.{name} IS NOT NULL AND NEW.{name} {differs} OLD.{name})" for name in filled),
        ]
    )


def postgres_statements():
    for table in KEPT:
        # Where nothing is filled in, nothing is updated: the service's own role may not even try.
        when = f" WHEN ({changed(table, 'IS DISTINCT FROM')})" if KEPT[table][1] else ""
        yield (
            f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {table} FOR EACH ROW"
            f"{when} EXECUTE FUNCTION consent_refuse()"
        )
        yield (
            f"CREATE TRIGGER append_only_delete BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION consent_refuse()"
        )
        yield (
            f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION consent_refuse()"
        )


def sqlite_statements():
    refuse = "BEGIN SELECT RAISE(ABORT, 'append_only: this is refused'); END"
    for table in KEPT:
        yield (
            f"CREATE TRIGGER append_only_{table}_update BEFORE UPDATE ON {table}"
            f" WHEN {changed(table, 'IS NOT')} {refuse}"
        )
        yield f"CREATE TRIGGER append_only_{table}_delete BEFORE DELETE ON {table} {refuse}"
        yield (
            f"CREATE TRIGGER append_only_{table}_insert BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {LIKE[table]})"
            f" BEGIN SELECT RAISE(ABORT, 'append_only: INSERT on {table} is refused'); END"
        )


def protect(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in postgres_statements() if postgres else sqlite_statements():
            cursor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0014_who_may_speak'),
        ('consent', '0011_helping'),
        ('governance', '0014_who_may_speak'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Death',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.death_reference, max_length=32, unique=True)),
                ('reported_at', models.DateTimeField()),
                ('documented', models.BooleanField()),
                ('agreed_at', models.DateTimeField(null=True)),
                ('counts_at', models.DateTimeField(null=True)),
                ('taken_back_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Dispute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.dispute_reference, max_length=32, unique=True)),
                ('reported_at', models.DateTimeField()),
                ('resolved_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Flag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.flag_reference, max_length=32, unique=True)),
                ('who', models.CharField(max_length=64)),
                ('threat', models.CharField(choices=[('abuser', 'harmed this person'), ('trafficker', 'used this person'), ('of_parent', "harmed this person's other parent")], max_length=16)),
                ('made_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Minority',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.minority_reference, max_length=32, unique=True)),
                ('majority', models.DateField()),
                ('alone', models.BooleanField()),
                ('recorded_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Representative',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.representative_reference, max_length=32, unique=True)),
                ('kind', models.CharField(choices=[('parent', 'a parent or guardian of a minor'), ('guardian', 'a guardian named by a court'), ('estate', 'who settles what a person who died has left')], max_length=16)),
                ('who', models.CharField(max_length=64)),
                ('paper', models.CharField(choices=[('birth', 'a birth record'), ('order', 'an order of a court'), ('letters', 'papers of the estate')], max_length=16)),
                ('starts', models.DateTimeField()),
                ('ends', models.DateTimeField()),
                ('recorded_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Spoken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('assent', models.CharField(choices=[('signed', 'she signed too'), ('spoken', 'she said yes too'), ('unable', 'she was asked and could not answer'), ('died', 'she has died')], max_length=16)),
            ],
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(condition=models.Q(('ended_at__isnull', True), ('signer', 'guardian')), fields=['recipient', 'purpose', 'holder', 'subject'], name='consent_spoken_for'),
        ),
        migrations.AddField(
            model_name='death',
            name='agreed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='death',
            name='entry',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry'),
        ),
        migrations.AddField(
            model_name='death',
            name='reported_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='death',
            name='subject',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deaths', to='consent.subject'),
        ),
        migrations.AddField(
            model_name='death',
            name='taken_back_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='dispute',
            name='entry',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry'),
        ),
        migrations.AddField(
            model_name='dispute',
            name='reported_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='dispute',
            name='resolved_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='dispute',
            name='subject',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='consent.subject'),
        ),
        migrations.AddField(
            model_name='flag',
            name='entry',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry'),
        ),
        migrations.AddField(
            model_name='flag',
            name='made_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='flag',
            name='subject',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='flags', to='consent.subject'),
        ),
        migrations.AddField(
            model_name='minority',
            name='ended_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='minority',
            name='entry',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry'),
        ),
        migrations.AddField(
            model_name='minority',
            name='recorded_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='minority',
            name='subject',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='minorities', to='consent.subject'),
        ),
        migrations.AddField(
            model_name='representative',
            name='ended_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='representative',
            name='entry',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry'),
        ),
        migrations.AddField(
            model_name='representative',
            name='recorded_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='representative',
            name='subject',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='speakers', to='consent.subject'),
        ),
        migrations.AddField(
            model_name='representative',
            name='works_for',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation'),
        ),
        migrations.AddField(
            model_name='spoken',
            name='consent',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='spoken', to='consent.consent'),
        ),
        migrations.AddField(
            model_name='spoken',
            name='representative',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='yeses', to='consent.representative'),
        ),
        migrations.AddConstraint(
            model_name='death',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('agreed_at__isnull', True), ('agreed_by__isnull', True)), models.Q(('agreed_at__isnull', False), ('agreed_by__isnull', False)), _connector='OR'), name='death_agreed_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='death',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('taken_back_at__isnull', True), ('taken_back_by__isnull', True)), models.Q(('taken_back_at__isnull', False), ('taken_back_by__isnull', False)), _connector='OR'), name='death_taken_back_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='death',
            constraint=models.CheckConstraint(condition=models.Q(('agreed_by__isnull', True), models.Q(('agreed_by', models.F('reported_by')), _negated=True), _connector='OR'), name='death_by_two'),
        ),
        migrations.AddConstraint(
            model_name='death',
            constraint=models.CheckConstraint(condition=models.Q(('counts_at__isnull', True), ('documented', True), ('agreed_at__isnull', False), _connector='OR'), name='death_by_two_or_a_paper'),
        ),
        migrations.AddConstraint(
            model_name='death',
            constraint=models.UniqueConstraint(condition=models.Q(('taken_back_at__isnull', True)), fields=('subject',), name='death_one_stands'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('resolved_at__isnull', True), ('resolved_by__isnull', True)), models.Q(('resolved_at__isnull', False), ('resolved_by__isnull', False)), _connector='OR'), name='dispute_resolved_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.UniqueConstraint(condition=models.Q(('resolved_at__isnull', True)), fields=('subject',), name='dispute_one_open'),
        ),
        migrations.AddConstraint(
            model_name='flag',
            constraint=models.CheckConstraint(condition=models.Q(('threat__in', ['abuser', 'trafficker', 'of_parent'])), name='flag_threat_known'),
        ),
        migrations.AddConstraint(
            model_name='flag',
            constraint=models.CheckConstraint(condition=models.Q(('who__regex', '^[0-9a-f]{64}$')), name='flag_who_is_a_digest'),
        ),
        migrations.AddConstraint(
            model_name='flag',
            constraint=models.UniqueConstraint(fields=('subject', 'who'), name='flag_once'),
        ),
        migrations.AddConstraint(
            model_name='minority',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True)), models.Q(('ended_at__isnull', False), ('ended_by__isnull', False)), _connector='OR'), name='minority_ended_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='minority',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('subject',), name='minority_one_stands'),
        ),
        migrations.AddConstraint(
            model_name='representative',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['parent', 'guardian', 'estate'])), name='speaker_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='representative',
            constraint=models.CheckConstraint(condition=models.Q(('paper__in', ['birth', 'order', 'letters'])), name='speaker_paper_known'),
        ),
        migrations.AddConstraint(
            model_name='representative',
            constraint=models.CheckConstraint(condition=models.Q(('who__regex', '^[0-9a-f]{64}$')), name='speaker_who_is_a_digest'),
        ),
        migrations.AddConstraint(
            model_name='representative',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'guardian'), _negated=True), ('paper', 'order'), _connector='OR'), name='speaker_guardian_by_order'),
        ),
        migrations.AddConstraint(
            model_name='representative',
            constraint=models.CheckConstraint(condition=models.Q(('starts__isnull', True), ('ends__isnull', True), ('starts__lt', models.F('ends')), _connector='OR'), name='speaker_starts_before_end'),
        ),
        migrations.AddConstraint(
            model_name='representative',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True)), models.Q(('ended_at__isnull', False), ('ended_by__isnull', False)), _connector='OR'), name='speaker_ended_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='representative',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('subject', 'who'), name='speaker_once'),
        ),
        migrations.AddConstraint(
            model_name='spoken',
            constraint=models.CheckConstraint(condition=models.Q(('assent__in', ['signed', 'spoken', 'unable', 'died'])), name='spoken_assent_known'),
        ),
        # No way back: what is kept stays kept.
        migrations.RunPython(protect),
    ]
