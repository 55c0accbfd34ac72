"""Tags that stand elsewhere than in the entry they belong to: late ones, and those of destroyed keys."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0010_words_of_late_tags'),
        ('consent', '0006_only_shredding_wipes'),
    ]

    operations = [
        migrations.CreateModel(
            name='LateTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.subject')),
                ('tagged', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('tagged__isnull', True)), fields=['subject'], name='late_tag_waiting')],
                'constraints': [models.UniqueConstraint(fields=('entry', 'subject'), name='late_tag_once'), models.CheckConstraint(condition=models.Q(('tagged__isnull', True), ('tagged__gt', models.F('entry')), _connector='OR'), name='late_tag_in_a_later_entry')],
            },
        ),
        migrations.CreateModel(
            name='LeftTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tag', models.BinaryField(max_length=32)),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.subject')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('entry', 'subject', 'tag'), name='left_tag_once')],
            },
        ),
    ]
