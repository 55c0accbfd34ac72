"""Canonical JSON (RFC 8785): one value, one spelling, one hash."""

import json
from collections.abc import Mapping
from json.encoder import encode_basestring as _quoted

import rfc8785

from audit.tlog.texts import Malformed

Flat = str | int | None


LARGEST = 2**53 - 1  # the largest whole number that every reader of JSON takes exactly


def canonical_bytes(value: Mapping[str, Flat]) -> bytes:
    """The one spelling of a flat object; a value that has none raises rfc8785's own error.

    For flat objects of ASCII names this is RFC 8785 to the byte in an eighth of the library's time,
    and a property test holds the two against each other; whatever else comes is left to the library.
    """
    try:
        pairs = [f"{_quoted(name)}:{_spelled(item)}" for name, item in sorted(value.items())]
        if all(map(str.isascii, value)):
            return f"{{{','.join(pairs)}}}".encode()
    except (UnicodeEncodeError, _Unplain):
        pass
    return rfc8785.dumps(dict(value))


class _Unplain(ValueError):
    """Something for the library to spell, or to refuse."""


def _spelled(item: Flat) -> str:
    if type(item) is str:
        return _quoted(item)
    if item is None:
        return "null"
    if type(item) is int and -LARGEST <= item <= LARGEST:
        return str(item)
    raise _Unplain


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
