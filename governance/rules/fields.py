"""What a dataset says of its columns, and where a second saying contradicts the first."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from common.words import sentence as _
from governance.vocabulary import FieldSensitivity, FieldType

PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}\Z")


@dataclass(frozen=True)
class FieldSpec:
    """One column as its holder describes it; `category` is a data category's code."""

    name: str
    type: FieldType
    category: str
    field_sensitivity: FieldSensitivity
    narrative: bool = False


def clashes(specs: Sequence[FieldSpec], known: Mapping[str, FieldSpec]) -> list[str]:
    """What is wrong with these columns, each in one sentence; empty where nothing is."""
    found: list[str] = []
    seen: set[str] = set()
    for spec in specs:
        before = known.get(spec.name)
        if not PLAIN_NAME.match(spec.name):
            found.append(
                _("A field's name is a letter, then letters, digits and underscores, 80 at most.")
            )
        elif spec.name.lower() == "person":
            found.append(_("A field cannot be named person: packages call their key so."))
        elif spec.name.lower() in seen:
            found.append(_("The field %(name)s is named twice.", name=spec.name))
        elif before is not None and before.type != spec.type:
            found.append(
                _(
                    "The field %(name)s is already there as %(type)s.",
                    name=spec.name,
                    type=before.type.value,  # the word a mapping is written with
                )
            )
        elif before is not None and before != spec:
            found.append(
                _(
                    "The field %(name)s is already there in another category or class; "
                    "classify it anew first.",
                    name=spec.name,
                )
            )
        elif before is None and spec.name.lower() in {name.lower() for name in known}:
            found.append(
                _("The field %(name)s differs from one there only by its capitals.", name=spec.name)
            )
        seen.add(spec.name.lower())
    return found


@dataclass(frozen=True)
class VersionFact:
    """One version of a data category, and whether it holds the name that is asked about."""

    version: int
    published_at: datetime
    holds: bool


@dataclass(frozen=True)
class ClassificationFact:
    """Into which category a field was put, and when."""

    category: int
    at: datetime


def covering(
    versions: Sequence[VersionFact], classifications: Sequence[ClassificationFact]
) -> frozenset[int]:
    """The versions of a field's category in whose yeses the field is, as it stands today.

    Both from the oldest to the newest. A name that left the category and came back, and a field
    that came from elsewhere, are in no yes from before: only the newest versions in a row count
    that hold the name, and none that was published before the field came.
    """
    came = None
    for before, after in pairwise(classifications):
        if after.category != before.category:
            came = after.at
    found = []
    for each in reversed(versions):
        if not each.holds or (came is not None and each.published_at < came):
            break
        found.append(each.version)
    return frozenset(found)
