"""By what a question is answered, by when, and when it goes. Pure."""

from datetime import datetime, timedelta

from consent.vocabulary import ERASE_DAYS, REPLY_DAYS, Reply, Topic

REPLY_WITHIN = timedelta(days=REPLY_DAYS)
ERASED_AFTER = timedelta(days=ERASE_DAYS)

ALWAYS = (Reply.UNKNOWN, Reply.WILL_TALK, Reply.WRITTEN)
# What answers each question; what is true of any is among them all.
ANSWERS: dict[Topic, tuple[Reply, ...]] = {
    Topic.WHO_SEES: (Reply.HELPERS_SEE, *ALWAYS),
    Topic.WHAT_FOR: (Reply.ON_PAGE, *ALWAYS),
    Topic.WHY_SENT: (Reply.ON_PAGE, *ALWAYS),
    Topic.IF_STOPPED: (Reply.NOTHING_NEW, *ALWAYS),
    Topic.GONE: (Reply.THEY_SAID, Reply.NOT_YET, *ALWAYS),
    Topic.KEPT: (Reply.ON_PAGE, *ALWAYS),
    Topic.LOOKED: (Reply.HELPERS_SEE, *ALWAYS),
    Topic.TALK: ALWAYS,
    Topic.OTHER: (Reply.ON_PAGE, *ALWAYS),
}


def fits(topic: Topic, reply: Reply) -> bool:
    """Whether this answers what was asked."""
    return reply in ANSWERS[topic]


def needs_words(reply: Reply) -> bool:
    """Whether the answer is nothing without words beside it."""
    return reply == Reply.WRITTEN


def answer_by(asked_at: datetime) -> datetime:
    """The instant until which she is to be answered."""
    return asked_at + REPLY_WITHIN


def overdue(asked_at: datetime, at: datetime) -> bool:
    """Whether that instant has come and nobody has answered."""
    return answer_by(asked_at) <= at


def erased_from(answered_at: datetime) -> datetime:
    """The instant from which what was asked and answered goes, unless the law keeps her record."""
    return answered_at + ERASED_AFTER
