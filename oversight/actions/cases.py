"""Audit cases: opened for a reason, closed for ever; handles of persons live and end with them."""

from datetime import datetime
from hashlib import sha256

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import Text, of, taking
from common.words import sentence as _
from consent.queries.keys import client
from consent.vocabulary import LONGEST_NUMBER
from governance.actions import details, trail
from governance.models import Organisation, User
from oversight.models import AuditCase, CaseHandle, SavedSearch
from oversight.permissions import check_can_issue, check_can_look, check_can_open
from oversight.queries.search import asked
from oversight.rules import handles
from oversight.vocabulary import Wanted


@taking(title=of(AuditCase, "title"), reason=of(AuditCase, "reason", lines=True))
@transaction.atomic
def open_case(
    *,
    organisation: Organisation,
    holder: Organisation | None,
    title: str,
    reason: str,
    by: User,
    at: datetime,
    via: Via,
) -> AuditCase:
    """Begin to look into something, in the name of an organisation that may read the log.

    Raises NotPermitted unless `by` is an auditor of it.
    """
    check_can_open(by, organisation)
    case = AuditCase.objects.create(
        organisation=organisation,
        holder=holder,
        title=title,
        reason=reason,
        opened_by=by,
        opened_at=at,
    )
    trail.record(
        type=EntryType.CASE_OPENED,
        by=by,
        at=at,
        via=via,
        resource=case.ref,
        **details.sealed(by=by, title=title, reason=reason),
    )
    return case


@transaction.atomic
def close_case(*, case: AuditCase, by: User, at: datetime, via: Via) -> AuditCase:
    """End it: nothing is read for it any more, and its handles lead to nobody.

    Raises NotPermitted; RuleBroken where it is closed.
    """
    check_can_look(by, case)
    found = locked(case)
    found.closed_at = at
    found.save(update_fields=["closed_at"])
    trail.record(type=EntryType.CASE_CLOSED, by=by, at=at, via=via, resource=found.ref)
    return found


@taking(number=Text(most=LONGEST_NUMBER, least=1, name=_("Client number")))
@transaction.atomic
def issue_handle(
    *, case: AuditCase, holder: Organisation, number: str, by: User, at: datetime, via: Via
) -> CaseHandle:
    """The word under which the auditors of one case find one client of this holder, and nothing else
    of her. The number stays here.

    The same client has the same word in one case, and each telling of it leaves an entry. Raises
    NotPermitted unless `by` looks after the holder's data; RuleBroken for a closed case, one about
    another holder, and a number of nobody; NotReady where the holder's key is away.
    """
    check_can_issue(by, holder)
    found = locked(case)
    if found.holder_id not in {None, holder.pk}:
        raise RuleBroken("other_holder", _("This case is about another organisation."))
    known = client(holder, number).now()
    if known is None:
        raise RuleBroken("no_client", _("No client of this number is known here."))
    word = handles.word(known.tag(bytes(found.nonce)))
    # The log tells the word to nobody: auditors of other cases read it too.
    entry = trail.record(
        type=EntryType.HANDLE_ISSUED,
        by=by,
        at=at,
        via=via,
        resource=found.ref,
        detail_commit=sha256(word.encode()).hexdigest(),
    )
    return CaseHandle.objects.filter(case=found, word=word).first() or CaseHandle.objects.create(
        case=found, subject_id=known.slot, word=word, issued_by=by, issued_at=at, entry=entry
    )


@taking(name=of(SavedSearch, "name"))
@transaction.atomic
def save_search(
    *, case: AuditCase, name: str, wanted: Wanted, by: User, at: datetime, via: Via
) -> SavedSearch:
    """Keep a question for the auditors of this case.

    Raises NotPermitted; RuleBroken for a closed case and a name that is taken.
    """
    check_can_look(by, case)
    found = locked(case)
    if found.searches.filter(name=name).exists():
        raise RuleBroken("name_taken", _("This case has a search of that name already."))
    trail.record(type=EntryType.SEARCH_SAVED, by=by, at=at, via=via, resource=found.ref)
    return SavedSearch.objects.create(
        case=found, name=name, asked=asked(wanted), saved_by=by, saved_at=at
    )


def locked(case: AuditCase) -> AuditCase:
    """The case under a lock until the transaction ends; RuleBroken where it is closed."""
    found = AuditCase.objects.select_for_update().get(pk=case.pk)
    if found.closed_at is not None:
        raise RuleBroken("case_closed", _("This case is closed. Open a new one."))
    return found
