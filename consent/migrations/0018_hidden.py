"""A person hides a recipient from her own pages: a row that comes and goes as she wants."""

import common.ids
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0017_questions'),
        ('governance', '0015_care_of_categories'),
    ]

    operations = [
        migrations.CreateModel(
            name='Hidden',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.hidden_reference, max_length=32, unique=True)),
                ('hidden_at', models.DateTimeField()),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='governance.organisation')),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='hidden', to='consent.subject')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('subject', 'recipient'), name='hidden_once')],
            },
        ),
    ]
