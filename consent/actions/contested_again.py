"""After a restore: what a person said is wrong, or is not to be shared for now, is held back again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audit.vocabulary import Via
from consent.actions import contesting, standing
from consent.models import Contest, Subject
from consent.vocabulary import Contested
from governance.actions import scopes
from governance.models import DataCategory, User
from governance.vocabulary import REPLAYED


def repeat(
    told: Mapping[str, Any], subject: Subject, *, by: User, via: Via, moment: scopes.Moment
) -> bool:
    """Open again, also where it was decided after the copy: a steward decides once more.

    What this database does not know makes the no larger. Gives whether it changed anything.
    """
    if Contest.objects.filter(ref=told["ref"]).exists():
        return False
    asked_at = datetime.fromisoformat(told["asked"])
    category = DataCategory.objects.filter(code=told["category"]).first()
    if category is None:
        standing.said(subject, {"category": None}, by=by, via=via, moment=moment)
        return True
    kind = Contested(told["kind"])
    if contesting.open_one(subject, category, kind) is not None:
        return False
    contest = Contest(ref=told["ref"], subject=subject, category=category, kind=kind)
    contest.asked_at = asked_at
    contesting.stands(contest, by=by, via=via, moment=moment, reason=REPLAYED)
    return True
