"""Which roles are worth a look. Pure: a flag is a question to somebody, and ends nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.vocabulary import Role
from oversight.vocabulary import Flag

IDLE = timedelta(days=90)
# Who checks must not be whom is checked; who decides or holds must not be who asks.
APART: tuple[tuple[Role, Role], ...] = (
    (Role.AUDITOR, Role.STEWARD),
    (Role.AUDITOR, Role.REQUESTER),
    (Role.AUDITOR, Role.ADMINISTRATOR),
    (Role.AUDITOR, Role.BOARD_MEMBER),
    (Role.REQUESTER, Role.STEWARD),
    (Role.REQUESTER, Role.BOARD_MEMBER),
)


@dataclass(frozen=True)
class Holding:
    """One role, with what is known of whoever has it: every role of theirs, their account, and when
    they last did something."""

    role: Role
    roles: frozenset[Role]
    active: bool
    since: datetime
    last: datetime | None


def flags(held: Holding, at: datetime) -> tuple[Flag, ...]:
    """Why this role is worth a look; nothing where it is not."""
    found = []
    if not held.active:
        found.append(Flag.LEAVER)
    if against(held):
        found.append(Flag.CONFLICT)
    if at - max(held.since, held.last or held.since) >= IDLE:
        found.append(Flag.IDLE)
    return tuple(found)


def against(held: Holding) -> frozenset[Role]:
    """The other roles that this one does not go together with."""
    pairs = [pair for pair in APART if held.role in pair and set(pair) <= held.roles]
    return frozenset(each for pair in pairs for each in pair) - {held.role}
