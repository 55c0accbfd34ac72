"""What answers what a person asks, by when, and when it goes."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from consent.rules import questions
from consent.vocabulary import Reply, Topic
from tests.spec.decision import NOW, SECOND


def test_every_question_has_its_answers_and_every_answer_a_question():
    assert set(questions.ANSWERS) == set(Topic)
    assert {reply for several in questions.ANSWERS.values() for reply in several} == set(Reply)


def test_whatever_is_asked_can_be_answered_in_words_by_a_talk_and_by_we_do_not_know():
    for topic in Topic:
        for reply in (Reply.WRITTEN, Reply.WILL_TALK, Reply.UNKNOWN):
            assert questions.fits(topic, reply)
    assert not questions.fits(Topic.TALK, Reply.THEY_SAID)
    assert [reply for reply in Reply if questions.needs_words(reply)] == [Reply.WRITTEN]


def test_it_is_overdue_from_the_very_instant_seven_days_later():
    until = questions.answer_by(NOW)
    assert until == NOW + timedelta(days=7)
    assert not questions.overdue(NOW, until - SECOND)
    assert questions.overdue(NOW, until)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)))
def test_what_is_answered_lies_thirty_days_whenever_it_was(after):
    assert questions.erased_from(NOW + after) - (NOW + after) == timedelta(days=30)
