"""Codes that one person tells another: long enough that nobody guesses one, kept only as digests."""

import secrets
from hashlib import sha256

from common.ids import ALPHABET

GROUPS, SIGNS = 4, 4
LONGEST = 40  # signs that are typed, with whatever stands between the groups


def fresh() -> str:
    """A new code such as `7m2k-q9d4-xw8h-3fnt`: 79 random bits, no sign that looks like another."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(SIGNS)) for _ in range(GROUPS))


def digest(code: str, use: str) -> str:
    """What is kept of a code: SHA-256 over its use and its signs, in 64 hexadecimal signs.

    Capitals, spaces and hyphens do not count. A code of one use is none of another.
    """
    tidy = "".join(sign for sign in code.lower() if sign not in "- \t\u2010\u2011\u2013")
    return sha256(f"sayso {use}\n{tidy}".encode()).hexdigest()
