"""Who can have which role, and how a key is told from another.

A survivor never works here; a machine only asks.
"""

from hashlib import sha256
from typing import assert_never

from governance.vocabulary import Role, UserKind


def role_fault(kind: str, role: str) -> str:
    """Why a user of this kind cannot have this role; empty where they can."""
    match UserKind(kind):
        case UserKind.SURVIVOR:
            return "A survivor's account has no role in any organisation."
        case UserKind.MACHINE:
            return "" if Role(role) == Role.REQUESTER else "A machine can only be a requester."
        case UserKind.STAFF:
            return ""
        case other:
            assert_never(other)


def fingerprint(public_key: str) -> str:
    """64 hexadecimal signs: what `age-keygen -y key.txt | sha256sum` prints for this public key."""
    return sha256(f"{public_key.strip().lower()}\n".encode()).hexdigest()
