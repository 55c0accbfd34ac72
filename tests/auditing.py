"""A world for the auditors' desk: something was prepared, picked up and said no to; a case is open."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import reverse

from audit.actions import sequence
from governance.actions import memberships, people
from governance.models import User
from governance.vocabulary import Role, UserKind
from oversight.actions import cases, findings, looking
from oversight.models import AuditCase, CaseHandle, Finding
from oversight.vocabulary import Wanted
from tests import staffroom
from tests.factories import oversight as checked
from tests.worlds import World, hand, lasting_world


@dataclass
class Desk:
    """A world in which something was prepared and picked up, with an auditor and an open case."""

    world: World
    auditor: User
    case: AuditCase
    other_case: AuditCase
    handle: CaseHandle

    def case_for(self, name: str) -> str:
        return reverse(f"desk:{name}", args=[self.case.ref])


@contextmanager
def lasting_desk() -> Iterator[Desk]:
    """One such world for several tests."""
    CLIENTS.clear()  # whoever came in to another world of the same people is out
    with lasting_world(4) as world:
        looks = auditor(world)
        world.fetch(world.prepare())
        world.no("c-2")
        case, other = (opened(world, looks, title) for title in ("A complaint", "Another one"))
        handle = cases.issue_handle(
            case=case, holder=world.home.organisation, number="c-1", **hand(world.home.steward)
        )
        sequence()
        yield Desk(world, looks, case, other, handle)


def auditor(world: World) -> User:
    """An auditor of the community that convenes."""
    user = people.create_user(username="calm-heron-9", kind=UserKind.STAFF, **hand(world.chair))
    commons = world.chair.memberships.get().organisation
    memberships.grant(user=user, organisation=commons, role=Role.AUDITOR, **hand(world.chair))
    return user


def opened(world: World, by: User, title: str) -> AuditCase:
    commons = by.memberships.get().organisation
    return cases.open_case(
        organisation=commons, holder=None, title=title, reason="Somebody complained.", **hand(by)
    )


def references(world: World, by: User) -> dict[str, str]:
    """What stands in the addresses of an auditor's pages, each of a row that is there."""
    case = opened(world, by, "A complaint")
    home = world.home.organisation
    cases.issue_handle(case=case, holder=home, number="c-1", **hand(world.home.steward))
    sequence()
    said = {"title": "A role is idle", "text": "Why?", "number": 1}
    finding = findings.open_finding(case=case, organisation=home, **said, **hand(by))
    export = {"kind": "export", "reason": "A review.", "format": "jsonl"}
    sheet = checked.worksheet(case=case, holder=home)
    checked.worksheet_line(worksheet=sheet, number=1, consent=world.consent("c-1"))
    return {
        "case": case.ref,
        "case to close": opened(world, by, "Short").ref,
        "job": checked.ended_job(case=case, **export).ref,
        "sheet": sheet.ref,
        "finding": finding.ref,
    }


def in_staffroom(room: staffroom.Staffroom) -> User:
    """An auditor of the community in the small world of the desk, the password known."""
    user = people.create_user(
        username="calm-heron-9",
        kind=UserKind.STAFF,
        password=staffroom.PASSWORD,
        **staffroom.hand(room.convener),
    )
    commons = room.convener.memberships.get().organisation
    memberships.grant(
        user=user, organisation=commons, role=Role.AUDITOR, **staffroom.hand(room.convener)
    )
    return user


def case_in(room: staffroom.Staffroom) -> AuditCase:
    """The open case of the staffroom's auditor."""
    by = User.objects.filter(username="calm-heron-9").first() or in_staffroom(room)
    return AuditCase.objects.filter(opened_by=by).first() or cases.open_case(
        organisation=by.memberships.get().organisation,
        holder=None,
        title="A complaint",
        reason="Somebody complained.",
        **staffroom.hand(by),
    )


def finding_in(room: staffroom.Staffroom) -> Finding:
    case = case_in(room)
    return findings.open_finding(
        case=case,
        organisation=room.holder,
        title="A role is idle",
        text="Why?",
        number=None,
        **staffroom.hand(case.opened_by),
    )


CLIENTS: dict[str, Client] = {}


def entered(user: User) -> Client:
    """Somebody at the desk; who came in once stays in."""
    if user.ref not in CLIENTS:
        CLIENTS[user.ref] = _enter(user)
    return CLIENTS[user.ref]


def _enter(user: User) -> Client:
    user.set_password(staffroom.PASSWORD)
    user.save(update_fields=["password"])
    return staffroom.enter(Client(), user)


def shown(client: Client, address: str, **question: Any) -> str:
    answer = client.get(address, question)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def find(desk: Desk, **wanted: Any) -> list[str]:
    found = looking.find(case=desk.case, wanted=Wanted(**wanted), before=None, **hand(desk.auditor))
    return [row.resource for row in found.rows]
