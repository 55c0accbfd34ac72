"""The field catalogue and the purposes that the project ships are loaded, as often as one likes."""

import json
import re
import tomllib
from dataclasses import dataclass
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
from governance.actions import categories, trail
from governance.models import DataCategory, Purpose, StandardField, User
from governance.rules import AGGREGATES_ONLY
from governance.vocabulary import FieldSensitivity, PurposeKind

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
@transaction.atomic
def load_standard(*, by: User, at: datetime, via: Via, folder: Path = SHIPPED) -> Loaded:
    """Categories, standard fields and purposes as the two files say. A second time: no change."""
    permissions.check_can_convene(by)
    sheet, wanted = _read(folder / FIELDS_FILE), _read(folder / PURPOSES_FILE)
    try:
        standard = _standard(sheet["catalogue"])
        changed = sum(_load_category(row) for row in sheet["category"])
        codes = {category.code: category for category in DataCategory.objects.all()}
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
    return Loaded(len(sheet["category"]), len(sheet["field"]), len(wanted["purpose"]), changed)


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
    return _settle(DataCategory, {"code": row["code"]}, {key: row[key] for key in WORDING})


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
