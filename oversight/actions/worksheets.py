"""A sample of imported yeses, drawn for an auditor and held against paper at the holder."""

import secrets
from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.inputs import Number, taking
from common.words import sentence as _
from governance.actions import trail
from governance.models import Organisation, User
from oversight.actions import looking
from oversight.models import AuditCase, Worksheet, WorksheetCheck, WorksheetLine
from oversight.permissions import check_can_issue
from oversight.queries import worksheets
from oversight.rules import sampling
from oversight.vocabulary import Look, Paper

SEED = 16  # bytes


@taking(size=Number(least=1, most=sampling.LARGEST, name=_("How many")))
def draw(
    *, case: AuditCase, holder: Organisation, size: int, by: User, at: datetime, via: Via
) -> Worksheet:
    """Draw so many of the holder's imported yeses. The auditor sees days and kinds; the holder alone
    sees where each paper lies.

    Raises NotPermitted unless `by` audits the case; RuleBroken for a closed case, one about another
    holder, and a holder without imported yeses.
    """
    if case.holder_id not in {None, holder.pk}:
        raise RuleBroken("other_holder", _("This case is about another organisation."))
    seed = secrets.token_hex(SEED)
    asked = {"holder": holder.ref, "size": str(size), "seed": seed}
    looking.note(case=case, look=Look.WORKSHEET, asked=asked, by=by, at=at, via=via)
    population = worksheets.imported(holder)
    if not population:
        raise RuleBroken("nothing_imported", _("Nothing was imported there, so nothing to check."))
    refs = sampling.drawn(population, seed=seed, size=size)
    found = worksheets.consents(refs)
    with transaction.atomic():
        sheet = Worksheet.objects.create(
            case=case,
            holder=holder,
            seed=seed,
            population=len(population),
            drawn_by=by,
            drawn_at=at,
        )
        WorksheetLine.objects.bulk_create(
            WorksheetLine(worksheet=sheet, number=number, consent=found[ref])
            for number, ref in enumerate(refs, start=1)
        )
    return sheet


@taking()
@transaction.atomic
def check(*, line: WorksheetLine, found: Paper, by: User, at: datetime, via: Via) -> WorksheetCheck:
    """Say what the paper of one line says. Raises NotPermitted unless `by` looks after the holder's
    data; RuleBroken where it was said already."""
    sheet = line.worksheet
    check_can_issue(by, sheet.holder)
    WorksheetLine.objects.select_for_update().get(pk=line.pk)
    if WorksheetCheck.objects.filter(line=line).exists():
        raise RuleBroken("line_checked", _("This line was checked already."))
    entry = trail.record(
        type=EntryType.WORKSHEET_CHECKED,
        by=by,
        at=at,
        via=via,
        resource=f"{sheet.ref}/{line.number}",
        reason=found.value,
    )
    return WorksheetCheck.objects.create(line=line, found=found, by=by, at=at, entry=entry)
