"""What organisations, boards and the community said no to is said again after a restore.

The steps of `consent.actions.replaying`, inside its transaction. What this database never knew, or
has ended already, needs nothing: nothing leaves by it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from governance import permissions
from governance.actions import categories, scopes, trail
from governance.models import (
    AccessRequest,
    Agreement,
    DataCategory,
    Dataset,
    Field,
    FieldClassification,
    Membership,
    Purpose,
    RecipientKey,
    User,
)
from governance.rules import (
    AgreementVerb,
    DatasetVerb,
    RequestVerb,
    agreement_after,
    closing,
    dataset_after,
    request_after,
)
from governance.vocabulary import FieldSensitivity, Role

REPLAYED = "replayed"
Told = Mapping[str, Any]
Outcome = tuple[EntryType, str] | None  # the entry's type and what it is about


def repeat(told: Told, *, by: User, at: datetime, via: Via, moment: scopes.Moment) -> bool:
    """Say one of them again; says whether anything changed. `moment` is the one of saying it."""
    outcome = KINDS[told["what"]](told, by, moment, via)
    if outcome is None:
        return False
    type_, resource = outcome
    trail.record(
        type=type_,
        by=by,
        at=at,
        via=via,
        resource=resource if type_ != EntryType.PURPOSE_CHANGED else "",
        purpose=resource if type_ == EntryType.PURPOSE_CHANGED else "",
        reason=REPLAYED,
        epoch_everyone=moment.everyone,
    )
    return True


def _agreement(told: Told, _by: User, _moment: scopes.Moment, _via: Via) -> Outcome:
    found = Agreement.objects.select_for_update().filter(ref=told["ref"]).first()
    verb = AgreementVerb(told["verb"])
    if found is None or not _stepped(found, lambda: agreement_after(found.state, verb)):
        return None
    ended = verb == AgreementVerb.END
    return EntryType.AGREEMENT_ENDED if ended else EntryType.AGREEMENT_SUSPENDED, found.ref


def _request(told: Told, _by: User, _moment: scopes.Moment, _via: Via) -> Outcome:
    found = AccessRequest.objects.select_for_update().filter(ref=told["ref"]).first()
    if found is None or not _stepped(found, lambda: request_after(found.state, RequestVerb.END)):
        return None
    return EntryType.REQUEST_ENDED, found.ref


def _dataset(told: Told, _by: User, _moment: scopes.Moment, _via: Via) -> Outcome:
    found = Dataset.objects.select_for_update().filter(ref=told["ref"]).first()
    verb = DatasetVerb(told["verb"])
    if found is None or not _stepped(found, lambda: dataset_after(found.state, verb)):
        return None
    retired = verb == DatasetVerb.RETIRE
    return EntryType.DATASET_RETIRED if retired else EntryType.DATASET_PAUSED, found.ref


def _purpose(told: Told, _by: User, moment: scopes.Moment, _via: Via) -> Outcome:
    column = {"paused_at": "paused_at", "retired_at": "retired_at"}[told["column"]]
    found = Purpose.objects.filter(code=told["code"], **{f"{column}__isnull": True})
    if not found.update(**{column: moment.at}):
        return None
    return EntryType.PURPOSE_CHANGED, told["code"]


def _field(told: Told, by: User, moment: scopes.Moment, via: Via) -> Outcome:
    found = (
        Field.objects.select_for_update(of=("self",))
        .select_related("dataset")
        .filter(dataset__ref=told["dataset"], name=told["name"])
        .first()
    )
    if found is None:
        return None
    category = DataCategory.objects.filter(code=told["category"]).first()
    before = (found.category_id, found.field_sensitivity, found.narrative)
    if category is not None:
        found.category = category
    found.field_sensitivity = FieldSensitivity(told["sensitivity"])
    # A category that is not known here: the field stays in until somebody classifies it anew.
    found.narrative = bool(told["narrative"]) or category is None
    if (found.category_id, found.field_sensitivity, found.narrative) == before:
        return None
    found.save(update_fields=["category", "field_sensitivity", "narrative"])
    FieldClassification.objects.create(
        field=found,
        category_id=found.category_id,
        field_sensitivity=found.field_sensitivity,
        narrative=found.narrative,
        classified_by=by,
        classified_at=moment.at,
    )
    touched = {before[0], found.category_id}
    categories.publish(categories=touched, by=by, at=moment.at, via=via)
    return EntryType.FIELD_CLASSIFIED, f"{found.dataset.ref}/{found.name}"


def _membership(told: Told, _by: User, moment: scopes.Moment, _via: Via) -> Outcome:
    found = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("user", "organisation")
        .filter(
            user__ref=told["user"],
            organisation__ref=told["organisation"],
            role=told["role"],
            started_at=datetime.fromisoformat(told["started_at"]),
            ended_at__isnull=True,
        )
        .first()
    )
    if found is None:
        return None
    found.ended_at = closing(found.started_at, moment.at)
    found.save(update_fields=["ended_at"])
    permissions.take_back(found.user, found.organisation, Role(found.role))
    return EntryType.MEMBERSHIP_ENDED, f"{found.organisation.ref}/{found.user.ref}"


def _key(told: Told, _by: User, moment: scopes.Moment, _via: Via) -> Outcome:
    found = (
        RecipientKey.objects.select_for_update(of=("self",))
        .filter(
            organisation__ref=told["organisation"],
            public_key=told["public_key"],
            ended_at__isnull=True,
        )
        .first()
    )
    if found is None:
        return None
    found.ended_at = closing(found.registered_at, moment.at)
    found.save(update_fields=["ended_at"])
    return EntryType.KEY_ENDED, told["organisation"]


KINDS: Mapping[str, Callable[[Told, User, scopes.Moment, Via], Outcome]] = {
    "agreement": _agreement,
    "request": _request,
    "dataset": _dataset,
    "purpose": _purpose,
    "field": _field,
    "membership": _membership,
    "key": _key,
}


def _stepped(row: Agreement | AccessRequest | Dataset, after: Callable[[], str]) -> bool:
    """Take the step if there is one from here: where there is none, nothing left by it anyway."""
    try:
        row.state = after()
    except RuleBroken:
        return False
    row.save(update_fields=["state"])
    return True
