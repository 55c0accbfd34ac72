"""An ask for a yes, and a no that is to be lifted: what was written stays, what is filled in stays.

Only what leads to a shredded person goes, as everywhere (0006).
"""

import common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# Rows that never change, with what makes a row unique: SQLite's REPLACE asks no DELETE trigger.
FIXED = {
    "consent_proposalitem": ["id", "proposal_id", "category_id"],
    "consent_proposalstep": ["id", "proposal_id", "turn", "at", "entry_id"],
    "consent_invalidation": ["id", "consent_id", "reason"],
}
LIKE = {
    "consent_proposalitem": (
        "id = NEW.id OR (proposal_id = NEW.proposal_id AND category_id = NEW.category_id)"
    ),
    "consent_proposalstep": "id = NEW.id",
    "consent_invalidation": "id = NEW.id OR consent_id = NEW.consent_id",
    "consent_proposal": (
        "id = NEW.id OR ref = NEW.ref OR renews_id = NEW.renews_id"
        " OR (closed_at IS NULL AND NEW.closed_at IS NULL AND subject_id = NEW.subject_id"
        " AND recipient_id = NEW.recipient_id AND purpose_id = NEW.purpose_id)"
    ),
    "consent_lifting": (
        "id = NEW.id OR ref = NEW.ref OR (objection_id = NEW.objection_id"
        " AND cancelled_at IS NULL AND done_at IS NULL"
        " AND NEW.cancelled_at IS NULL AND NEW.done_at IS NULL)"
    ),
}
# table: columns that never change, columns that are filled once, when no column changes any more,
# what is wiped of a shredded person, and whose row it is.
STEPS = {
    "consent_proposal": (
        ["id", "ref", "subject_id", "recipient_id", "purpose_id", "terms_id", "days", "renews_id",
         "asked_by_id", "asked_at", "answer_by"],
        ["chosen_id", "signed_at", "signed_by_id", "ends", "record_until", "takes_effect_at",
         "consent_id"],
        "OLD.closed_at IS NOT NULL OR (OLD.signed_at IS NOT NULL AND ("
        "NEW.signature <> OLD.signature OR NEW.answers <> OLD.answers"
        " OR NEW.channel <> OLD.channel OR NEW.lawyer_offered <> OLD.lawyer_offered))",
        {"signature": "wiped", "asked_by_id": None, "signed_by_id": None},
        "OLD.subject_id",
    ),
    "consent_lifting": (
        ["id", "ref", "objection_id", "recipient_id", "recipient_kind", "purpose_id",
         "category_id", "asked_at", "asked_by_id", "due_at"],
        [],
        "OLD.cancelled_at IS NOT NULL OR OLD.done_at IS NOT NULL",
        {"asked_by_id": None},
        "(SELECT subject_id FROM consent_objection WHERE id = OLD.objection_id)",
    ),
}
COLUMNS = {
    "consent_proposal": [
        *STEPS["consent_proposal"][0], *STEPS["consent_proposal"][1], "state", "channel",
        "signature", "answers", "lawyer_offered", "closed_at",
    ],
    "consent_lifting": [*STEPS["consent_lifting"][0], "cancelled_at", "done_at"],
}
SHREDDED = "EXISTS (SELECT 1 FROM consent_subject WHERE slot = {whose} AND shredded_at IS NOT NULL)"

