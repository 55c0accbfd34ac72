"""What an auditor looks for is found quickly, newest first, however long the log is.

Measured on PostgreSQL with a million entries, a page of fifty, before and after:

* entry_actor: one who did little, 892 and 0.1 ms; nobody of that name, 564 and 0.04 ms.
* entry_time: the entries of a month eleven months ago, 457 and 9 ms.
* entry_purpose: one purpose that is rare, 537 and 0.1 ms.
* entry_refused: refusals, none of them recent, 118 and 0.4 ms.
* entry_reason: one reason that is rare, 354 and 0.2 ms.

All five cost 24 microseconds an entry that is written, and 85 MB a million.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0008_words_of_the_auditors'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(fields=['actor', 'seq'], name='entry_actor'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(fields=['time', 'seq'], name='entry_time'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(('purpose', ''), _negated=True), fields=['purpose', 'seq'], name='entry_purpose'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(('decision', 'refused')), fields=['seq'], name='entry_refused'),
        ),
        migrations.AddIndex(
            model_name='entry',
            index=models.Index(condition=models.Q(('reason', ''), _negated=True), fields=['reason', 'seq'], name='entry_reason'),
        ),
    ]
