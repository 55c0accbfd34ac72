"""Codes that one person tells another: long enough that nobody guesses one, kept only as digests."""

import hmac
import secrets
from hashlib import sha256

from common.ids import ALPHABET

GROUPS, SIGNS = 4, 4
HALF = 5  # signs of a short code, of which there are two halves
LONGEST = 40  # signs that are typed, with whatever stands between the groups


def fresh() -> str:
    """A new code such as `7m2k-q9d4-xw8h-3fnt`: 79 random bits, no sign that looks like another."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(SIGNS)) for _ in range(GROUPS))


def short() -> str:
    """A new code such as `7m2kq-9d4xw`: ten signs, 49 random bits, for a sheet of paper.

    Not enough by itself: whoever takes it counts wrong tries, lets it live for days only, and keeps
    no more of it than `keyed`.
    """
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(HALF)) for _ in range(2))


def digest(code: str, use: str) -> str:
    """What is kept of a code: SHA-256 over its use and its signs, in 64 hexadecimal signs.

    Capitals, spaces and hyphens do not count. A code of one use is none of another.
    """
    return sha256(f"sayso {use}\n{_tidy(code)}".encode()).hexdigest()


def keyed(code: str, use: str, key: bytes) -> str:
    """The same under a key that the database does not hold (HMAC-SHA-256): a short code could be
    found from a plain digest by trying all there are."""
    return hmac.digest(key, f"sayso {use}\n{_tidy(code)}".encode(), "sha256").hex()


def _tidy(code: str) -> str:
    return "".join(sign for sign in code.lower() if sign not in "- \t\u2010\u2011\u2013")
