"""Files that came through the machines' door wait here to be loaded."""

import common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0006_machines'),
        ('release', '0005_resealing'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Upload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.upload_reference, max_length=32, unique=True)),
                ('mapping', models.BinaryField()),
                ('folder', models.CharField(max_length=80, unique=True)),
                ('pieces', models.PositiveIntegerField()),
                ('size', models.BigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('received_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('loaded', 'loaded'), ('refused', 'refused')], default='waiting', max_length=16)),
                ('taken_until', models.DateTimeField(null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('code', models.CharField(blank=True, max_length=64)),
                ('told', models.TextField(blank=True)),
                ('report', models.CharField(blank=True, max_length=200)),
                ('dataset', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='uploads', to='governance.dataset')),
                ('sent_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='release.datasetversion')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['received_at'], name='upload_queue')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'loaded', 'refused'])), name='upload_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', True), ('state', 'waiting')), models.Q(models.Q(('state', 'waiting'), _negated=True), ('answered_at__isnull', False)), _connector='OR'), name='upload_answer_has_a_time'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'loaded'), ('version__isnull', False)), models.Q(models.Q(('state', 'loaded'), _negated=True), ('version__isnull', True)), _connector='OR'), name='upload_loaded_is_a_version')],
            },
        ),
    ]
