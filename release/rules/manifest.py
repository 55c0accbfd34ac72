"""What a package says about itself. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import rfc8785


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
) -> bytes:
    """The part of the manifest that the log entry commits to, as canonical JSON (RFC 8785).

    `refs`: release, request, agreement, purpose, dataset, version, holder, recipient.
    `withheld` is a band, never a number.
    """
    return rfc8785.dumps(
        {
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
