"""Readings of what was loaded: versions, and what the field catalogue knows for a mapping."""

from governance.models import Dataset
from governance.queries import catalogue
from governance.vocabulary import FieldSensitivity
from release.models import DatasetVersion, Resealing, StoredPart
from release.rules.mapping import StandardFact
from release.rules.suggestions import StandardShape


def same_load(
    dataset: Dataset, *, source_sha256: str, mapping_sha256: str
) -> DatasetVersion | None:
    """The newest version, where it came of this very file under this very mapping.

    An older one is none: whoever sends its file again goes back to it, which is a load of its own.
    """
    newest = DatasetVersion.objects.filter(dataset=dataset).order_by("-number").first()
    if newest is None:
        return None
    came_of = (newest.source_sha256, newest.mapping_sha256)
    return newest if came_of == (source_sha256, mapping_sha256) else None


def last_number(dataset: Dataset) -> int:
    """The number of the newest version; 0 where nothing has been loaded."""
    numbers = DatasetVersion.objects.filter(dataset=dataset).order_by("-number")
    return numbers.values_list("number", flat=True).first() or 0


def is_followed(version: DatasetVersion) -> bool:
    """Whether a newer version of its dataset has been loaded."""
    later = DatasetVersion.objects.filter(dataset=version.dataset_id, number__gt=version.number)
    return later.exists()


def is_loaded(version_ref: str) -> bool:
    return DatasetVersion.objects.filter(ref=version_ref).exists()


def sources(version: DatasetVersion) -> list[tuple[int, str, str]]:
    """Of each sealed part its number, and the name and digest under which it lies now."""
    anew = {
        part: (name, digest)
        for part, name, digest in Resealing.objects.filter(part__version=version)
        .order_by("pk")
        .values_list("part_id", "name", "sha256")
    }
    return [
        (number, *anew.get(pk, (name, digest)))
        for pk, number, name, digest in StoredPart.objects.filter(version=version).values_list(
            "pk", "number", "name", "sha256"
        )
    ]


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
