"""Readings of what was loaded: versions, and what the field catalogue knows for a mapping."""

from governance.models import Dataset
from governance.queries import catalogue
from governance.vocabulary import FieldSensitivity
from release.models import DatasetVersion
from release.rules.mapping import StandardFact
from release.rules.suggestions import StandardShape


def same_load(
    dataset: Dataset, *, source_sha256: str, mapping_sha256: str
) -> DatasetVersion | None:
    """The version that came of this very file under this very mapping."""
    return DatasetVersion.objects.filter(
        dataset=dataset, source_sha256=source_sha256, mapping_sha256=mapping_sha256
    ).first()


def last_number(dataset: Dataset) -> int:
    """The number of the newest version; 0 where nothing has been loaded."""
    numbers = DatasetVersion.objects.filter(dataset=dataset).order_by("-number")
    return numbers.values_list("number", flat=True).first() or 0


def is_loaded(version_ref: str) -> bool:
    return DatasetVersion.objects.filter(ref=version_ref).exists()


def standard_facts() -> dict[str, StandardFact]:
    """What the field catalogue says of each standard field, by name."""
    return {
        field.name: StandardFact(
            category=field.category.code,
            sensitivity=FieldSensitivity(field.field_sensitivity),
            narrative=field.narrative,
            codes=tuple(str(value) for value, _label in field.values),
        )
        for field in catalogue.standard_fields()
    }


def standard_shapes() -> list[StandardShape]:
    """The standard's fields that are in use, as far as a guess needs them."""
    return [
        StandardShape(
            name=field.name,
            type=field.type,
            category=field.category.code,
            sensitivity=FieldSensitivity(field.field_sensitivity),
            narrative=field.narrative,
            codes=tuple(str(value) for value, _label in field.values),
        )
        for field in catalogue.standard_fields()
        if not field.deprecated
    ]
