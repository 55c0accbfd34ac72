"""A small world of organisations, a board and a request, reached through the real deeds."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from audit.vocabulary import Via
from governance.actions import (
    agreements,
    boards,
    catalogue,
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
    Charter,
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
    PurposeKind,
    Role,
    SeatKind,
    UserKind,
    Vote,
)

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
PASSWORD = "seven-quiet-lanterns-drift"


def stamp(by: User, at: datetime = NOW) -> dict[str, object]:
    return {"by": by, "at": at, "via": Via.DESK}


@dataclass
class World:
    convener: User
    community: Organisation
    holder: Organisation
    recipient: Organisation
    holder_admin: User
    steward: User
    recipient_admin: User
    requester: User
    board: Board
    charter: Charter
    seats: list[Seat]
    dataset: Dataset
    fields: list[Field]
    purpose: Purpose
    agreement: Agreement

    def draft(self, **changes: object) -> AccessRequest:
        given = {
            "requester": self.recipient,
            "dataset": self.dataset,
            "purpose": self.purpose,
            "agreement": self.agreement,
            "fields": self.fields[:2],
            "reason": "To plan beds for the winter.",
            "benefit": "Fewer people sleep outside.",
            "format": PackageFormat.CSV,
            "starts": NOW,
            "ends": NOW + timedelta(days=30),
            **stamp(self.requester),
        }
        return requests.draft(**{**given, **changes})

    def submitted(self, **changes: object) -> AccessRequest:
        return requests.submit(request=self.draft(**changes), **stamp(self.requester))

    def vote(self, request: AccessRequest, seat: Seat, vote: Vote = Vote.YES) -> None:
        reviews.vote(
            request=request, seat=seat, vote=vote, reason="I read it twice.", **stamp(seat.user)
        )

    def approved(self) -> AccessRequest:
        request = self.submitted()
        for seat in self.seats[:2]:
            self.vote(request, seat)
        reviews.decide(request=request, **stamp(self.seats[0].user))
        request.refresh_from_db()
        return request


def staff(by: User, username: str, kind: UserKind = UserKind.STAFF) -> User:
    return people.create_user(username=username, kind=kind, **stamp(by))


def member(by: User, username: str, organisation: Organisation, role: Role) -> User:
    user = staff(by, username)
    memberships.grant(user=user, organisation=organisation, role=role, **stamp(by))
    return user


def begin() -> User:
    return people.create_first_administrator(
        username="river-maple-41",
        password=PASSWORD,
        organisation_name="Harbour Circle",
        at=NOW,
        via=Via.COMMAND,
    )


def build(signed: bool = True) -> World:
    convener = begin()
    here = stamp(convener)
    holder = organisations.create(
        name="North Shelter", kind=OrganisationKind.SERVICE_PROVIDER, **here
    )
    recipient = organisations.create(name="Bridge Study", kind=OrganisationKind.RESEARCH, **here)
    holder_admin = member(convener, "stone-finch-07", holder, Role.ADMINISTRATOR)
    recipient_admin = member(convener, "cedar-wren-12", recipient, Role.ADMINISTRATOR)
    steward = member(holder_admin, "amber-lake-33", holder, Role.STEWARD)
    requester = member(recipient_admin, "quiet-heron-58", recipient, Role.REQUESTER)
    board = boards.create(name="Winter Board", **here)
    charter = boards.adopt_charter(
        board=board, quorum=2, survivor_minimum=1, threshold_percent=60, answer_days=14, **here
    )
    kinds = [SeatKind.SURVIVOR, SeatKind.COMMUNITY, SeatKind.LEGAL]
    seats = [
        boards.fill_seat(board=board, user=staff(convener, f"seat-{n}"), kind=kind, **here)
        for n, kind in enumerate(kinds)
    ]
    category = DataCategory.objects.create(
        code="about-me", label_en="-", label_es="-", description_en="-", description_es="-"
    )
    dataset = catalogue.create_dataset(
        name="winter-cases", title="Winter cases", holder=holder, board=board, **stamp(steward)
    )
    fields = catalogue.define_fields(
        dataset=dataset,
        fields=[spec("age_band"), spec("language"), spec("story", narrative=True)],
        **stamp(steward),
    )
    purpose = Purpose.objects.create(
        code="research", kind=PurposeKind.RESEARCH, dpv="-", longest_days=365
    )
    agreement = agreements.draft(
        holder=holder,
        recipient=recipient,
        title="Winter beds",
        datasets=[dataset],
        purposes=[purpose],
        categories=[category],
        starts=NOW,
        ends=NOW + timedelta(days=60),
        obligations=["Delete when asked."],
        **stamp(holder_admin),
    )
    if signed:
        agreements.sign(agreement=agreement, organisation=holder, **stamp(holder_admin))
        agreement = agreements.sign(
            agreement=agreement, organisation=recipient, **stamp(recipient_admin)
        )
    return World(
        convener=convener,
        community=Organisation.objects.get(kind=OrganisationKind.COMMUNITY),
        holder=holder,
        recipient=recipient,
        holder_admin=holder_admin,
        steward=steward,
        recipient_admin=recipient_admin,
        requester=requester,
        board=board,
        charter=charter,
        seats=seats,
        dataset=dataset,
        fields=fields,
        purpose=purpose,
        agreement=agreement,
    )


def spec(name: str, narrative: bool = False, category: str = "about-me") -> FieldSpec:
    return FieldSpec(
        name=name,
        type=FieldType.TEXT,
        category=category,
        field_sensitivity=FieldSensitivity.QUASI,
        narrative=narrative,
    )
