"""What a package says about itself. Pure."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import rfc8785

from governance.vocabulary import Care

NOTICED = Care.SUBSTANCE_USE
# Our own words after 42 CFR 2.32 and 2.31; docs/law.md, R17.
NOTICE = (
    "Some of these records are about treatment for alcohol or drug use. Federal rules protect them "
    "(42 CFR part 2). You may not pass them on unless the person they are about says yes to that in "
    "writing, or those rules let you. A general permission to give out records is not enough. "
    "Nothing in them may be used to bring or to prove a criminal charge against that person unless "
    "those rules let you."
)
RESTS_ON = (
    "Every record here rests on a yes of the person it is about, or of who may speak for her. The "
    "yes was given in writing and names this holder, this recipient, this purpose and the kinds of "
    "information. It covers what was recorded up to a day, it has an end, and she can stop it at "
    "any time. What she did not say yes to is empty."
)


def core(
    *,
    refs: Mapping[str, str],
    prepared_at: datetime,
    format: str,
    columns: Sequence[Mapping[str, str]],
    rows: int,
    withheld: str,
    parts: Sequence[Mapping[str, Any]],
    obligations: Sequence[str],
    noticed: Sequence[str] = (),
) -> bytes:
    """The part of the manifest that the log entry commits to, as canonical JSON (RFC 8785).

    `refs`: release, request, agreement, purpose, dataset, version, holder, recipient.
    `withheld` is a band, never a number. `noticed`: names of the columns that nobody may pass on
    (R17); where there are any, the manifest says so.
    """
    redisclosure = {"columns": list(noticed), "notice": NOTICE, "rests_on": RESTS_ON}
    return rfc8785.dumps(
        {
            **({"redisclosure": redisclosure} if noticed else {}),
            "schema": 1,
            **refs,
            "prepared_at": prepared_at.isoformat(),
            "format": format,
            "columns": [dict(column) for column in columns],
            "rows": rows,
            "rows_withheld_band": withheld,
            "parts": [dict(part) for part in parts],
            "obligations": list(obligations),
            "notice": (
                "Each download is a new decision. A person may stop sharing at any time; "
                "this package is then void. Person keys are stable within this agreement only."
            ),
        }
    )


def notices(body: bytes) -> list[bytes]:
    """The notice against passing on as a file beside the manifest; none where it needs none."""
    told = json.loads(body).get("redisclosure")
    if told is None:
        return []
    columns = f"Columns: {', '.join(told['columns'])}"
    return ["\n\n".join([told["notice"], columns, told["rests_on"], ""]).encode()]