POSTGRES = """
CREATE OR REPLACE FUNCTION consent_only_wiped() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whose bigint;
BEGIN
    IF TG_TABLE_NAME = 'consent_consentevent' THEN
        SELECT subject_id INTO whose FROM consent_consent
            WHERE id = (to_jsonb(OLD) ->> 'consent_id')::bigint;
    ELSIF TG_TABLE_NAME = 'consent_lifting' THEN
        SELECT subject_id INTO whose FROM consent_objection
            WHERE id = (to_jsonb(OLD) ->> 'objection_id')::bigint;
    ELSE
        whose := (to_jsonb(OLD) ->> 'subject_id')::bigint;
    END IF;
    IF EXISTS (SELECT 1 FROM consent_subject WHERE slot = whose AND shredded_at IS NOT NULL) THEN
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        IF to_jsonb(NEW) = to_jsonb(OLD) || TG_ARGV[0]::jsonb THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'append_only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


def literal(value):
    return "NULL" if value is None else f"'{value}'"


def json_of(values):
    pairs = (
        f'"{name}": ' + ("null" if value is None else f'"{value}"') for name, value in values.items()
    )
    return "{" + ", ".join(pairs) + "}"


def postgres_statements():
    yield POSTGRES
    for table in [*FIXED, *STEPS]:
        yield (
            f"CREATE TRIGGER append_only_delete BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION consent_refuse()"
        )
        yield (
            f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION consent_refuse()"
        )
    for table in FIXED:
        yield (
            f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION consent_refuse()"
        )
    for table, (fixed, filled, closed, wiped, _whose) in STEPS.items():
        changed = " OR ".join(
            [
                *(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in fixed),
                *(
                    f"(OLD.{name} IS NOT NULL AND NEW.{name} IS DISTINCT FROM OLD.{name})"
                    for name in filled
                ),
                closed,
            ]
        )
        yield (
            f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN ({changed}) EXECUTE FUNCTION consent_only_wiped('{json_of(wiped)}')"
        )


def sqlite_statements():
    refuse = "BEGIN SELECT RAISE(ABORT, 'append_only: this is refused'); END"
    for table in [*FIXED, *STEPS]:
        yield f"CREATE TRIGGER append_only_{table}_delete BEFORE DELETE ON {table} {refuse}"
        yield (
            f"CREATE TRIGGER append_only_{table}_insert BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {LIKE[table]})"
            f" BEGIN SELECT RAISE(ABORT, 'append_only: INSERT on {table} is refused'); END"
        )
    for table in FIXED:
        yield f"CREATE TRIGGER append_only_{table}_update BEFORE UPDATE ON {table} {refuse}"
    for table, (fixed, filled, closed, wiped, whose) in STEPS.items():
        changed = " OR ".join(
            [
                *(f"NEW.{name} IS NOT OLD.{name}" for name in fixed),
                *(f"(OLD.{name} IS NOT NULL AND NEW.{name} IS NOT OLD.{name})" for name in filled),
                closed,
            ]
        )
        only = " AND ".join(
            f"NEW.{name} IS " + (literal(wiped[name]) if name in wiped else f"OLD.{name}")
            for name in COLUMNS[table]
        )
        yield (
            f"CREATE TRIGGER append_only_{table}_update BEFORE UPDATE ON {table}"
            f" WHEN ({changed}) AND NOT ({only} AND {SHREDDED.format(whose=whose)}) {refuse}"
        )


def protect(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in postgres_statements() if postgres else sqlite_statements():
            cursor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0012_words_of_proposals'),
        ('consent', '0009_enrolment_codes'),
        ('governance', '0012_words_of_proposals'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Proposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.proposal_reference, max_length=32, unique=True)),
                ('days', models.PositiveIntegerField()),
                ('asked_at', models.DateTimeField()),
                ('answer_by', models.DateTimeField()),
                ('state', models.CharField(choices=[('open', 'not answered yet'), ('deferred', 'decided later'), ('waiting', 'yes, and it has not started yet'), ('given', 'yes'), ('refused', 'no'), ('lapsed', 'ran out'), ('cancelled', 'taken back')], default='open', max_length=16)),
                ('channel', models.CharField(blank=True, choices=[('portal', 'on this page'), ('in_person', 'in person'), ('paper', 'on paper'), ('phone', 'by phone')], max_length=16)),
                ('signature', models.CharField(blank=True, max_length=200)),
                ('answers', models.CharField(blank=True, max_length=7)),
                ('lawyer_offered', models.BooleanField(default=False)),
                ('signed_at', models.DateTimeField(null=True)),
                ('ends', models.DateTimeField(null=True)),
                ('record_until', models.DateField(null=True)),
                ('takes_effect_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('chosen', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.categoryset')),
                ('consent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.consent')),
                ('purpose', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.purpose')),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation')),
                ('renews', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.consent')),
                ('signed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='consent.subject')),
                ('terms', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.terms')),
            ],
        ),
        migrations.CreateModel(
            name='ProposalItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('category', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.datacategory')),
                ('proposal', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='consent.proposal')),
            ],
        ),
        migrations.CreateModel(
            name='ProposalStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('turn', models.CharField(choices=[('asked', 'asked'), ('deferred', 'decided later'), ('signed', 'signed'), ('waived', 'started at once'), ('given', 'came into force'), ('refused', 'no'), ('lapsed', 'ran out'), ('cancelled', 'taken back')], max_length=16)),
                ('at', models.DateTimeField()),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
                ('proposal', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='consent.proposal')),
            ],
        ),
        migrations.CreateModel(
            name='Invalidation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('not_informed', 'the person was not told what it means'), ('not_free', 'the person was pressed'), ('not_entitled', 'who signed was not allowed to'), ('not_hers', "it is another person's"), ('not_signed', 'nobody signed it'), ('by_mistake', 'it was recorded by mistake')], max_length=16)),
                ('consent', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='invalidation', to='consent.consent')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('reason__in', ['not_informed', 'not_free', 'not_entitled', 'not_hers', 'not_signed', 'by_mistake'])), name='invalidation_reason_known')],
            },
        ),
        migrations.CreateModel(
            name='Lifting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.lifting_reference, max_length=32, unique=True)),
                ('recipient_kind', models.CharField(blank=True, choices=[('service_provider', 'service provider'), ('health', 'health'), ('police', 'police'), ('prosecutor', 'prosecutor'), ('immigration', 'immigration'), ('court', 'court'), ('research', 'research'), ('funder', 'funder'), ('government', 'government'), ('community', 'community'), ('public', 'the public')], max_length=32)),
                ('asked_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('cancelled_at', models.DateTimeField(null=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('category', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.datacategory')),
                ('objection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='liftings', to='consent.objection')),
                ('purpose', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.purpose')),
                ('recipient', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('recipient_kind', ''), ('recipient_kind__in', ['service_provider', 'health', 'police', 'prosecutor', 'immigration', 'court', 'research', 'funder', 'government', 'community', 'public']), _connector='OR'), name='lifting_kind_known'), models.CheckConstraint(condition=models.Q(('cancelled_at__isnull', True), ('done_at__isnull', True), _connector='OR'), name='lifting_done_or_cancelled'), models.UniqueConstraint(condition=models.Q(('cancelled_at__isnull', True), ('done_at__isnull', True)), fields=('objection',), name='lifting_one_open')],
            },
        ),
        migrations.AddIndex(
            model_name='proposal',
            index=models.Index(condition=models.Q(('closed_at__isnull', True)), fields=['state', 'takes_effect_at', 'answer_by'], name='proposal_unsettled'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'deferred', 'waiting', 'given', 'refused', 'lapsed', 'cancelled'])), name='proposal_state_known'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('channel', ''), ('channel__in', ['portal', 'in_person', 'paper', 'phone']), _connector='OR'), name='proposal_channel_known'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('days__gte', 1)), name='proposal_lasts_a_day'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('asked_at__isnull', True), ('answer_by__isnull', True), ('asked_at__lt', models.F('answer_by')), _connector='OR'), name='proposal_asked_before_its_end'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('chosen__isnull', True), ('ends__isnull', True), ('record_until__isnull', True), ('signed_at__isnull', True), ('takes_effect_at__isnull', True)), models.Q(('chosen__isnull', False), ('ends__isnull', False), ('record_until__isnull', False), ('signed_at__isnull', False), ('takes_effect_at__isnull', False)), _connector='OR'), name='proposal_signed_whole'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('signed_at__isnull', True), models.Q(('answers__regex', '^y{7}$'), models.Q(('signature', ''), _negated=True), models.Q(('channel', ''), _negated=True)), _connector='OR'), name='proposal_is_signed'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('state__in', ('open', 'deferred', 'waiting'))), models.Q(models.Q(('state__in', ('open', 'deferred', 'waiting')), _negated=True), ('closed_at__isnull', False)), _connector='OR'), name='proposal_settled_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ('open', 'deferred')), _negated=True), ('signed_at__isnull', True), _connector='OR'), name='proposal_unanswered_is_unsigned'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('consent__isnull', False), ('state', 'given')), models.Q(models.Q(('state', 'given'), _negated=True), ('consent__isnull', True)), _connector='OR'), name='proposal_given_is_a_consent'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['waiting', 'given']), _negated=True), ('signed_at__isnull', False), _connector='OR'), name='proposal_waiting_is_signed'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('subject', 'recipient', 'purpose'), name='proposal_one_unsettled'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.UniqueConstraint(fields=('renews',), name='proposal_renewed_once'),
        ),
        migrations.AddConstraint(
            model_name='proposalitem',
            constraint=models.UniqueConstraint(fields=('proposal', 'category'), name='proposal_item_once'),
        ),
        migrations.AddConstraint(
            model_name='proposalstep',
            constraint=models.CheckConstraint(condition=models.Q(('turn__in', ['asked', 'deferred', 'signed', 'waived', 'given', 'refused', 'lapsed', 'cancelled'])), name='proposal_turn_known'),
        ),
        # No way back: what is kept stays kept.
        migrations.RunPython(protect),
    ]
