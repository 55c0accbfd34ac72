"""A person joins her records at two organisations under one sign-in, by her own act, and parts them.

To be kept apart is the default: nobody else joins anything, and nothing is found out by comparing.
Once joined, every no of either record counts for both, and a yes stays where it was given: joining
never lets more go.
"""

from datetime import datetime

from audit.vocabulary import EntryType, Via
from common import codes
from common.errors import NotPermitted, RuleBroken
from common.inputs import Text, taking
from common.words import sentence as _
from consent.actions import noes_of_both, opening, parting, subjects
from consent.actions.wiping import written
from consent.models import EnrolmentCode, SubjectLink
from consent.queries import enrolment as coming
from consent.queries import facts
from consent.vocabulary import CodeKind
from governance.actions import scopes
from governance.models import User
from governance.vocabulary import Closing, Narrowing, UserKind

CODE = Text(most=codes.LONGEST, least=1, name=_("Code"))


@taking(first=CODE, second=CODE)
def join(*, first: str, second: str, by: User, at: datetime, via: Via) -> SubjectLink:
    """With a code from each organisation, in whichever order, both used up by it.

    One is for the record that she signs in for already, so it has waited its day; the other for a
    record of hers somewhere else, which has no sign-in, or has one and has waited too.

    Raises NotPermitted unless `by` is a survivor; RuleBroken where a code opens nothing (yet, or any
    more), or the two are not of two organisations, one of them hers.
    """
    if by.kind != UserKind.SURVIVOR or not by.is_active:
        raise NotPermitted("not_hers", _("This is for a survivor's own sign-in."))
    seen = [_open(first, at), _open(second, at)]
    _two(seen, by)
    slots = [each.subject_id for each in seen]
    with scopes.narrowing(act=Narrowing.OBJECTION_MADE, everyone=True, slots=slots) as moment:
        subjects.hold(slots)
        keys = sorted(each.pk for each in seen)
        rows = EnrolmentCode.objects.select_for_update(of=("self",))
        list(rows.filter(pk__in=keys).order_by("pk"))
        found = [_open(first, at), _open(second, at)]  # again, under the locks: a code works once
        own, other = _two(found, by)
        for each in found:
            opening.used(each, by, at, via)
        subject = other.subject
        former = subject.account if opening.has_sign_in(subject) else None
        subject.account = by
        subject.save(update_fields=["account"])
        written(EntryType.SUBJECT_LINKED, subject, by=by, at=at, via=via)
        noes_of_both.count(own.subject, subject, by=by, via=via, moment=moment)
        return SubjectLink.objects.create(subject=subject, account=by, former=former, linked_at=at)


@taking()
def split(*, link: SubjectLink, by: User, at: datetime, via: Via) -> None:
    """What she joined is apart again: it goes back to the sign-in it had, or has none.

    Raises NotPermitted unless `by` is whose sign-in it was joined to; RuleBroken where it is apart
    already.
    """
    if by.kind != UserKind.SURVIVOR or link.account_id != by.pk:
        raise NotPermitted("not_hers", _("This is for a survivor's own sign-in."))
    with scopes.closing(act=Closing.SUBJECTS_SPLIT) as moment:
        subjects.hold([link.subject_id])
        rows = SubjectLink.objects.select_for_update(of=("self",))
        current = rows.select_related("subject__holder", "former").get(pk=link.pk)
        if current.split_at is not None:
            raise RuleBroken("apart_already", _("These are apart already."))
        moment.tell(**facts.parted(current))
        parting.part(current, by=by, at=moment.at, via=via)


def _two(found: list[EnrolmentCode], by: User) -> tuple[EnrolmentCode, EnrolmentCode]:
    """The code of the record that she signs in for, and the other's, of two organisations."""
    own = [each for each in found if each.subject.account_id == by.pk]
    others = [each for each in found if each.subject.account_id != by.pk]
    if len(own) != 1 or len(others) != 1:
        raise _not_two()
    if own[0].subject.holder_id == others[0].subject.holder_id:
        raise _not_two()
    return own[0], others[0]


def _open(typed: str, at: datetime) -> EnrolmentCode:
    """The code, where it opens at this instant what it was given for."""
    found = coming.code(typed, at)
    if found is None or found.opens_at > at:
        raise _over()
    returns = found.kind == CodeKind.RETURN
    if opening.has_sign_in(found.subject) != returns:
        raise _over()
    return found


def _over() -> RuleBroken:
    return RuleBroken(
        "code_over", _("One of the codes does not open anything, not yet, or not any more.")
    )


def _not_two() -> RuleBroken:
    return RuleBroken(
        "not_two_places",
        _("Type one code from the place that you see here, and one from another place."),
    )
