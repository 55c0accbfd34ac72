"""Strict readings of the few text forms that all formats share."""

import base64
import binascii
import re

HASH_SIZE = 32
LARGEST_SIZE = 2**63 - 1
_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,18})\Z", re.ASCII)


class Malformed(ValueError):
    """The text is not of the form its specification demands."""


class Unproven(ValueError):
    """The text is well formed, and what it claims does not hold."""


def parse_decimal(text: str, *, what: str) -> int:
    """A number in ASCII digits without leading zeros, sign or spaces."""
    if not _DECIMAL.match(text) or int(text) > LARGEST_SIZE:
        raise Malformed(f"The {what} is not a plain decimal number below 2^63.")
    return int(text)


def parse_base64(text: str, *, what: str) -> bytes:
    """Standard base64 with padding, and only the one spelling that encodes its bytes."""
    try:
        value = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise Malformed(f"The {what} is not base64.") from None
    if to_base64(value) != text:
        raise Malformed(f"The {what} is not in canonical base64.")
    return value


def parse_hash(text: str, *, what: str) -> bytes:
    value = parse_base64(text, what=what)
    if len(value) != HASH_SIZE:
        raise Malformed(f"The {what} has {len(value)} bytes, not {HASH_SIZE}.")
    return value


def to_base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
