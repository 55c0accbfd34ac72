"""Who can have which role. A survivor never works here; a machine only asks or loads."""

from collections.abc import Collection, Mapping
from typing import assert_never

from governance.vocabulary import MachineScope, Role, UserKind

MACHINE_ROLES = frozenset({Role.REQUESTER, Role.STEWARD})
SCOPE_ROLES: Mapping[MachineScope, frozenset[Role]] = {
    MachineScope.READ: MACHINE_ROLES,
    MachineScope.ASK: frozenset({Role.REQUESTER}),
    MachineScope.FETCH: frozenset({Role.REQUESTER}),
    MachineScope.LOAD: frozenset({Role.STEWARD}),
}
"""Which roles open which scope; one of them is enough."""


def role_fault(kind: str, role: str) -> str:
    """Why a user of this kind cannot have this role; empty where they can."""
    match UserKind(kind):
        case UserKind.SURVIVOR:
            return "A survivor's account has no role in any organisation."
        case UserKind.MACHINE:
            able = Role(role) in MACHINE_ROLES
            return "" if able else "A machine can only be a requester or a steward."
        case UserKind.STAFF:
            return ""
        case other:
            assert_never(other)


def scopes_open(granted: Collection[str], roles: Collection[str]) -> frozenset[MachineScope]:
    """Of the scopes that were granted, those that a role in force still opens."""
    held = {Role(role) for role in roles}
    return frozenset(
        scope for scope, able in SCOPE_ROLES.items() if scope.value in granted and able & held
    )
