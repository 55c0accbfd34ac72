"""Machines come in by applications, and an answer to a deed is kept for whoever lost it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0005_kept_noes'),
        ("oauth2_provider", "0022_refreshtoken_token_family_index"),
    ]

    operations = [
        migrations.CreateModel(
            name='MachineClient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(max_length=80)),
                ('created_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('application', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='machine_client', to=settings.OAUTH2_PROVIDER_APPLICATION_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='machine_clients', to='governance.organisation')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='machine_clients', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('created_at__isnull', True), ('ended_at__isnull', True), ('created_at__lt', models.F('ended_at')), _connector='OR'), name='machine_client_starts_before_end'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ClientSecret',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('last_used_at', models.DateTimeField(null=True)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='secrets', to='governance.machineclient')),
                ('issued_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('created_at__isnull', True), ('expires_at__isnull', True), ('created_at__lt', models.F('expires_at')), _connector='OR'), name='client_secret_starts_before_end'),
                    models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$')), name='client_secret_is_sha256'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ClientScope',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('ask', 'ask for data'), ('fetch', 'fetch what was prepared'), ('load', 'load a dataset'), ('read', 'read what stands here')], max_length=16)),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='scopes', to='governance.machineclient')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('scope__in', ['ask', 'fetch', 'load', 'read'])), name='client_scope_known'),
                    models.UniqueConstraint(fields=('client', 'scope'), name='client_scope_once'),
                ],
            },
        ),
        migrations.CreateModel(
            name='KeptAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200)),
                ('fingerprint', models.CharField(max_length=64)),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('body', models.TextField(default='{}')),
                ('headers', models.JSONField(default=dict)),
                ('kept_at', models.DateTimeField()),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['kept_at'], name='kept_answer_by_age')],
                'constraints': [models.UniqueConstraint(fields=('user', 'organisation', 'key'), name='kept_answer_key_once'), models.CheckConstraint(condition=models.Q(('fingerprint__regex', '^[0-9a-f]{64}$')), name='kept_answer_fingerprint_is_sha256')],
            },
        ),
    ]
