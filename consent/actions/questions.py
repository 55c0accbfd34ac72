"""A person asks about what is kept and shared of her, is answered, and what was said of it goes again.

Fixed choices come first. Words beside them are few, lie sealed under her own key, and the log never
commits to them: it keeps only that such a question was asked, answered and erased (ADR 32).
"""

import secrets
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db import transaction

from audit.rules import SEALING, sealed_detail
from audit.vocabulary import EntryType, Via
from common.errors import BadInput, NotReady, RuleBroken
from common.inputs import Text, taking
from common.words import sentence as _
from consent.actions import looks
from consent.actions.subjects import hold
from consent.actions.wiping import written
from consent.models import Consent, Question, Subject
from consent.permissions import check_can_answer, check_is_herself
from consent.queries import keys
from consent.queries import questions as queries
from consent.queries.questions import Written
from consent.queries.shredding import is_held
from consent.rules import questions as rules
from consent.vocabulary import LONGEST_WORDS, MOST_OPEN, Reply, Topic
from governance.models import User
from governance.queries import clock
from governance.rules import closing

WORDS = Text(most=LONGEST_WORDS, lines=True, name=_("Your words"))


@taking(words=WORDS)
@transaction.atomic
def ask(
    *,
    subject: Subject,
    consent: Consent | None,
    topic: Topic,
    words: str,
    by: User,
    at: datetime,
    via: Via,
) -> Question:
    """She asks whoever keeps her record, about one sharing of hers or, with none named, about all.

    `words`: 280 signs at most, none needed. Raises NotPermitted unless `by` is the person herself;
    RuleBroken where the same waits for an answer already, too many do, or the sharing is not hers;
    NotReady where she writes words and her holder's key is not there.
    """
    check_is_herself(by, subject)
    hold([subject.slot])
    if consent is not None and consent.subject_id != subject.slot:
        raise RuleBroken("not_her_sharing", _("This is not one of your sharings."))
    waiting = queries.open_of(subject)
    if waiting.filter(topic=topic, consent=consent).exists():
        raise RuleBroken(
            "asked_already",
            _("You asked this already. You can ask it again when it is answered."),
        )
    if waiting.count() >= MOST_OPEN:
        raise RuleBroken(
            "too_many_open",
            _("Too many of your questions wait. You can ask more when one is answered."),
        )
    entry = written(
        EntryType.QUESTION_ASKED,
        subject,
        by=by,
        at=at,
        via=via,
        reason=Topic(topic).value,
    )
    return Question.objects.create(
        subject=subject,
        consent=consent,
        topic=topic,
        words=_sealed(subject, entry, words),
        entry=entry,
        asked_at=at,
    )


def read(*, question: Question, by: User, at: datetime, via: Via) -> Written:
    """Whoever is to answer reads her words; she sees that somebody looked.

    Raises NotPermitted unless `by` may answer her; NotReady where her holder's key is not there.
    """
    check_can_answer(by, question.subject)
    found = queries.written(question)
    looks.seen(subject=question.subject, by=by, at=at, via=via)
    return found


@taking(words=WORDS)
@transaction.atomic
def answer(
    *, question: Question, reply: Reply, words: str, by: User, at: datetime, via: Via
) -> Question:
    """She is answered, once; from then on it stays for 30 days.

    Raises NotPermitted unless `by` is an advocate who helps her, or a steward of the holder whom she
    does not keep away; RuleBroken where it is answered already, or this does not answer it; BadInput
    where words are needed and none are given; NotReady where her holder's key is not there.
    """
    check_can_answer(by, question.subject)
    hold([question.subject_id])
    rows = Question.objects.select_for_update(of=("self",)).select_related("subject__holder")
    current = rows.get(pk=question.pk)
    if current.answered_at is not None:
        raise RuleBroken("answered_already", _("This is answered already."))
    if not rules.fits(Topic(current.topic), Reply(reply)):
        raise RuleBroken("reply_other", _("This does not answer what was asked."))
    if rules.needs_words(Reply(reply)) and not words.strip():
        raise BadInput("words_missing", _("Write the answer, in plain words."), where="words")
    current.reply, current.answered_by = reply, by
    current.answered_at = closing(current.asked_at, clock.now())
    current.answered_entry = written(
        EntryType.QUESTION_ANSWERED,
        current.subject,
        by=by,
        at=current.answered_at,
        via=via,
        reason=current.topic,
    )
    current.reply_words = _sealed(current.subject, current.answered_entry, words)
    current.save(
        update_fields=["reply", "reply_words", "answered_by", "answered_at", "answered_entry"]
    )
    return current


def erase_due(*, at: datetime, most: int = 500) -> int:
    """The clock: what was asked and answered goes 30 days after the answer, unless the law keeps her
    record. Also while her holder's key is away. Gives how many went."""
    done = 0
    for each in queries.due(at)[:most]:
        with suppress(NotReady, RuleBroken), transaction.atomic():
            hold([each.subject_id])
            done += _erase(each.pk, at)
    return done


def _erase(pk: int, at: datetime) -> bool:
    """One of a person whose row is held; asked again, for a hold may have been placed meanwhile."""
    rows = Question.objects.select_for_update(of=("self",)).select_related("subject__holder")
    current = rows.get(pk=pk)
    if current.answered_at is None or current.erased_at is not None:
        return False
    if is_held(current.subject, at):
        return False
    current.erased_at = closing(current.answered_at, at)
    current.erased_entry = written(
        EntryType.QUESTION_ERASED,
        current.subject,
        by=None,
        at=current.erased_at,
        via=Via.TASK,
        reason=current.topic,
    )
    current.consent, current.words, current.reply, current.reply_words = None, b"", "", b""
    current.save(
        update_fields=["consent", "words", "reply", "reply_words", "erased_at", "erased_entry"]
    )
    return True


def _sealed(subject: Subject, entry: Any, words: str) -> bytes:
    """Words under a key made from hers, bound to this entry; nothing where there are none."""
    if not words.strip():
        return b""
    own = keys.own_key(subject)
    return sealed_detail(own, bytes(entry.nonce), secrets.token_bytes(SEALING), words.strip())
