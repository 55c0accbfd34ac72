"""A person's standing noes as she sees them, and what of them is to be taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from consent.models import Contest, Lifting, Objection, Subject
from governance.models import User

NAMED = ("recipient_id", "recipient_kind", "purpose_id", "category_id")


@dataclass(frozen=True)
class No:
    """One standing no, once, however many places she is known at; `lifting`: it is to be taken back."""

    objection: Objection
    lifting: Lifting | None


def of(account: User) -> list[No]:
    """The standing noes of this sign-in, the oldest first."""
    rows = _standing().filter(subject__account=account).order_by("made_at", "pk")
    found: dict[tuple[object, ...], Objection] = {}
    for each in rows:
        found.setdefault(words(each), each)
    return [No(each, open_lifting(each)) for each in found.values()]


def of_subject(subject: Subject) -> list[No]:
    """The same of one person as one holder knows her."""
    rows = _standing().filter(subject=subject).order_by("made_at", "pk")
    return [No(each, open_lifting(each)) for each in rows]


def one(account: User, ref: str) -> No | None:
    """One of this account's own; None for anybody else's, and for one that does not stand."""
    found = _standing().filter(subject__account=account, ref=ref).first()
    return None if found is None else No(found, open_lifting(found))


def own(rows: QuerySet[Objection]) -> QuerySet[Objection]:
    """Without those that belong to what is not decided yet: she takes back her own alone."""
    open_ = Contest.objects.filter(objection=OuterRef("pk"), decided_at__isnull=True)
    return rows.filter(~Exists(open_))


def words(objection: Objection) -> tuple[object, ...]:
    """What a no names: two with the same words are one, said in two places."""
    return tuple(getattr(objection, name) for name in NAMED)


def same(objection: Objection) -> Sequence[Objection]:
    """The same no where the same sign-in is known elsewhere."""
    mine = dict(zip(NAMED, words(objection), strict=True))
    others = Subject.objects.filter(account__subjects=objection.subject_id)
    rows = _standing().filter(subject__in=others, **mine).exclude(subject=objection.subject_id)
    return list(rows.order_by("pk"))


def open_lifting(objection: Objection) -> Lifting | None:
    return _waiting().filter(objection=objection).first()


def due(at: datetime) -> QuerySet[Lifting]:
    """Whose wait is over."""
    return _waiting().filter(due_at__lte=at).order_by("due_at", "pk")


def _waiting() -> QuerySet[Lifting]:
    rows = Lifting.objects.filter(
        cancelled_at__isnull=True, done_at__isnull=True, objection__lifted_at__isnull=True
    )
    return rows.select_related(
        "objection__subject__holder", "recipient", "purpose", "category", "asked_by"
    )


def _standing() -> QuerySet[Objection]:
    rows = own(Objection.objects.filter(lifted_at__isnull=True))
    return rows.select_related("subject__holder", "recipient", "purpose", "category")
