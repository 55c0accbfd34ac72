"""A small world for the desk, built by the real deeds, and the way in with a second factor."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
)
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pyrage import x25519

from audit.vocabulary import Via
from consent.actions import consents, subjects
from consent.models import Consent, Subject, Terms
from consent.vocabulary import Channel, Signer
from governance.actions import (
    agreements,
    boards,
    catalogue,
    keys,
    memberships,
    organisations,
    people,
    requests,
    reviews,
)
from governance.models import (
    AccessRequest,
    Agreement,
    Board,
    DataCategory,
    Dataset,
    Field,
    Organisation,
    Purpose,
    Seat,
    User,
)
from governance.rules import FieldSpec
from governance.vocabulary import (
    FieldSensitivity,
    FieldType,
    OrganisationKind,
    PackageFormat,
    Role,
    SeatKind,
    UserKind,
    Vote,
)
from release.actions import versions
from release.models import DatasetVersion
from tests import kept
from tests.factories import governance as made
from tests.factories.consent import helped_by

PASSWORD = "copper lantern meadow thirty swans"


@dataclass
class Staffroom:
    """One holder, one recipient, one stranger; a board of three; an agreement in force."""

    convener: User
    holder: Organisation
    recipient: Organisation
    stranger: Organisation
    holder_admin: User
    steward: User
    advocate: User
    recipient_admin: User
    requester: User
    outsider: User
    survivor: User
    machine: User
    board: Board
    members: list[User]
    seats: list[Seat]
    purpose: Purpose
    categories: list[DataCategory]
    dataset: Dataset
    fields: list[Field]
    agreement: Agreement


def hand(by: User) -> dict[str, Any]:
    return {"by": by, "at": timezone.now(), "via": Via.COMMAND}


def build() -> Staffroom:
    return kept.once("staffroom", _build)


def _build() -> Staffroom:
    convener = people.create_first_administrator(
        username="north-convener",
        password=PASSWORD,
        organisation_name="Northern community",
        at=timezone.now(),
        via=Via.COMMAND,
    )

    def body(name: str, kind: OrganisationKind) -> Organisation:
        found = organisations.create(name=name, kind=kind, **hand(convener))
        return organisations.verify(organisation=found, **hand(convener))

    def person(name: str, kind: UserKind = UserKind.STAFF) -> User:
        password = None if kind == UserKind.MACHINE else PASSWORD
        return people.create_user(username=name, kind=kind, password=password, **hand(convener))

    def member(name: str, where: Organisation, role: Role, by: User) -> User:
        user = person(name)
        memberships.grant(user=user, organisation=where, role=role, **hand(by))
        return user

    holder = body("Harbour Light House", OrganisationKind.SERVICE_PROVIDER)
    recipient = body("State university", OrganisationKind.RESEARCH)
    stranger = body("County health", OrganisationKind.HEALTH)
    holder_admin = member("harbour-admin", holder, Role.ADMINISTRATOR, convener)
    recipient_admin = member("state-admin", recipient, Role.ADMINISTRATOR, convener)
    stranger_admin = member("county-admin", stranger, Role.ADMINISTRATOR, convener)
    steward = member("harbour-steward", holder, Role.STEWARD, holder_admin)
    board = boards.create(name="Northern board", **hand(convener))
    boards.adopt_charter(
        board=board,
        quorum=2,
        survivor_minimum=1,
        threshold_percent=60,
        answer_days=14,
        **hand(convener),
    )
    members = [person(name) for name in ("board-birch", "board-cedar", "board-alder")]
    kinds = (SeatKind.SURVIVOR, SeatKind.SURVIVOR, SeatKind.LEGAL)
    seats = [
        boards.fill_seat(board=board, user=user, kind=kind, **hand(convener))
        for user, kind in zip(members, kinds, strict=True)
    ]
    purpose = made.purpose(
        label_en="Research: housing after services",
        label_es="Estudio: vivienda después de la ayuda",
    )
    categories = [
        made.category(label_en="Age and language", label_es="Edad e idioma"),
        made.category(label_en="Help received", label_es="Ayuda recibida"),
    ]
    dataset = catalogue.create_dataset(
        name="housing-cases", title="Housing cases", holder=holder, board=board, **hand(steward)
    )
    # Described the day before: a yes covers what the catalogue held when it was signed.
    before = {**hand(steward), "at": timezone.now() - timedelta(days=1)}
    fields = catalogue.define_fields(dataset=dataset, fields=specs(categories), **before)
    agreement = signed(
        holder, recipient, dataset, purpose, categories, [holder_admin, recipient_admin]
    )
    keys.register(
        organisation=recipient,
        public_key=str(x25519.Identity.generate().to_public()),
        **hand(recipient_admin),
    )
    return Staffroom(
        convener=convener,
        holder=holder,
        recipient=recipient,
        stranger=stranger,
        holder_admin=holder_admin,
        steward=steward,
        advocate=member("harbour-advocate", holder, Role.ADVOCATE, holder_admin),
        recipient_admin=recipient_admin,
        requester=member("state-requester", recipient, Role.REQUESTER, recipient_admin),
        outsider=member("county-requester", stranger, Role.REQUESTER, stranger_admin),
        survivor=person("river-maple-41", UserKind.SURVIVOR),
        machine=person("county-machine", UserKind.MACHINE),
        board=board,
        members=members,
        seats=seats,
        purpose=purpose,
        categories=categories,
        dataset=dataset,
        fields=fields,
        agreement=agreement,
    )


def specs(categories: list[DataCategory]) -> list[FieldSpec]:
    about, helped = (category.code for category in categories)
    return [
        FieldSpec("age_band", FieldType.CODE, about, FieldSensitivity.QUASI),
        FieldSpec("language", FieldType.CODE, about, FieldSensitivity.QUASI),
        FieldSpec("housing_type", FieldType.CODE, helped, FieldSensitivity.SENSITIVE),
        FieldSpec("nights", FieldType.INTEGER, helped, FieldSensitivity.PROCESS),
        FieldSpec("case_notes", FieldType.TEXT, helped, FieldSensitivity.SENSITIVE, narrative=True),
    ]


def signed(
    holder: Organisation,
    recipient: Organisation,
    dataset: Dataset,
    purpose: Purpose,
    categories: list[DataCategory],
    signers: list[User],
) -> Agreement:
    """An agreement, signed in turn by the administrators given; by both, it is in force."""
    now = timezone.now()
    agreement = agreements.draft(
        holder=holder,
        recipient=recipient,
        title="Housing study 2026",
        datasets=[dataset],
        purposes=[purpose],
        categories=categories,
        obligations=["Keep it on one computer only."],
        starts=now - timedelta(days=1),
        ends=now + timedelta(days=300),
        **hand(signers[0]),
    )
    for organisation, user in zip((holder, recipient), signers, strict=False):
        agreement = agreements.sign(agreement=agreement, organisation=organisation, **hand(user))
    return agreement


def drafted(room: Staffroom) -> AccessRequest:
    now = timezone.now()
    return requests.draft(
        requester=room.recipient,
        dataset=room.dataset,
        purpose=room.purpose,
        agreement=room.agreement,
        fields=[field for field in room.fields if not field.narrative][:3],
        reason="To learn which housing lasts.",
        benefit="Money goes to housing that lasts.",
        format=PackageFormat.CSV,
        starts=now,
        ends=now + timedelta(days=60),
        **hand(room.requester),
    )


def submitted(room: Staffroom) -> AccessRequest:
    return requests.submit(request=drafted(room), **hand(room.requester))


def secret_of(user: User) -> str:
    """A device for this user, as if it had been set up earlier."""
    secret: str = generate_totp_secret()
    Authenticator.objects.filter(user=user).delete()
    TOTP.activate(user, secret)
    return secret


def code(secret: str, at: datetime | None = None) -> str:
    if at is None and (left := 30 - time.time() % 30) < 4:
        time.sleep(left)  # on a busy machine a code of its last seconds would come too late
    seconds = time.time() if at is None else at.timestamp()
    return str(format_hotp_value(hotp_value(secret, int(seconds) // 30)))


def enter(client: Client, user: User) -> Client:
    """Through the staff door: name and password, then a code from the device."""
    cache.clear()  # a code works once; each test starts with a clean slate
    secret = secret_of(user)
    client.post("/desk/sign-in/", {"login": user.username, "password": PASSWORD})
    client.post("/desk/code/", {"code": code(secret)})
    return client


def proof(user: User) -> dict[str, str]:
    """Password and a code once more, from a device that is set up for it."""
    cache.clear()  # a code works once
    kept = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
    secret = get_adapter().decrypt(kept.data["secret"])
    return {"password": PASSWORD, "code": code(secret)}


MAPPING = """
reject_share = 0
[person]
columns = ["client"]
[record]
date = "day"
[[field]]
column = "age_band"
name = "age_band"
type = "code"
codes = ["18-25", "26-40"]
category = "{about}"
sensitivity = "quasi"
[[field]]
column = "housing_type"
name = "housing_type"
type = "code"
codes = ["shelter", "flat"]
category = "{helped}"
sensitivity = "sensitive"
"""


def loaded(room: Staffroom, folder: Path, people_in_it: int) -> DatasetVersion:
    """A small file of made-up clients C-1, C-2, …: one row each, loaded by the steward."""
    rows = [f"C-{n},2024-01-0{n % 9 + 1},18-25,shelter" for n in range(1, people_in_it + 1)]
    path = folder / "cases.csv"
    path.write_text("\n".join(["client,day,age_band,housing_type", *rows, ""]))
    about, helped = (category.code for category in room.categories)
    mapping = MAPPING.format(about=about, helped=helped).encode()
    return versions.ingest(
        dataset=room.dataset, file=path, mapping=mapping, **hand(room.steward)
    ).version


def person(room: Staffroom, number: str) -> Subject:
    """Who a client number of the holder leads to."""
    digest = subjects.client_digest(subjects.digest_key(room.holder), number)
    return Subject.objects.get(pk=subjects.find(room.holder, [digest])[digest])


def enrolled(room: Staffroom, number: str) -> Subject:
    """A new client of the holder's whom its advocate helps."""
    found = known(room, number)
    helped_by(room.advocate, found)
    return found


