"""Datasets and their fields: created, described, classified anew, paused, retired."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from audit.actions import journal
from audit.vocabulary import EntryType, Via
from common.errors import BadInput, RuleBroken
from common.inputs import of, taking
from common.words import joined
from common.words import sentence as _
from governance import permissions
from governance.actions import categories, scopes, trail
from governance.actions.cares import restrict
from governance.actions.purposes import pause_purpose, resume_purpose, retire_purpose
from governance.actions.standard import load_standard
from governance.models import (
    Board,
    DataCategory,
    Dataset,
    Field,
    FieldClassification,
    Organisation,
    User,
)
from governance.queries import catalogue
from governance.rules import (
    DatasetVerb,
    FieldSpec,
    check_placed,
    check_unmixed,
    clashes,
    dataset_after,
)
from governance.vocabulary import FieldSensitivity, FieldType, Narrowing

__all__ = [
    "FieldSpec",
    "create_dataset",
    "define_fields",
    "load_standard",
    "pause_dataset",
    "pause_purpose",
    "reclassify",
    "restrict",
    "resume_dataset",
    "resume_purpose",
    "retire_dataset",
    "retire_purpose",
]

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


@taking(name=of(Dataset, "name"), title=of(Dataset, "title"))
@transaction.atomic
def create_dataset(
    *,
    name: str,
    title: str,
    holder: Organisation,
    board: Board,
    by: User,
    at: datetime,
    via: Via,
) -> Dataset:
    """What one organisation holds gets a name and a board; it has no fields and no rows yet."""
    permissions.check_can_steward(by, holder)
    if not SLUG.match(name):
        raise BadInput(
            "dataset_name", _("A dataset's name has lower-case letters, digits, hyphens.")
        )
    if Dataset.objects.filter(name=name).exists():
        raise RuleBroken("dataset_name_taken", _("There is a dataset of that name."))
    dataset = Dataset.objects.create(
        holder=holder, board=board, name=name, title=title.strip(), created_at=at
    )
    trail.record(type=EntryType.DATASET_CREATED, by=by, at=at, via=via, resource=dataset.ref)
    return dataset


@taking()
@transaction.atomic
def define_fields(
    *, dataset: Dataset, fields: Sequence[FieldSpec], by: User, at: datetime, via: Via
) -> list[Field]:
    """The dataset has these fields too. Those it has already must be described as they stand."""
    found = Dataset.objects.select_for_update().get(pk=dataset.pk)
    permissions.check_can_steward(by, found.holder)
    known = catalogue.specs(found)
    wrong = clashes(fields, known)
    if wrong:
        raise RuleBroken("field_contradiction", joined(wrong))
    new = [spec for spec in fields if spec.name not in known]
    codes = _categories(new, known.values())
    added = [
        Field(
            dataset=found,
            name=spec.name,
            type=FieldType(spec.type),
            position=position,
            category=codes[spec.category],
            field_sensitivity=FieldSensitivity(spec.field_sensitivity),
            narrative=spec.narrative,
        )
        for position, spec in enumerate(new, start=len(known) + 1)
    ]
    check_placed(catalogue.placed(added))
    check_unmixed(catalogue.placed([*catalogue.fields(found), *added]) if added else [])
    journal.insert(added)
    for field in added:
        _classify(field, by=by, at=at, via=via)
    touched = {field.category_id for field in added}
    categories.publish(categories=touched, by=by, at=at, via=via)
    return list(Field.objects.filter(dataset=found))


@taking()
def reclassify(
    *,
    field: Field,
    category: DataCategory,
    field_sensitivity: FieldSensitivity,
    narrative: bool,
    by: User,
    at: datetime,
    via: Via,
) -> Field:
    """A field belongs elsewhere, or reveals more or less than was thought. No yes that was given
    before covers it in its new category; that is a no to everyone."""
    with scopes.narrowing(act=Narrowing.FIELD_RECLASSIFIED, everyone=True) as moment:
        found = (
            Field.objects.select_for_update(of=("self",))
            .select_related("dataset__holder")
            .get(pk=field.pk)
        )
        permissions.check_can_steward(by, found.dataset.holder)
        before = (found.category_id, found.field_sensitivity, found.narrative)
        if before == (category.pk, field_sensitivity, narrative):
            raise RuleBroken("same_classification", _("This field is classified so already."))
        found.category = DataCategory.objects.get(pk=category.pk)  # its care as it stands now
        found.field_sensitivity = FieldSensitivity(field_sensitivity)
        found.narrative = narrative
        check_placed(catalogue.placed([found]))
        others = catalogue.fields(found.dataset).exclude(pk=found.pk)
        check_unmixed(catalogue.placed([*others, found]))
        found.save(update_fields=["category", "field_sensitivity", "narrative"])
        _classify(found, by=by, at=moment.at, via=via, epoch=moment.everyone)
        moment.tell(
            what="field",
            dataset=found.dataset.ref,
            name=found.name,
            category=category.code,
            sensitivity=str(found.field_sensitivity),
            narrative=narrative,
        )
        categories.publish(
            categories={before[0], category.pk},
            anew={category.pk} - {before[0]},
            by=by,
            at=moment.at,
            via=via,
        )
    return found


def pause_dataset(*, dataset: Dataset, by: User, at: datetime, via: Via) -> Dataset:
    """Nothing leaves from this dataset until it runs again."""
    with scopes.narrowing(act=Narrowing.DATASET_PAUSED, everyone=True) as moment:
        found = _locked(dataset)
        permissions.check_can_pause_dataset(by, found)
        _step(found, DatasetVerb.PAUSE)
        moment.tell(what="dataset", ref=found.ref, verb=DatasetVerb.PAUSE)
        trail.record(
            type=EntryType.DATASET_PAUSED,
            by=by,
            at=moment.at,
            via=via,
            resource=found.ref,
            epoch_everyone=moment.everyone,
        )
    return found


@transaction.atomic
def resume_dataset(*, dataset: Dataset, by: User, at: datetime, via: Via) -> Dataset:
    """The board lets a paused dataset run again."""
    found = _locked(dataset)
    permissions.check_can_resume_dataset(by, found)
    _step(found, DatasetVerb.RESUME)
    trail.record(type=EntryType.DATASET_RESUMED, by=by, at=at, via=via, resource=found.ref)
    return found


def retire_dataset(*, dataset: Dataset, by: User, at: datetime, via: Via) -> Dataset:
    """The holder takes this dataset back for good."""
    with scopes.narrowing(act=Narrowing.DATASET_RETIRED, everyone=True) as moment:
        found = _locked(dataset)
        permissions.check_can_administer(by, found.holder)
        _step(found, DatasetVerb.RETIRE)
        moment.tell(what="dataset", ref=found.ref, verb=DatasetVerb.RETIRE)
        trail.record(
            type=EntryType.DATASET_RETIRED,
            by=by,
            at=moment.at,
            via=via,
            resource=found.ref,
            epoch_everyone=moment.everyone,
        )
    return found


def _locked(dataset: Dataset) -> Dataset:
    return (
        Dataset.objects.select_for_update(of=("self",))
        .select_related("holder", "board")
        .get(pk=dataset.pk)
    )


def _step(dataset: Dataset, verb: DatasetVerb) -> None:
    dataset.state = dataset_after(dataset.state, verb)
    dataset.save(update_fields=["state"])


def _categories(specs: Sequence[FieldSpec], known: Iterable[FieldSpec]) -> dict[str, DataCategory]:
    """The categories of new columns, held still with those of the dataset's other columns: none of
    them comes under rules of its own before the new columns stand in them."""
    wanted = {spec.category for spec in specs}
    if not wanted:
        return {}
    held = DataCategory.objects.select_for_update().order_by("pk")
    codes = wanted | {spec.category for spec in known}
    found = {category.code: category for category in held.filter(code__in=codes)}
    if missing := sorted(wanted - found.keys()):
        raise BadInput(
            "category_unknown",
            _("There is no data category %(code)s.", code=missing[0]),
            where="fields",
        )
    return found


def _classify(field: Field, *, by: User, at: datetime, via: Via, epoch: int | None = None) -> None:
    FieldClassification.objects.create(
        field=field,
        category_id=field.category_id,
        field_sensitivity=field.field_sensitivity,
        narrative=field.narrative,
        classified_by=by,
        classified_at=at,
    )
    trail.record(
        type=EntryType.FIELD_CLASSIFIED,
        by=by,
        at=at,
        via=via,
        resource=f"{field.dataset.ref}/{field.name}",
        epoch_everyone=epoch,
    )
