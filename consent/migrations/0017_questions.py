"""What people ask and are answered: what was asked stays until its day, and then goes for ever.

The words, the answer and the sharing it was about go together, when the row says that it is erased;
the rest goes only with the person's key.
"""

import common.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


TABLE = "consent_question"
FIXED = ["id", "ref", "subject_id", "topic", "entry_id", "asked_at"]
FILLED = ["answered_by_id", "answered_at", "answered_entry_id", "erased_at", "erased_entry_id"]
HERS = (
    "EXISTS (SELECT 1 FROM consent_subject WHERE slot = OLD.subject_id AND shredded_at IS NOT NULL)"
)
# What makes a row unique: SQLite's REPLACE asks no DELETE trigger.
LIKE = (
    "id = NEW.id OR ref = NEW.ref"
    " OR (answered_at IS NULL AND NEW.answered_at IS NULL AND topic = NEW.topic"
    " AND ((consent_id IS NULL AND NEW.consent_id IS NULL AND subject_id = NEW.subject_id)"
    " OR consent_id = NEW.consent_id))"
)


def changed(differs):
    """What may not be: said of the columns that go, as long as the row is not being erased. That they
    go empty then, and together, is a constraint."""
    erasing = "(OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL)"
    return " OR ".join(
        [
            *(f"NEW.{name} {differs} OLD.{name}" for name in FIXED),
            *(f"(OLD.{name} IS NOT NULL AND NEW.{name} {differs} OLD.{name})" for name in FILLED),
            *(
                f"(NEW.{name} {differs} OLD.{name} AND NOT {erasing})"
                for name in ("consent_id", "words")
            ),
            *(
                f"(OLD.answered_at IS NOT NULL AND NEW.{name} {differs} OLD.{name}"
                f" AND NOT {erasing})"
                for name in ("reply", "reply_words")
            ),
        ]
    )


def postgres_statements():
    yield (
        f"CREATE TRIGGER append_only_update BEFORE UPDATE ON {TABLE} FOR EACH ROW"
        f" WHEN ({changed('IS DISTINCT FROM')}) EXECUTE FUNCTION consent_refuse()"
    )
    yield (
        f"CREATE TRIGGER append_only_delete BEFORE DELETE ON {TABLE}"
        " FOR EACH ROW EXECUTE FUNCTION consent_only_wiped()"
    )
    yield (
        f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {TABLE}"
        " FOR EACH STATEMENT EXECUTE FUNCTION consent_refuse()"
    )


def sqlite_statements():
    refuse = "BEGIN SELECT RAISE(ABORT, 'append_only: this is refused'); END"
    yield (
        f"CREATE TRIGGER append_only_{TABLE}_update BEFORE UPDATE ON {TABLE}"
        f" WHEN {changed('IS NOT')} {refuse}"
    )
    yield (
        f"CREATE TRIGGER append_only_{TABLE}_delete BEFORE DELETE ON {TABLE}"
        f" WHEN NOT {HERS} {refuse}"
    )
    yield (
        f"CREATE TRIGGER append_only_{TABLE}_insert BEFORE INSERT ON {TABLE}"
        f" WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE {LIKE})"
        f" BEGIN SELECT RAISE(ABORT, 'append_only: INSERT on {TABLE} is refused'); END"
    )


