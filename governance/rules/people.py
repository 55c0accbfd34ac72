"""Who can have which role. A survivor never works here; a machine only asks."""

from governance.vocabulary import Role, UserKind


def role_fault(kind: str, role: str) -> str:
    """Why a user of this kind cannot have this role; empty where they can."""
    match UserKind(kind):
        case UserKind.SURVIVOR:
            return "A survivor's account has no role in any organisation."
        case UserKind.MACHINE if Role(role) != Role.REQUESTER:
            return "A machine can only be a requester."
        case _:
            return ""
