"""A machine may be let in to ask about its own organisation's clients."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0006_machines'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='clientscope',
            name='client_scope_known',
        ),
        migrations.AlterField(
            model_name='clientscope',
            name='scope',
            field=models.CharField(choices=[('ask', 'ask for data'), ('fetch', 'fetch what was prepared'), ('load', 'load a dataset'), ('read', 'read what stands here'), ('decide', "ask about one of one's own clients")], max_length=16),
        ),
        migrations.AddConstraint(
            model_name='clientscope',
            constraint=models.CheckConstraint(condition=models.Q(('scope__in', ['ask', 'fetch', 'load', 'read', 'decide'])), name='client_scope_known'),
        ),
    ]
