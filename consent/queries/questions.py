"""What people ask about what is kept and shared of them, as they and those who answer see it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from audit.rules import opened_detail
from consent import permissions
from consent.models import Block, Question, Subject
from consent.queries import keys, shredding
from consent.rules import questions as rules
from consent.vocabulary import Reply, Topic
from governance.models import Organisation, User


@dataclass(frozen=True)
class Open:
    """One that is not answered yet, as whoever may answer it sees it: whose it is is not told."""

    question: Question
    answer_by: datetime
    overdue: bool

    @property
    def choices(self) -> list[Reply]:
        """What it may be answered by."""
        return list(rules.ANSWERS[Topic(self.question.topic)])


@dataclass(frozen=True)
class Written:
    """The words beside a question and beside its answer, opened; empty where there are none."""

    asked: str
    answered: str


def waiting(user: User, holders: Collection[Organisation], at: datetime) -> list[Open]:
    """What waits for an answer at the holders that this steward looks after, the longest first;
    nothing of whom keeps this worker away."""
    blocked = Block.objects.filter(subject=OuterRef("subject"), worker=user, lifted_at__isnull=True)
    return _open(_waiting().filter(~Exists(blocked), subject__holder__in=holders), at)


def of_helped(user: User, at: datetime) -> list[Open]:
    """The same of those whom this advocate helps."""
    helped = permissions.helping().filter(membership__user=user)
    rows = _open(_waiting().filter(subject__in=helped.values("subject")), at)
    return [each for each in rows if permissions.can_help(user, each.question.subject)]


def one(user: User, ref: str, at: datetime) -> Open | None:
    """One that waits and that this worker may answer; None for anybody else's, as for nobody's."""
    found = _waiting().filter(ref=ref).first()
    if found is None or not permissions.can_answer(user, found.subject):
        return None
    return _opened(found, at)


def of(account: User) -> list[tuple[Question, datetime]]:
    """All of this sign-in's that are not erased, the newest first; each with the day to answer by."""
    return _answered(_rows().filter(subject__account=account))


def of_subject(subject: Subject) -> list[tuple[Question, datetime]]:
    """The same of one person as one holder knows her."""
    return _answered(_rows().filter(subject=subject))


def open_of(subject: Subject) -> QuerySet[Question]:
    """Those of one person at one holder that wait for an answer."""
    return Question.objects.filter(subject=subject, answered_at__isnull=True)


def due(at: datetime) -> QuerySet[Question]:
    """Whose words go now: answered long enough ago, of nobody whose record the law keeps."""
    held = shredding.holds_in_force(at).filter(subject=OuterRef("subject")).order_by()
    rows = _rows().filter(
        ~Exists(held),
        answered_at__lte=at - rules.ERASED_AFTER,
        erased_at__isnull=True,
        subject__shredded_at__isnull=True,
    )
    return rows.order_by("answered_at", "pk")


def written(question: Question) -> Written:
    """Opened under her own key. Raises NotReady where her holder's key is not there."""
    if not (question.words or question.reply_words):
        return Written("", "")
    own = keys.own_key(question.subject)

    def opened(sealed: bytes | memoryview, entry: int | None) -> str:
        if not sealed:
            return ""
        return opened_detail(own, _nonce(question, entry), bytes(sealed))

    return Written(
        opened(question.words, question.entry_id),
        opened(question.reply_words, question.answered_entry_id),
    )


def _nonce(question: Question, entry: int | None) -> bytes:
    """What binds sealed words to the entry beside which they were written."""
    both = (question.entry, question.answered_entry)
    return next(bytes(each.nonce) for each in both if each is not None and each.pk == entry)


def _answered(rows: QuerySet[Question]) -> list[tuple[Question, datetime]]:
    there = rows.filter(erased_at__isnull=True).order_by("-asked_at", "-pk")
    return [(each, rules.answer_by(each.asked_at)) for each in there]


def _open(rows: QuerySet[Question], at: datetime) -> list[Open]:
    return [_opened(each, at) for each in rows.order_by("asked_at", "pk")]


def _opened(question: Question, at: datetime) -> Open:
    asked = question.asked_at
    return Open(question, rules.answer_by(asked), rules.overdue(asked, at))


def _waiting() -> QuerySet[Question]:
    return _rows().filter(Q(answered_at__isnull=True), subject__shredded_at__isnull=True)


def _rows() -> QuerySet[Question]:
    return Question.objects.select_related(
        "subject__holder", "consent__recipient", "consent__purpose", "entry", "answered_entry"
    )
