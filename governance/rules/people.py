"""Who can have which role. A survivor never works here; a machine only asks."""

from typing import assert_never

from common.words import sentence as _
from governance.vocabulary import Role, UserKind


def role_fault(kind: str, role: str) -> str:
    """Why a user of this kind cannot have this role; empty where they can."""
    match UserKind(kind):
        case UserKind.SURVIVOR:
            return _("A survivor's account has no role in any organisation.")
        case UserKind.MACHINE:
            return "" if Role(role) == Role.REQUESTER else _("A machine can only be a requester.")
        case UserKind.STAFF:
            return ""
        case other:
            assert_never(other)
