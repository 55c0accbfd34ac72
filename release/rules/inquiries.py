"""What a holder is told when it asks about one of its own clients. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date

from audit.vocabulary import Decision
from release.rules import decide
from release.rules.decide import FieldFact
from release.rules.person import Opening
from release.vocabulary import Ground

NO_YES = "no_yes"
# What is hers to know: whether she stopped, paused, objected, never said yes or is not known here.
HERS = frozenset({Ground.NOBODY, Ground.OTHER_CATEGORIES, *decide.STANDING_GROUNDS.values()})


def told_to_holder(grounds: str) -> tuple[str, ...]:
    """What a holder is told of grounds (words with commas between them), in their order.

    Of the whole, each: it is party to the agreement and keeps the dataset (R25). Of the person, one
    word for all: a no leaves no mark that others see (R10), and an unknown number looks the same.
    """
    words = [Ground(word) for word in grounds.split(",") if word]
    return tuple(dict.fromkeys(NO_YES if word in HERS else word.value for word in words))


def by_category(
    opening: Opening, fields: Sequence[FieldFact], codes: Mapping[int, str]
) -> dict[str, list[str]]:
    """The open columns by the code of their category, both in the dataset's order."""
    found: dict[str, list[str]] = {}
    for field in fields:
        if field.name in opening.columns:
            found.setdefault(codes[field.category], []).append(field.name)
    return found


def commitment(
    *,
    ref: str,
    request: str,
    columns: Mapping[str, Sequence[str]],
    record_until: date | None,
    grounds: Sequence[str],
) -> dict[str, str | int | None]:
    """What the entry of an answer commits to, written in canonical JSON: the answer as it was told.

    `ref` is the answer's own reference, `request` the request's; no columns: it was refused.
    """
    return {
        "ref": ref,
        "request": request,
        "decision": str(Decision.PERMITTED if columns else Decision.REFUSED),
        "columns": ",".join(name for names in columns.values() for name in names),
        "record_until": record_until.isoformat() if record_until else "",
        "grounds": ",".join(grounds),
    }
