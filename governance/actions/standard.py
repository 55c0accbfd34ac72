"""The field catalogue and the purposes that the project ships are loaded, as often as one likes."""

import json
import re
import tomllib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from audit.vocabulary import EntryType, Via
from common import inputs
from common.errors import BadInput, RuleBroken
from common.inputs import taking
from governance import permissions
from governance.actions import cares, categories, trail
from governance.models import DataCategory, Purpose, StandardField, User
from governance.rules import AGGREGATES_ONLY, Placed, care_after, check_placed
from governance.vocabulary import Care, FieldSensitivity, PurposeKind

SHIPPED = Path(__file__).resolve().parent.parent / "catalogue"
FIELDS_FILE = "htcds-2.0.toml"
PURPOSES_FILE = "purposes.toml"
STANDARD = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")
WORDING = ("label_en", "label_es", "description_en", "description_es")


@dataclass(frozen=True)
class Loaded:
    """How much is in the catalogue now, and how many of its rows this loading changed."""

    categories: int
    fields: int
    purposes: int
    changed: int


@taking()
def load_standard(*, by: User, at: datetime, via: Via, folder: Path = SHIPPED) -> Loaded:
    """Categories, standard fields and purposes as the two files say. A second time: no change.

    A category that was ordinary and is no more comes under its rules by a deed of its own, when all
    the rest is there. Raises RuleBroken where the files would take one out of them.
    """
    loaded, later = _load(by=by, at=at, via=via, folder=folder)
    for category, care in later:
        cares.restrict(category=category, care=care, by=by, at=at, via=via)
    return replace(loaded, changed=loaded.changed + len(later))


@transaction.atomic
def _load(
    *, by: User, at: datetime, via: Via, folder: Path
) -> tuple[Loaded, list[tuple[DataCategory, Care]]]:
    """What was loaded, and which categories are still to come under rules of their own."""
    permissions.check_can_convene(by)
    sheet, wanted = _read(folder / FIELDS_FILE), _read(folder / PURPOSES_FILE)
    try:
        standard = _standard(sheet["catalogue"])
        changed = sum(_load_category(row) for row in sheet["category"])
        codes = {category.code: category for category in DataCategory.objects.all()}
        later = [
            (codes[row["code"]], care_after(Care(codes[row["code"]].care), _care_of(row)))
            for row in sheet["category"]
            if codes[row["code"]].care != _care_of(row)
        ]
        changed += sum(_load_field(row, standard, codes) for row in sheet["field"])
        changed += sum(_load_purpose(row) for row in wanted["purpose"])
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise BadInput(
            "catalogue_file", f"The catalogue files lack or misspell {error}."
        ) from error
    published = categories.publish(
        categories=[category.pk for category in codes.values()], by=by, at=at, via=via
    )
    changed += len(published)
    if changed:
        trail.record(type=EntryType.CATALOGUE_LOADED, by=by, at=at, via=via, resource=standard)
    check_placed(_as_told(sheet))
    counts = len(sheet["category"]), len(sheet["field"]), len(wanted["purpose"])
    return Loaded(*counts, changed), later


def _care_of(row: dict[str, Any]) -> Care:
    return Care(row.get("care", Care.ORDINARY))


def _as_told(sheet: dict[str, Any]) -> list[Placed]:
    """Where the file puts each of its fields; in a category it does not name, as that one stands."""
    told = dict(DataCategory.objects.values_list("code", "care"))
    told |= {row["code"]: _care_of(row) for row in sheet["category"]}
    return [
        Placed(row["name"], FieldSensitivity(row["sensitivity"]), Care(told[row["category"]]))
        for row in sheet["field"]
    ]


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput("catalogue_file", f"There is no file {path.name} in that folder.") from None
    except (OSError, ValueError) as error:
        raise BadInput("catalogue_file", f"{path.name} cannot be read: {error}") from error


def _standard(catalogue: dict[str, Any]) -> str:
    """The standard's name as it stands in the log, which keeps words only."""
    name = f"{catalogue['code']}-{catalogue['version']}"
    if not STANDARD.fullmatch(name):
        raise ValueError(f"the catalogue's code and version {name!r}")
    return name


def _load_category(row: dict[str, Any]) -> bool:
    values = {key: row[key] for key in WORDING}
    if not DataCategory.objects.filter(code=row["code"]).exists():
        values["care"] = _care_of(row)
    return _settle(DataCategory, {"code": row["code"]}, values)


def _load_field(row: dict[str, Any], standard: str, codes: dict[str, DataCategory]) -> bool:
    if "\\u0000" in json.dumps(row.get("values", [])):
        raise ValueError(f"the values of {row['name']!r}")
    return _settle(
        StandardField,
        {"standard": standard, "name": row["name"]},
        {
            "section": row["section"],
            "core": row["core"],
            "deprecated": row["status"] == "deprecated",
            "type": row["type"],
            "values": row.get("values", []),
            "code_list": row.get("code_list", ""),
            "description": row["description"],
            "field_sensitivity": FieldSensitivity(row["sensitivity"]),
            "narrative": row.get("narrative", False),
            "category": codes[row["category"]],
        },
    )


def _load_purpose(row: dict[str, Any]) -> bool:
    kind = PurposeKind(row["kind"])
    if row["aggregates_only"] != (kind in AGGREGATES_ONLY):
        raise RuleBroken(
            "purpose_kind", f"The purpose {row['code']} contradicts its kind on counts and rows."
        )
    before = Purpose.objects.filter(code=row["code"]).first()
    if before is not None and before.kind != kind:
        raise RuleBroken("purpose_kind", f"The purpose {row['code']} has its kind for good.")
    values = {key: row[key] for key in (*WORDING, "dpv", "longest_days")}
    return _settle(Purpose, {"code": row["code"]}, {**values, "kind": kind})


def _settle(model: type[models.Model], key: dict[str, Any], values: dict[str, Any]) -> bool:
    """The row is there and says this; whether anything had to be written for it."""
    inputs.fits(model, **key, **values)
    found = model._default_manager.filter(**key).first()
    if found is None:
        model._default_manager.create(**key, **values)
        return True
    different = [name for name, value in values.items() if getattr(found, name) != value]
    for name in different:
        setattr(found, name, values[name])
    if different:
        found.save(update_fields=different)
    return bool(different)
