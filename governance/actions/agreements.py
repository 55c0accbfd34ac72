"""Agreements are drafted, signed by both parties, suspended, resumed and ended."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Model

from audit.vocabulary import EntryType, Via
from common.errors import BadInput, RuleBroken
from common.inputs import Text, of, taking
from common.words import sentence as _
from governance import permissions
from governance.actions import scopes, trail
from governance.models import (
    Agreement,
    AgreementCategory,
    AgreementDataset,
    AgreementPurpose,
    AgreementSignature,
    DataCategory,
    Dataset,
    Organisation,
    Purpose,
    User,
)
from governance.queries.agreements import content_digest
from governance.rules import AgreementVerb, agreement_after
from governance.vocabulary import DatasetState, Narrowing

LONGEST_OBLIGATION = 2000


@taking(
    title=of(Agreement, "title"),
    obligations=Text(most=LONGEST_OBLIGATION, least=1, lines=True),
)
@transaction.atomic
def draft(
    *,
    holder: Organisation,
    recipient: Organisation,
    title: str,
    datasets: Sequence[Dataset],
    purposes: Sequence[Purpose],
    categories: Sequence[DataCategory],
    starts: datetime,
    ends: datetime,
    by: User,
    at: datetime,
    via: Via,
    obligations: Sequence[str] = (),
) -> Agreement:
    """A text both parties can sign. It binds nobody yet."""
    permissions.check_can_negotiate(by, holder, recipient)
    _check_period(starts, ends, at)
    if holder.pk == recipient.pk:
        raise RuleBroken("agreement_with_itself", _("An agreement is between two organisations."))
    _check_content(holder, datasets, purposes, categories)
    agreement = Agreement.objects.create(
        holder=holder,
        recipient=recipient,
        title=title.strip(),
        obligations=[text.strip() for text in obligations],
        starts=starts,
        ends=ends,
        created_at=at,
    )
    AgreementDataset.objects.bulk_create(
        AgreementDataset(agreement=agreement, dataset=dataset) for dataset in datasets
    )
    AgreementPurpose.objects.bulk_create(
        AgreementPurpose(agreement=agreement, purpose=purpose) for purpose in purposes
    )
    AgreementCategory.objects.bulk_create(
        AgreementCategory(agreement=agreement, category=category) for category in categories
    )
    trail.record(type=EntryType.AGREEMENT_DRAFTED, by=by, at=at, via=via, resource=agreement.ref)
    return agreement


@transaction.atomic
def sign(
    *, agreement: Agreement, organisation: Organisation, by: User, at: datetime, via: Via
) -> Agreement:
    """One party signs exactly this text; with the second signature it is in force."""
    found = _locked(agreement)
    permissions.check_can_administer(by, organisation)
    if organisation.pk not in (found.holder_id, found.recipient_id):
        raise RuleBroken("not_a_party", _("This organisation is no party to the agreement."))
    signed = {signature.organisation_id: signature.digest for signature in found.signatures.all()}
    if organisation.pk in signed:
        raise RuleBroken("already_signed", _("This organisation has signed already."))
    _step(found, AgreementVerb.COUNTERSIGN if signed else AgreementVerb.SIGN)
    if found.ends <= at:
        raise RuleBroken("agreement_over", _("The agreement's period is over already."))
    digest = content_digest(found)
    if any(earlier != digest for earlier in signed.values()):
        raise RuleBroken("content_changed", _("This is not the text the other party has signed."))
    AgreementSignature.objects.create(
        agreement=found, organisation=organisation, signed_by=by, signed_at=at, digest=digest
    )
    trail.record(
        type=EntryType.AGREEMENT_SIGNED,
        by=by,
        at=at,
        via=via,
        resource=found.ref,
        reason="countersigned" if signed else "",
        detail_commit=digest,
    )
    return found


def suspend(*, agreement: Agreement, by: User, at: datetime, via: Via) -> Agreement:
    """Nothing leaves under this agreement until the holder resumes it."""
    with scopes.narrowing(
        act=Narrowing.AGREEMENT_SUSPENDED, recipients=[agreement.recipient_id]
    ) as moment:
        found = _locked(agreement)
        permissions.check_can_suspend(by, found)
        _step(found, AgreementVerb.SUSPEND)
        moment.tell(what="agreement", ref=found.ref, verb=AgreementVerb.SUSPEND)
        trail.record(
            type=EntryType.AGREEMENT_SUSPENDED,
            by=by,
            at=moment.at,
            via=via,
            resource=found.ref,
            epoch_everyone=moment.everyone,
            epoch_scope=moment.epochs.get(found.recipient_id),
        )
    return found


@transaction.atomic
def resume(*, agreement: Agreement, by: User, at: datetime, via: Via) -> Agreement:
    """The holder, whose clients it is about, lets it run again."""
    found = _locked(agreement)
    permissions.check_can_administer(by, found.holder)
    _step(found, AgreementVerb.RESUME)
    trail.record(type=EntryType.AGREEMENT_RESUMED, by=by, at=at, via=via, resource=found.ref)
    return found


def end(*, agreement: Agreement, by: User, at: datetime, via: Via) -> Agreement:
    """Either party ends it, for good."""
    with scopes.narrowing(
        act=Narrowing.AGREEMENT_ENDED, recipients=[agreement.recipient_id]
    ) as moment:
        found = _locked(agreement)
        permissions.check_can_negotiate(by, found.holder, found.recipient)
        _step(found, AgreementVerb.END)
        moment.tell(what="agreement", ref=found.ref, verb=AgreementVerb.END)
        trail.record(
            type=EntryType.AGREEMENT_ENDED,
            by=by,
            at=moment.at,
            via=via,
            resource=found.ref,
            epoch_everyone=moment.everyone,
            epoch_scope=moment.epochs.get(found.recipient_id),
        )
    return found


def _locked(agreement: Agreement) -> Agreement:
    return (
        Agreement.objects.select_for_update(of=("self",))
        .select_related("holder", "recipient")
        .get(pk=agreement.pk)
    )


def _step(agreement: Agreement, verb: AgreementVerb) -> None:
    agreement.state = agreement_after(agreement.state, verb)
    agreement.save(update_fields=["state"])


def _check_period(starts: datetime, ends: datetime, at: datetime) -> None:
    if starts >= ends:
        raise BadInput("agreement_period", _("The agreement ends after it starts."), where="ends")
    if ends <= at:
        raise BadInput("agreement_over", _("The agreement's period is over already."), where="ends")


def _check_content(
    holder: Organisation,
    datasets: Sequence[Dataset],
    purposes: Sequence[Purpose],
    categories: Sequence[DataCategory],
) -> None:
    _check_once("datasets", datasets, _("Name at least one dataset, and each only once."))
    _check_once("purposes", purposes, _("Name at least one purpose, and each only once."))
    _check_once("categories", categories, _("Name at least one data category, each only once."))
    if any(dataset.holder_id != holder.pk for dataset in datasets):
        raise RuleBroken("dataset_of_another", _("The holder does not hold one of these datasets."))
    if any(dataset.state == DatasetState.RETIRED for dataset in datasets):
        raise RuleBroken("dataset_retired", _("One of these datasets is retired."))
    if any(purpose.retired_at is not None for purpose in purposes):
        raise RuleBroken("purpose_retired", _("One of these purposes is retired."))


def _check_once(where: str, things: Collection[Model], told: str) -> None:
    if not things or len({thing.pk for thing in things}) != len(things):
        raise BadInput("agreement_content", told, where=where)
