"""What auditors found: opened by them, answered by whom it is about, closed by them."""

from datetime import datetime

from django.db import transaction

from audit import queries as log
from audit.vocabulary import EntryType, Via
from common.errors import BadInput, RuleBroken
from common.inputs import Number, of, taking
from common.words import sentence as _
from governance.actions import details, trail
from governance.models import Organisation, User
from oversight.actions.cases import locked
from oversight.models import AuditCase, Finding, FindingStep
from oversight.permissions import check_can_answer, check_can_look
from oversight.queries import cases
from oversight.vocabulary import Step

TEXT = of(FindingStep, "text", lines=True)
ENTRIES = {
    Step.OPENED: EntryType.FINDING_OPENED,
    Step.ANSWERED: EntryType.FINDING_ANSWERED,
    Step.CLOSED: EntryType.FINDING_CLOSED,
}


@taking(title=of(Finding, "title"), text=TEXT, number=Number(least=0, name=_("Entry")))
@transaction.atomic
def open_finding(
    *,
    case: AuditCase,
    organisation: Organisation,
    title: str,
    text: str,
    number: int | None,
    by: User,
    at: datetime,
    via: Via,
) -> Finding:
    """Say what was found, to the organisation that has to answer; its board sees it too.

    Raises NotPermitted; RuleBroken for a closed case; BadInput for an entry the log has not.
    """
    check_can_look(by, case)
    locked(case)
    if number is not None and number >= log.log_size():
        raise BadInput("no_such_entry", _("The log has no entry of this number."), where="number")
    finding = Finding.objects.create(
        case=case, organisation=organisation, title=title, number=number
    )
    _say(finding, Step.OPENED, text, by=by, at=at, via=via)
    return finding


@taking(text=TEXT)
@transaction.atomic
def answer_finding(*, finding: Finding, text: str, by: User, at: datetime, via: Via) -> FindingStep:
    """Answer what was found, as often as there is something to say.

    Raises NotPermitted unless `by` looks after the organisation it is about; RuleBroken once closed.
    """
    check_can_answer(by, finding)
    return _say(_open(finding), Step.ANSWERED, text, by=by, at=at, via=via)


@taking(text=TEXT)
@transaction.atomic
def close_finding(*, finding: Finding, text: str, by: User, at: datetime, via: Via) -> FindingStep:
    """Say why it is settled. Raises NotPermitted unless `by` audits its case; RuleBroken once closed."""
    check_can_look(by, finding.case)
    return _say(_open(finding), Step.CLOSED, text, by=by, at=at, via=via)


def _open(finding: Finding) -> Finding:
    found = Finding.objects.select_for_update().get(pk=finding.pk)
    if found.steps.filter(step=Step.CLOSED).exists():
        raise RuleBroken("finding_closed", _("This finding is closed. Open a new one."))
    return found


def _say(
    finding: Finding, step: Step, text: str, *, by: User, at: datetime, via: Via
) -> FindingStep:
    entry = trail.record(
        type=ENTRIES[step],
        by=by,
        at=at,
        via=via,
        resource=finding.ref,
        **details.sealed(by=by, **cases.said(finding, step, text)),
    )
    return FindingStep.objects.create(
        finding=finding, step=step, text=text, by=by, at=at, entry=entry
    )
