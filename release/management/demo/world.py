"""The demonstration's world, made only through the real deeds."""

import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pyrage import x25519

from audit.vocabulary import Via
from common.keyring import KeyRing
from consent.actions import subjects, terms
from consent.models import Subject
from governance.actions import (
    boards,
    catalogue,
    keys,
    memberships,
    organisations,
    people,
    standard,
    tokens,
)
from governance.models import (
    Board,
    Dataset,
    Organisation,
    User,
)
from governance.vocabulary import (
    OrganisationKind,
    Role,
    SeatKind,
    UserKind,
)
from release.management.demo.texts import TEXTS

VIA = Via.COMMAND
COALITION = "Rivers Survivor Coalition"
HARBOR = "Harbor Street Services"
CLINIC = "Eastside Clinic"
UNIVERSITY = "Prairie State University"
LEGAL_AID = "Open Door Legal Aid"
FUNDER = "Lakes Regional Fund"
ORGANISATIONS = {
    HARBOR: OrganisationKind.SERVICE_PROVIDER,
    CLINIC: OrganisationKind.HEALTH,
    UNIVERSITY: OrganisationKind.RESEARCH,
    LEGAL_AID: OrganisationKind.SERVICE_PROVIDER,
    FUNDER: OrganisationKind.FUNDER,
}
STAFF: dict[str, tuple[str, Role | None]] = {
    "harbor-admin": (HARBOR, Role.ADMINISTRATOR),
    "harbor-steward": (HARBOR, Role.STEWARD),
    "harbor-advocate": (HARBOR, Role.ADVOCATE),
    "clinic-admin": (CLINIC, Role.ADMINISTRATOR),
    "clinic-steward": (CLINIC, Role.STEWARD),
    "clinic-advocate": (CLINIC, Role.ADVOCATE),
    "university-admin": (UNIVERSITY, Role.ADMINISTRATOR),
    "university-requester": (UNIVERSITY, Role.REQUESTER),
    "legal-admin": (LEGAL_AID, Role.ADMINISTRATOR),
    "legal-requester": (LEGAL_AID, Role.REQUESTER),
    "fund-admin": (FUNDER, Role.ADMINISTRATOR),
    "fund-auditor": (FUNDER, Role.AUDITOR),
    "seat-willow": ("", None),
    "seat-heron": ("", None),
    "seat-cedar": ("", None),
}
SEATS = {
    "seat-willow": SeatKind.SURVIVOR,
    "seat-heron": SeatKind.SURVIVOR,
    "seat-cedar": SeatKind.COMMUNITY,
}
ADMIN = "coalition-admin"
CLEAR_CATEGORIES = [
    "about-me",
    "what-happened",
    "how-it-happened",
    "help-and-support",
    "case-steps",
    "papers-and-status",
]


@dataclass
class World:
    """Who and what there is, and how each signs in (made-up handles, random passphrases)."""

    now: datetime
    folder: Path
    passwords: dict[str, str] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    organisations: dict[str, Organisation] = field(default_factory=dict)

    def user(self, name: str) -> User:
        return self.users[name]

    def organisation(self, name: str) -> Organisation:
        return self.organisations[name]

    def recipient_identity(self, name: str) -> x25519.Identity:
        """The recipient's own private key: it lies with the recipient, here in the demo's folder."""
        return x25519.Identity.from_str((self.folder / f"{slug(name)}.agekey").read_text().strip())

    def keep_sign_ins(self) -> None:
        path = self.folder / "sign-ins.json"
        path.write_text(json.dumps(self.passwords, indent=2), encoding="utf-8")
        path.chmod(0o600)


def slug(name: str) -> str:
    return name.lower().replace(" ", "-")


