"""The inside of what holds one kind of information back until it is decided: its no, row and entry."""

from audit.vocabulary import EntryType, Via
from consent.actions import standing
from consent.actions.wiping import written
from consent.models import Contest, Subject
from consent.queries import facts, words
from consent.vocabulary import Contested
from governance.actions import scopes
from governance.models import DataCategory, User


def open_one(subject: Subject, category: DataCategory, kind: Contested) -> Contest | None:
    """The same, not decided yet."""
    rows = Contest.objects.filter(subject=subject, category=category, kind=kind)
    return rows.filter(decided_at__isnull=True).first()


def stands(
    contest: Contest, *, by: User, via: Via, moment: scopes.Moment, reason: str = ""
) -> Contest:
    """Inside a no to everyone that holds her row: from now on nothing of that kind goes."""
    named = {"category": contest.category}
    contest.objection = standing.stood(contest.subject, named, by=by, via=via, moment=moment)
    contest.entry = written(
        EntryType.CORRECTION_ASKED,
        contest.subject,
        by=by,
        at=moment.at,
        via=via,
        reason=reason,
        beside=words.beside_contest(contest),
        epoch_everyone=moment.everyone,
    )
    contest.save()
    moment.tell(**facts.contested(contest))
    return contest
