"""Who may invite whom, what nobody does at once, and whose two hands let somebody begin anew.

Tables, and the page that is drawn from them. Pure: people and organisations are numbers here.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from common.words import sentence as _
from governance.vocabulary import Role

INVITATION_LIFE = timedelta(days=7)
ASKED_LIFE = timedelta(days=3)
AGREED_LIFE = timedelta(days=3)
SETTLED = timedelta(days=7)
"""For how long somebody must have administered before their hand counts in a reset: whoever steals
one session cannot make an accomplice and let both agree."""


class Inviter(StrEnum):
    """Who invites."""

    OWN = "the organisation's own administrators"
    CONVENER = "the community's administrators, while the organisation has no administrator"


INVITERS: Mapping[Role, frozenset[Inviter]] = {
    Role.STEWARD: frozenset({Inviter.OWN}),
    Role.REQUESTER: frozenset({Inviter.OWN}),
    Role.BOARD_MEMBER: frozenset({Inviter.OWN}),
    Role.AUDITOR: frozenset({Inviter.OWN}),
    Role.ADVOCATE: frozenset({Inviter.OWN}),
    Role.ADMINISTRATOR: frozenset({Inviter.OWN, Inviter.CONVENER}),
}

ANYWHERE: Mapping[frozenset[Role], str] = {
    frozenset(pair): why
    for pair, why in (
        ((Role.REQUESTER, Role.ADVOCATE), _("who asks for data sits beside no client")),
        ((Role.REQUESTER, Role.STEWARD), _("who asks for data looks after none")),
        (
            (Role.REQUESTER, Role.BOARD_MEMBER),
            _("who asks for data is not on the side that answers"),
        ),
    )
}
"""Two roles that one person never has, wherever each is."""

IN_ONE_PLACE: Mapping[frozenset[Role], str] = {
    frozenset((Role.AUDITOR, other)): _("who audits an organisation does nothing else there")
    for other in Role
    if other != Role.AUDITOR
}
"""Two roles that one person never has in one and the same organisation."""


def combination_fault(
    held: Collection[tuple[int, str]], organisation: int, wanted: Collection[str]
) -> str:
    """Why somebody cannot have these roles there besides what they have; empty where they can.

    `held` and the answer's arithmetic are over (organisation, role) pairs.
    """
    new = [(organisation, Role(role)) for role in wanted]
    every = [(where, Role(role)) for where, role in held] + new
    for where, role in new:
        for there, other in every:
            pair = frozenset((role, other))
            why = ANYWHERE.get(pair) or (IN_ONE_PLACE.get(pair) if where == there else None)
            if why:
                first, second = sorted(pair)
                return _(
                    "%(first)s and %(second)s do not go together: %(why)s.",
                    first=first.label,
                    second=second.label,
                    why=why,
                )
    return ""


@dataclass(frozen=True)
class Around:
    """Who administers around one person: user numbers, the person's own among them or not.

    `own`: of the organisation through which it is asked; `community`: of the one that convenes;
    `verified`: of any verified organisation.
    """

    person: int
    own: frozenset[int]
    community: frozenset[int]
    verified: frozenset[int]


@dataclass(frozen=True)
class Hands:
    """Whose hands count, and whether one of the two is the operator's at the machine."""

    users: frozenset[int]
    operator: bool


def hands(around: Around) -> Hands:
    """The nearest two: own administrators; else the community's besides; else the operator."""
    person = {around.person}
    own = around.own - person
    if len(own) >= 2:
        return Hands(own, operator=False)
    wider = (own | around.community) - person
    if len(wider) >= 2:
        return Hands(wider, operator=False)
    return Hands(wider or around.verified - person, operator=True)


def pair_fault(first: int | None, second: int | None, allowed: Hands) -> str:
    """Why these two (None: the operator) may not let the person begin anew; empty: they may."""
    if first == second:
        return "same_hand"
    users = {each for each in (first, second) if each is not None}
    if not users <= allowed.users:
        return "not_a_hand"
    if allowed.operator != (None in (first, second)):
        return "operator_needed" if allowed.operator else "operator_not_needed"
    return ""


def arrivals_page() -> str:
    """The page of the documentation, in Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# People come in, begin anew, and leave"
    yield ""
    yield "Drawn from `governance/rules/arrivals.py` by `manage.py drawtransitions`; do not edit."
    yield ""
    yield "## Who may invite whom"
    yield ""
    yield "| invited as | by |"
    yield "| --- | --- |"
    for role, inviters in INVITERS.items():
        yield f"| {role.value} | {'; '.join(sorted(inviters, reverse=True))} |"
    yield ""
    yield f"An invitation is open for {INVITATION_LIFE.days} days and works once. A seat on a board is filled by the"
    yield "community and needs no invitation of its own, only an account."
    yield ""
    yield "## What nobody does at once"
    yield ""
    yield "| roles | where | because |"
    yield "| --- | --- | --- |"
    for pairs, where in ((ANYWHERE, "anywhere"), (IN_ONE_PLACE, "in one organisation")):
        for pair, why in pairs.items():
            yield f"| {' and '.join(sorted(pair))} | {where} | {why} |"
    yield ""
    yield "## Whose two hands let somebody begin anew"
    yield ""
    yield "One asks, another agrees; neither is the person. Each has administered for"
    yield f"{SETTLED.days} days or more."
    yield ""
    yield "| administrators besides the person | the two hands |"
    yield "| --- | --- |"
    yield "| two or more of the organisation's own | two of these |"
    yield "| fewer, but two or more with the community's | two of these |"
    yield "| one, with the community's | this one and the operator at the machine |"
    yield "| none, with the community's | one of any verified organisation and the operator |"
    yield ""
    yield f"Asked, it waits {ASKED_LIFE.days} days for the second hand; agreed, the two halves of the code work {AGREED_LIFE.days}"
    yield "days, once."
