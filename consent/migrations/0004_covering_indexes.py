"""Everybody's word on one ask in index-only scans, on both databases."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0003_append_only'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='consent',
            name='consent_set',
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['recipient', 'purpose', 'holder', 'subject', 'category_set', 'starts', 'ends', 'record_until', 'paused_at', 'paused_until'], name='consent_set'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['recipient', 'purpose', 'holder', 'subject'], name='consent_ended'),
        ),
    ]
