"""What a person asks: who may ask, who reads and answers, what lies sealed, when it goes, what stays."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from audit.models import Detail, Entry
from audit.vocabulary import EntryType
from common.errors import BadInput, NotPermitted, RuleBroken
from consent.actions import blocks, questions
from consent.models import Look, Question, Subject
from consent.queries import questions as queries
from consent.vocabulary import ERASE_DAYS, MOST_OPEN, Reply, Topic
from governance.models import User
from governance.vocabulary import Role
from tests import shredding
from tests.factories import governance as made
from tests.factories import questions as rows
from tests.factories.consent import helped_by
from tests.worlds import World, _worker, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)
HER = "c-1"
TOLD = "zinnia words of mine"


@pytest.fixture
def world() -> World:
    cache.clear()
    return small_world(2, each=1)


@pytest.fixture
def her(world: World) -> User:
    account = User.objects.create_user("amber-willow-41", "copper lantern meadow", kind="survivor")
    Subject.objects.filter(pk=world.subject(HER).pk).update(account=account)
    helped_by(world.home.advocate, world.subject(HER))
    return account


def asked(world: World, her: User, topic: Topic = Topic.OTHER, **changes: Any) -> Question:
    given = {"subject": world.subject(HER), "consent": None, "topic": topic, "words": TOLD}
    return questions.ask(**{**given, **hand(her), **changes})


def answered(question: Question, by: User, **changes: Any) -> Question:
    given = {"question": question, "reply": Reply.WRITTEN, "words": "We keep your age."}
    return questions.answer(**{**given, **hand(by), **changes})


def code(deed: Any) -> str:
    with pytest.raises(RuleBroken) as refused:
        deed()
    return refused.value.code


def test_only_she_herself_asks_and_only_about_what_is_hers(world, her):
    for nobody in (world.home.advocate, world.home.steward, world.requester):
        with pytest.raises(NotPermitted):
            asked(world, her, by=nobody)
    with pytest.raises(NotPermitted):
        asked(world, her, subject=world.subject("c-2"))
    somebody = world.consent("c-2")
    assert code(lambda: asked(world, her, consent=somebody)) == "not_her_sharing"
    assert asked(world, her, consent=world.consent(HER)).consent == world.consent(HER)


def test_the_same_is_asked_once_until_it_is_answered_and_not_without_end(world, her):
    first = asked(world, her)
    assert code(lambda: asked(world, her)) == "asked_already"
    asked(world, her, consent=world.consent(HER))  # of one sharing it is another question
    answered(first, world.home.steward)
    asked(world, her)
    for _each in range(MOST_OPEN - 2):
        rows.of_one(subject=world.subject(HER))
    assert code(lambda: asked(world, her, topic=Topic.TALK)) == "too_many_open"


def test_a_steward_or_the_advocate_who_helps_her_answers_once_and_nobody_she_keeps_away(world, her):
    colleague = _worker("river-heron-5", world.home.organisation, Role.ADVOCATE, world.home.warden)
    away = _worker("river-stone-6", world.home.organisation, Role.STEWARD, world.home.warden)
    blocks.block(subject=world.subject(HER), worker=away, **hand(her))
    question = asked(world, her)
    for nobody in (colleague, away, world.requester, world.home.warden, her):
        with pytest.raises(NotPermitted):
            answered(question, nobody)
        with pytest.raises(NotPermitted):
            questions.read(question=question, **hand(nobody))
        assert queries.one(nobody, question.ref, timezone.now()) is None
    now, holder = timezone.now(), [world.home.organisation]
    assert queries.waiting(away, holder, now) == []
    assert queries.of_helped(colleague, now) == []
    assert [each.question for each in queries.of_helped(world.home.advocate, now)] == [question]
    assert [each.question for each in queries.waiting(world.home.steward, holder, now)] == [
        question
    ]
    with pytest.raises(BadInput):
        answered(question, world.home.advocate, words="  ")
    wrong = {"reply": Reply.THEY_SAID, "words": ""}
    assert code(lambda: answered(question, world.home.advocate, **wrong)) == "reply_other"
    answered(question, world.home.advocate)
    assert code(lambda: answered(question, world.home.steward)) == "answered_already"
    assert queries.waiting(world.home.steward, holder, now) == []


def test_whoever_opens_it_is_seen_by_her_and_by_the_log(world, her):
    question = asked(world, her)
    found = questions.read(question=question, **hand(world.home.steward))
    assert found.asked == TOLD
    assert Look.objects.get().worker == world.home.steward
    assert Entry.objects.filter(type=EntryType.SUBJECT_READ).count() == 1


def test_the_words_lie_sealed_under_her_key_and_the_log_knows_only_the_kind(world, her):
    question = answered(asked(world, her), world.home.steward)
    assert TOLD.encode() not in bytes(question.words)
    assert queries.written(question) == queries.Written(TOLD, "We keep your age.")
    swapped = Question(subject=world.subject("c-2"), words=question.words, entry=question.entry)
    with pytest.raises(ValueError, match="does not open"):
        queries.written(swapped)
    entries = Entry.objects.filter(type__startswith="question:").order_by("pk")
    assert [(each.type, each.reason) for each in entries] == [
        (EntryType.QUESTION_ASKED, "other"),
        (EntryType.QUESTION_ANSWERED, "other"),
    ]
    assert not any(each.detail_commit for each in entries)
    assert not Detail.objects.filter(entry__in=entries).exists()
    assert not asked(world, her, topic=Topic.TALK, words=" ").words


def test_thirty_days_after_the_answer_all_of_it_goes_and_not_a_second_sooner(world, her):
    question = answered(asked(world, her, consent=world.consent(HER)), world.home.steward)
    waits = asked(world, her)
    due = question.answered_at + timedelta(days=ERASE_DAYS)
    assert questions.erase_due(at=due - timedelta(microseconds=1)) == 0
    assert questions.erase_due(at=due) == 1
    assert questions.erase_due(at=due) == 0
    question.refresh_from_db()
    kept = (question.words, question.reply, question.reply_words, question.consent)
    assert kept == (b"", "", b"", None)
    assert question.erased_entry.type == EntryType.QUESTION_ERASED
    assert [each for each, _until in queries.of(her)] == [waits]  # what waits stays


def test_what_the_law_keeps_is_not_erased_before_the_hold_ends(world, her):
    question = answered(asked(world, her), world.home.steward)
    due = question.answered_at + timedelta(days=ERASE_DAYS)
    hold = shredding.hold(world, HER, ends=due + timedelta(days=9))
    assert questions.erase_due(at=due) == 0
    assert questions.erase_due(at=hold.ends) == 1


def test_a_person_whose_key_is_destroyed_leaves_no_question(world, her):
    asked(world, her)
    answered(asked(world, her, topic=Topic.TALK), world.home.steward)
    shredding.shred(world, HER)
    assert not Question.objects.exists()


def test_a_question_of_nobody_of_theirs_waits_for_no_other_holder(world, her):
    asked(world, her)
    stranger = made.user()
    assert queries.waiting(stranger, [world.recipient], timezone.now()) == []