def protect(apps, schema_editor):
    postgres = schema_editor.connection.vendor == "postgresql"
    with schema_editor.connection.cursor() as cursor:
        for statement in postgres_statements() if postgres else sqlite_statements():
            cursor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0016_words_of_questions'),
        ('consent', '0016_texts_in_parts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Question',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(default=common.ids.question_reference, max_length=32, unique=True)),
                ('topic', models.CharField(choices=[('who_sees', 'Who can see it there?'), ('what_for', 'What do they do with it?'), ('why_sent', 'Why did they get it?'), ('if_stopped', 'What happens if I stop?'), ('gone', 'Did they delete what they got?'), ('kept', 'What do you keep about me?'), ('looked', 'Why did someone look at my list?'), ('talk', 'Can I talk to someone?'), ('other', 'Something else')], max_length=16)),
                ('words', models.BinaryField(blank=True, default=b'', max_length=1148)),
                ('asked_at', models.DateTimeField()),
                ('reply', models.CharField(blank=True, choices=[('on_page', 'Your page shows this. Look at “See more” and “Where it went”.'), ('helpers_see', 'Only the people there who help you, and only to help you.'), ('nothing_new', 'Nothing new goes to them. They may keep what they got. Your services stay the same.'), ('they_said', 'They told us that they deleted it.'), ('not_yet', 'They have not told us yet. We asked them.'), ('will_talk', 'Yes. The person who helps you will talk with you.'), ('unknown', 'We do not know this.'), ('written', 'The answer is in these words.')], default='', max_length=16)),
                ('reply_words', models.BinaryField(blank=True, default=b'', max_length=1148)),
                ('answered_at', models.DateTimeField(null=True)),
                ('erased_at', models.DateTimeField(null=True)),
                ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('answered_entry', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
                ('consent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='consent.consent')),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
                ('erased_entry', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audit.entry')),
                ('subject', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='questions', to='consent.subject')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('answered_at__isnull', False), ('erased_at__isnull', True)), fields=['answered_at'], name='question_to_erase')],
                'constraints': [models.CheckConstraint(condition=models.Q(('topic__in', ['who_sees', 'what_for', 'why_sent', 'if_stopped', 'gone', 'kept', 'looked', 'talk', 'other'])), name='question_topic_known'), models.CheckConstraint(condition=models.Q(('reply', ''), ('reply__in', ['on_page', 'helpers_see', 'nothing_new', 'they_said', 'not_yet', 'will_talk', 'unknown', 'written']), _connector='OR'), name='question_reply_known'), models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', True), ('answered_by__isnull', True), ('answered_entry__isnull', True)), models.Q(('answered_at__isnull', False), ('answered_by__isnull', False), ('answered_entry__isnull', False)), _connector='OR'), name='question_answered_whole'), models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', True), ('reply', ''), ('reply_words', b'')), models.Q(('answered_at__isnull', False), ('erased_at__isnull', True), ('reply__in', ['on_page', 'helpers_see', 'nothing_new', 'they_said', 'not_yet', 'will_talk', 'unknown', 'written'])), models.Q(('answered_at__isnull', False), ('erased_at__isnull', False), ('reply', '')), _connector='OR'), name='question_reply_when_answered'), models.CheckConstraint(condition=models.Q(models.Q(('reply', 'written'), _negated=True), models.Q(('reply_words', b''), _negated=True), _connector='OR'), name='question_written_has_words'), models.CheckConstraint(condition=models.Q(models.Q(('erased_at__isnull', True), ('erased_entry__isnull', True)), models.Q(('erased_at__isnull', False), ('erased_entry__isnull', False)), _connector='OR'), name='question_erased_whole'), models.CheckConstraint(condition=models.Q(('erased_at__isnull', True), models.Q(('answered_at__isnull', False), ('consent__isnull', True), ('reply', ''), ('reply_words', b''), ('words', b'')), _connector='OR'), name='question_erased_keeps_nothing'), models.CheckConstraint(condition=models.Q(('asked_at__isnull', True), ('answered_at__isnull', True), ('asked_at__lt', models.F('answered_at')), _connector='OR'), name='question_asked_before_answered'), models.CheckConstraint(condition=models.Q(('answered_at__isnull', True), ('erased_at__isnull', True), ('answered_at__lt', models.F('erased_at')), _connector='OR'), name='question_answered_before_erased'), models.UniqueConstraint(condition=models.Q(('answered_at__isnull', True), ('consent__isnull', True)), fields=('subject', 'topic'), name='question_one_open_of_all'), models.UniqueConstraint(condition=models.Q(('answered_at__isnull', True), ('consent__isnull', False)), fields=('consent', 'topic'), name='question_one_open_of_one')],
            },
        ),
        # No way back: what is kept stays kept.
        migrations.RunPython(protect),
    ]
