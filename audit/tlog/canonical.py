"""Canonical JSON (RFC 8785): one value, one spelling, one hash."""

import json
from collections.abc import Mapping

import rfc8785

from audit.tlog.texts import Malformed

Flat = str | int | None


def canonical_bytes(value: Mapping[str, Flat]) -> bytes:
    return rfc8785.dumps(dict(value))


def parse_canonical(data: bytes) -> dict[str, Flat]:
    """Reads a flat JSON object, and refuses any other spelling of it than the canonical one."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Malformed("The leaf is not JSON.") from None
    if not isinstance(value, dict) or not all(_is_flat(item) for item in value.values()):
        raise Malformed("The leaf is not a flat JSON object.")
    try:
        spelled = canonical_bytes(value)
    except rfc8785.CanonicalizationError:
        raise Malformed("The leaf holds a value that has no canonical form.") from None
    if spelled != data:
        raise Malformed("The leaf is not in canonical form.")
    return value


def _is_flat(item: object) -> bool:
    return item is None or (isinstance(item, str | int) and not isinstance(item, bool))