def found(*, now: datetime, folder: Path, keyring: KeyRing) -> World:
    """Organisations, people, roles, the board, the catalogue, the texts."""
    world = World(now, folder)
    long_ago = now - timedelta(days=1000)
    world.passwords[ADMIN] = passphrase()
    admin = people.create_first_administrator(
        username=ADMIN,
        password=world.passwords[ADMIN],
        organisation_name=COALITION,
        at=long_ago,
        via=VIA,
    )
    world.users[ADMIN] = admin
    world.organisations[COALITION] = Organisation.objects.get(name=COALITION)
    for name, kind in ORGANISATIONS.items():
        made = organisations.create(name=name, kind=kind, by=admin, at=long_ago, via=VIA)
        world.organisations[name] = organisations.verify(
            organisation=made, by=admin, at=long_ago, via=VIA
        )
    for organisation in world.organisations.values():
        keyring.install(organisation.ref)
    for name, (place, role) in STAFF.items():
        _person(world, name, place, role, long_ago)
    standard.load_standard(by=admin, at=long_ago, via=VIA)
    terms.publish(
        code="sharing-yes",
        texts=TEXTS,
        widens=False,
        organisation=world.organisation(COALITION),
        by=admin,
        at=long_ago,
        via=VIA,
    )
    for name, who in ((UNIVERSITY, "university-admin"), (LEGAL_AID, "legal-admin")):
        identity = x25519.Identity.generate()
        path = folder / f"{slug(name)}.agekey"
        path.write_text(f"{identity}\n")
        path.chmod(0o600)
        keys.register(
            organisation=world.organisation(name),
            public_key=str(identity.to_public()),
            by=world.user(who),
            at=now,
            via=VIA,
        )
    _machine(world)
    world.keep_sign_ins()
    return world


def passphrase() -> str:
    return secrets.token_urlsafe(15)


def _person(world: World, name: str, place: str, role: Role | None, at: datetime) -> None:
    admin = world.users[ADMIN]
    world.passwords[name] = passphrase()
    user = people.create_user(
        username=name,
        kind=UserKind.STAFF,
        password=world.passwords[name],
        by=admin,
        at=at,
        via=VIA,
    )
    world.users[name] = user
    if role is None:
        return
    by = admin
    if role is not Role.ADMINISTRATOR:
        by = next(
            world.users[each]
            for each, (where, what) in STAFF.items()
            if where == place and what is Role.ADMINISTRATOR
        )
    memberships.grant(
        user=user,
        organisation=world.organisation(place),
        role=role,
        by=by,
        at=at,
        via=VIA,
    )


def _machine(world: World) -> None:
    """The university's own program, with a token for the machines' door."""
    admin, place = world.user("university-admin"), world.organisation(UNIVERSITY)
    machine = people.create_user(
        username="university-machine", kind=UserKind.MACHINE, by=admin, at=world.now, via=VIA
    )
    memberships.grant(
        user=machine,
        organisation=place,
        role=Role.REQUESTER,
        by=admin,
        at=world.now,
        via=VIA,
    )
    _, secret = tokens.issue(
        user=machine, organisation=place, label="demo", by=admin, at=world.now, via=VIA
    )
    world.users["university-machine"] = machine
    world.passwords["university-machine"] = secret


def seated_board(world: World) -> Board:
    """A board of three with two survivor seats; two must be there, one of them a survivor."""
    admin = world.user(ADMIN)
    at = world.now - timedelta(days=900)
    board = boards.create(name="Rivers data board", by=admin, at=at, via=VIA)
    boards.adopt_charter(
        board=board,
        quorum=2,
        survivor_minimum=1,
        threshold_percent=60,
        answer_days=14,
        by=admin,
        at=at,
        via=VIA,
    )
    for name, kind in SEATS.items():
        boards.fill_seat(board=board, user=world.user(name), kind=kind, by=admin, at=at, via=VIA)
    return board


def dataset(world: World, board: Board, *, holder: str, name: str, title: str) -> Dataset:
    return catalogue.create_dataset(
        name=name,
        title=title,
        holder=world.organisation(holder),
        board=board,
        by=steward_of(world, holder),
        at=world.now - timedelta(days=800),
        via=VIA,
    )


def steward_of(world: World, holder: str) -> User:
    return world.user("harbor-steward" if holder == HARBOR else "clinic-steward")


def advocate_of(world: World, holder: str) -> User:
    return world.user("harbor-advocate" if holder == HARBOR else "clinic-advocate")


def survivor_account(world: World, subject: Subject, *, name: str, holder: str) -> User:
    """A sign-in for one person, given by her advocate."""
    world.passwords[name] = passphrase()
    account = people.create_user(
        username=name,
        kind=UserKind.SURVIVOR,
        password=world.passwords[name],
        by=world.user(ADMIN),
        at=world.now,
        via=VIA,
    )
    subjects.give_account(
        subject=subject, account=account, by=advocate_of(world, holder), at=world.now, via=VIA
    )
    world.users[name] = account
    world.keep_sign_ins()
    return account
