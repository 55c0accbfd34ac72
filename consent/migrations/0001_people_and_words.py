"""People as organisations know them, the texts, and what people said."""

import common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    # One at once, where two made each model anew for every column and constraint.
    replaces = [('consent', '0001_initial'), ('consent', '0002_consents')]

    initial = True

    dependencies = [
        ('audit', '0002_append_only'),
        ('governance', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SlotBlock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('taken', models.PositiveIntegerField(default=0)),
                ('holder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('taken__gte', 0), ('taken__lte', 8192)), name='slot_block_not_overfull'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Subject',
            fields=[
                ('slot', models.IntegerField(primary_key=True, serialize=False)),
                ('wrapped_key', models.BinaryField(max_length=64)),
                ('enrolled_at', models.DateTimeField()),
                ('account', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='subjects', to=settings.AUTH_USER_MODEL)),
                ('holder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('slot__gte', 0)), name='subject_slot_positive'),
                ],
            },
        ),
        migrations.CreateModel(
            name='SubjectKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.BinaryField(max_length=32)),
                ('holder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation')),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='keys', to='consent.subject')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('holder', 'digest'), name='subject_key_once'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Terms',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=40)),
                ('version', models.PositiveIntegerField()),
                ('language', models.CharField(max_length=8)),
                ('title', models.CharField(max_length=120)),
                ('text', models.TextField()),
                ('digest', models.CharField(max_length=64)),
                ('published_at', models.DateTimeField()),
                ('retired_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('code', 'version', 'language'), name='terms_version_once_a_language'),
                    models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$')), name='terms_digest_is_sha256'),
                ],
            },
        ),
        migrations.CreateModel(
            name='CategorySet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='CategorySetItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('set', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='consent.categoryset')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.categoryversion')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('set', 'version'), name='category_set_item_once'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.consent_reference, max_length=32, unique=True)),
                ('channel', models.CharField(choices=[('portal', 'on this page'), ('in_person', 'in person'), ('paper', 'on paper'), ('phone', 'by phone')], max_length=16)),
                ('signer', models.CharField(choices=[('self', 'the person'), ('guardian', 'a guardian')], max_length=16)),
                ('authority', models.CharField(blank=True, max_length=120)),
                ('signature', models.CharField(max_length=200)),
                ('answers', models.CharField(max_length=7)),
                ('signed_at', models.DateTimeField()),
                ('recorded_at', models.DateTimeField()),
                ('starts', models.DateTimeField()),
                ('ends', models.DateTimeField()),
                ('record_until', models.DateField()),
                ('paused_at', models.DateTimeField(null=True)),
                ('paused_until', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('ending', models.CharField(choices=[('withdrawn', 'stopped'), ('superseded', 'replaced'), ('invalidated', 'not valid')], max_length=16, null=True)),
                ('category_set', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.categoryset')),
                ('holder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation')),
                ('purpose', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.purpose')),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation')),
                ('recorded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='consent.subject')),
                ('terms', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.terms')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('channel__in', ['portal', 'in_person', 'paper', 'phone'])), name='consent_channel_known'),
                    models.CheckConstraint(condition=models.Q(('signer__in', ['self', 'guardian'])), name='consent_signer_known'),
                    models.CheckConstraint(condition=models.Q(('ending__isnull', True), ('ending__in', ['withdrawn', 'superseded', 'invalidated']), _connector='OR'), name='consent_ending_known'),
                    models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ending__isnull', True)), models.Q(('ended_at__isnull', False), ('ending__isnull', False)), _connector='OR'), name='consent_end_has_a_how'),
                    models.CheckConstraint(condition=models.Q(('starts__isnull', True), ('ends__isnull', True), ('starts__lt', models.F('ends')), _connector='OR'), name='consent_starts_before_end'),
                    models.CheckConstraint(condition=models.Q(('paused_until__isnull', True), ('paused_at__isnull', False), _connector='OR'), name='consent_pause_has_a_start'),
                    models.CheckConstraint(condition=models.Q(('answers__regex', '^y{7}$')), name='consent_seven_answers_yes'),
                    models.CheckConstraint(condition=models.Q(('signature', ''), _negated=True), name='consent_is_signed'),
                    models.CheckConstraint(condition=models.Q(('signer', 'self'), models.Q(('authority', ''), _negated=True), _connector='OR'), name='consent_signer_authority'),
                    models.CheckConstraint(condition=models.Q(('holder', models.F('recipient')), _negated=True), name='consent_holder_is_not_recipient'),
                    models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('subject', 'holder', 'recipient', 'purpose'), name='consent_one_in_force'),
                ],
                'indexes': [
                    models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['recipient', 'purpose', 'holder'], include=('subject', 'category_set', 'starts', 'ends', 'record_until', 'paused_at', 'paused_until'), name='consent_set'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ConsentEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('happening', models.CharField(choices=[('requested', 'requested'), ('deferred', 'deferred'), ('given', 'given'), ('renewed', 'renewed'), ('narrowed', 'narrowed'), ('paused', 'paused'), ('resumed', 'resumed'), ('refused', 'refused'), ('withdrawn', 'stopped'), ('expired', 'ended'), ('invalidated', 'not valid'), ('superseded', 'replaced')], max_length=16)),
                ('at', models.DateTimeField()),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('consent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='consent.consent')),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('happening__in', ['requested', 'deferred', 'given', 'renewed', 'narrowed', 'paused', 'resumed', 'refused', 'withdrawn', 'expired', 'invalidated', 'superseded'])), name='consent_event_known'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Objection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.objection_reference, max_length=32, unique=True)),
                ('recipient_kind', models.CharField(blank=True, choices=[('service_provider', 'service provider'), ('health', 'health'), ('police', 'police'), ('prosecutor', 'prosecutor'), ('immigration', 'immigration'), ('court', 'court'), ('research', 'research'), ('funder', 'funder'), ('government', 'government'), ('community', 'community'), ('public', 'the public')], max_length=32)),
                ('made_at', models.DateTimeField()),
                ('lifted_at', models.DateTimeField(null=True)),
                ('category', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.datacategory')),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('purpose', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.purpose')),
                ('recipient', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation')),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='objections', to='consent.subject')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('recipient_kind', ''), ('recipient_kind__in', ['service_provider', 'health', 'police', 'prosecutor', 'immigration', 'court', 'research', 'funder', 'government', 'community', 'public']), _connector='OR'), name='objection_kind_known'),
                    models.CheckConstraint(condition=models.Q(('made_at__isnull', True), ('lifted_at__isnull', True), ('made_at__lt', models.F('lifted_at')), _connector='OR'), name='objection_made_before_lifted'),
                ],
                'indexes': [
                    models.Index(condition=models.Q(('lifted_at__isnull', True)), fields=['subject'], name='objection_standing'),
                ],
            },
        ),
    ]
