"""Who can have which role, and how a key is told from another.

A survivor never works here; a machine only asks, loads or follows the log.
"""

from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import assert_never

from common.words import sentence as _
from governance.vocabulary import MachineScope, Role, UserKind

MACHINE_ROLES = frozenset({Role.REQUESTER, Role.STEWARD, Role.AUDITOR})
SCOPE_ROLES: Mapping[MachineScope, frozenset[Role]] = {
    MachineScope.READ: frozenset({Role.REQUESTER, Role.STEWARD}),
    MachineScope.ASK: frozenset({Role.REQUESTER}),
    MachineScope.FETCH: frozenset({Role.REQUESTER}),
    MachineScope.LOAD: frozenset({Role.STEWARD}),
    MachineScope.DECIDE: frozenset({Role.STEWARD}),
    MachineScope.AUDIT: frozenset({Role.AUDITOR}),
}
"""Which roles open which scope; one of them is enough."""


def role_fault(kind: str, role: str) -> str:
    """Why a user of this kind cannot have this role; empty where they can."""
    match UserKind(kind):
        case UserKind.SURVIVOR:
            return _("A survivor's account has no role in any organisation.")
        case UserKind.MACHINE:
            able = Role(role) in MACHINE_ROLES
            return "" if able else _("A machine can only be a requester, a steward or an auditor.")
        case UserKind.STAFF:
            return ""
        case other:
            assert_never(other)


def fingerprint(public_key: str) -> str:
    """64 hexadecimal signs: what `age-keygen -y key.txt | sha256sum` prints for this public key."""
    return sha256(f"{public_key.strip().lower()}\n".encode()).hexdigest()


def scopes_open(granted: Collection[str], roles: Collection[str]) -> frozenset[MachineScope]:
    """Of the scopes that were granted, those that a role in force still opens."""
    held = {Role(role) for role in roles}
    return frozenset(
        scope for scope, able in SCOPE_ROLES.items() if scope.value in granted and able & held
    )