def known(room: Staffroom, number: str) -> Subject:
    """A new client of the holder's whom nobody ever helped."""
    digest = subjects.client_digest(subjects.digest_key(room.holder), number)
    subjects.enrol(holder=room.holder, digests=[digest], **hand(room.steward))
    return person(room, number)


def another_advocate(room: Staffroom, name: str = "harbour-second") -> User:
    """One more who sits beside the holder's clients."""
    user = people.create_user(
        username=name, kind=UserKind.STAFF, password=PASSWORD, **hand(room.convener)
    )
    memberships.grant(
        user=user, organisation=room.holder, role=Role.ADVOCATE, **hand(room.holder_admin)
    )
    return user


def yes(room: Staffroom, subject: Subject, text: Terms) -> Consent:
    """A yes on paper to the recipient, for the purpose, to both categories."""
    now = timezone.now()
    helped_by(room.advocate, subject)
    return consents.give(
        subject=subject,
        recipient=room.recipient,
        purpose=room.purpose,
        categories=room.categories,
        terms=text,
        channel=Channel.PAPER,
        signer=Signer.SELF,
        signature="signed on paper",
        answers="yyyyyyy",
        signed_at=now - timedelta(minutes=5),
        ends=now + timedelta(days=90),
        **hand(room.advocate),
    )


def approved(room: Staffroom) -> AccessRequest:
    asked = submitted(room)
    for seat, user in zip(room.seats, room.members, strict=True):
        reviews.vote(request=asked, seat=seat, vote=Vote.YES, reason="It is little.", **hand(user))
    reviews.decide(request=asked, **hand(room.members[0]))
    asked.refresh_from_db()
    return asked
