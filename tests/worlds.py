"""A small world for tests of the gate, reached through the real deeds, with rows really sealed.

River holds a dataset; Delta asks for it under a signed agreement; one board with one survivor seat
has approved. Each client `c-1`, `c-2`, … has rows whose `region` is a canary of her own, so that
whoever is in a package can be told from its bytes once they are opened. All of it is committed,
since a hand-over waits for the signed log: tests that use it are marked `transaction=True`.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import override_settings
from django.utils import timezone
from pyrage import x25519

from audit.vocabulary import Via
from consent.actions import consents, liftings, objections
from consent.actions.subjects import client_digest, digest_key
from consent.models import Consent, Objection, Subject, SubjectKey, Terms
from consent.vocabulary import Channel, Invalidity, Signer
from governance import models as g
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
from governance.queries import requests as asked
from governance.vocabulary import OrganisationKind, PackageFormat, Role, SeatKind, UserKind, Vote
from release.actions import handing, inquiries, releases, versions
from release.actions.handing import HandedOver
from release.actions.loading.limits import Limits
from release.management.demo.check import Package, opened
from release.models import DatasetVersion, Inquiry, Release
from release.vocabulary import DownloadPart
from tests import kept, texts
from tests.append_only import empty_what_was_filled
from tests.factories import governance as made
from tests.factories.consent import helped_by
from tests.noes import kept_for_long
from tests.sheets import FIELDS, MAPPING, numbers, rows

PASSWORD = "a long phrase for tests 41"


def hand(by: g.User) -> dict[str, Any]:
    return {"by": by, "at": timezone.now(), "via": Via.COMMAND}


@dataclass
class Holding:
    """What one organisation holds, and who works there."""

    organisation: g.Organisation
    warden: g.User
    steward: g.User
    advocate: g.User
    dataset: g.Dataset
    agreement: g.Agreement
    request: g.AccessRequest


@dataclass
class World:
    """River is `home`; Delta is `recipient`. Further holdings are made by `another`."""

    chair: g.User
    member: g.User
    seat: g.Seat
    board: g.Board
    recipient: g.Organisation
    recipient_admin: g.User
    requester: g.User
    identity: x25519.Identity
    purpose: g.Purpose
    categories: list[g.DataCategory]
    home: Holding = field(init=False)
    text: Terms = field(init=False)

    def subject(self, number: str, at: Holding | None = None) -> Subject:
        holder = (at or self.home).organisation
        digest = client_digest(digest_key(holder), number)
        found = SubjectKey.objects.select_related("subject__holder")
        return found.get(holder=holder, digest=digest).subject

    def yes(self, number: str, at: Holding | None = None, **changes: Any) -> Consent:
        """This client says yes to Delta, for everything unless `categories` says otherwise."""
        here = at or self.home
        now = timezone.now()
        helped_by(here.advocate, self.subject(number, here))
        given = {
            "subject": self.subject(number, here),
            "recipient": self.recipient,
            "purpose": self.purpose,
            "categories": self.categories,
            "terms": self.text,
            "channel": Channel.IN_PERSON,
            "signer": Signer.SELF,
            "signature": "an x on paper",
            "answers": "yyyyyyy",
            "signed_at": now,
            "ends": now + timedelta(days=20),
            **hand(here.advocate),
            **changes,
        }
        with override_settings(COOLING_HOURS=0):  # whatever it replaces, its wait is over
            return consents.give(**given)

    def consent(self, number: str) -> Consent:
        """Her consent that has not ended."""
        found = Consent.objects.select_related("subject__holder", "recipient", "purpose")
        return found.get(subject=self.subject(number), ended_at__isnull=True)

    def no(self, number: str) -> Consent:
        return consents.withdraw(consent=self.consent(number), **hand(self.home.advocate))

    def less(self, number: str) -> Consent:
        """Her yes is made smaller: one kind of information is left."""
        return consents.narrow(
            consent=self.consent(number),
            categories=self.categories[:1],
            **hand(self.home.advocate),
        )

    def invalid(self, number: str) -> Consent:
        """Her yes is found never to have counted."""
        return consents.invalidate(
            consent=self.consent(number),
            reason=Invalidity.NOT_INFORMED,
            **hand(self.home.advocate),
        )

    def pause(self, number: str, until: datetime | None = None) -> Consent:
        return consents.pause(consent=self.consent(number), until=until, **hand(self.home.advocate))

    def resume(self, number: str) -> Consent:
        return consents.resume(consent=self.consent(number), **hand(self.home.advocate))

    def object(self, number: str, **against: Any) -> Objection:
        """A standing no, to everything unless `against` names something."""
        return objections.make(subject=self.subject(number), **against, **hand(self.home.advocate))

    def lift(self, objection: Objection) -> Objection:
        """Taken back, and its wait is over."""
        helped_by(self.home.advocate, objection.subject)
        waits = liftings.ask(objection=objection, **hand(self.home.advocate))
        while objection.lifted_at is None:  # in a race somebody else may be at it
            liftings.settle_due(at=waits.due_at)
            objection.refresh_from_db()
        return objection

    def ask(self, at: Holding | None = None, replaces: Release | None = None) -> Release:
        return releases.ask(
            request=(at or self.home).request, replaces=replaces, **hand(self.requester)
        )

    def run(self, release: Release, worker: str = "test") -> Release:
        return releases.run(release=release, at=timezone.now(), worker=worker)

    def prepare(self, at: Holding | None = None) -> Release:
        """An answered asking: a package or a refusal."""
        return self.run(self.ask(at))

    def hand_over(
        self, release: Release, part: DownloadPart = DownloadPart.PACKAGE, **piece: Any
    ) -> HandedOver:
        given = {**hand(self.requester), **piece}
        return handing.hand_over(release=release, part=part, **given)

    def fetch(self, release: Release) -> bytes:
        """The whole package, as a person downloads it."""
        return b"".join(self.hand_over(release).chunks)

    def open_package(self, zipped: bytes) -> Package:
        """The package opened with the recipient's own key."""
        return opened(zipped, self.identity)

    def inside(self, package: Package) -> set[str]:
        """The clients whose rows are in an opened package."""
        at = package.columns.index("region")
        return {str(row[at]).split("-violet")[0].removeprefix("canary-") for row in package.rows}

    def received(self, release: Release) -> set[str]:
        """The clients whose rows Delta has after downloading."""
        return self.inside(self.open_package(self.fetch(release)))

    def inquire(self, number: str, by: g.User | None = None) -> Inquiry:
        """River asks about one of its clients."""
        request = asked.asked_of(self.home.organisation, self.home.request.ref)
        assert request is not None
        who = {**hand(by or self.home.steward), "via": Via.API}
        return inquiries.answer(request=request, number=number, **who)

    def another(self, name: str, numbers: Sequence[str], **shape: Any) -> Holding:
        """One more organisation that holds rows of the same numbers, with its own everything."""
        return _holding(self, name, rows(numbers, **shape))


def small_world(
    people_count: int = 4,
    *,
    each: int = 2,
    yes: Sequence[str] | None = None,
    others: dict[str, str] | None = None,
    part_rows: int = 90_000,
    format: PackageFormat = PackageFormat.PARQUET,
) -> World:
    """The world with its clients; those in `yes` (default: all) share everything with Delta.

    `part_rows` is the size at which sealed parts are cut, so that few rows can make many parts.
    """
    shape: dict[str, Any] = {
        "each": each,
        "yes": yes,
        "others": others,
        "part_rows": part_rows,
        "format": format,
    }
    return kept.once(
        f"small world {people_count} {shape} {FIELDS}", lambda: _small_world(people_count, **shape)
    )


def _small_world(
    people_count: int,
    *,
    each: int,
    yes: Sequence[str] | None,
    others: dict[str, str] | None,
    part_rows: int,
    format: PackageFormat,
) -> World:
    chair = people.create_first_administrator(
        username="north-hazel-7",
        password=PASSWORD,
        organisation_name="Commons",
        at=timezone.now(),
        via=Via.COMMAND,
    )
    board = boards.create(name="Commons board", **hand(chair))
    boards.adopt_charter(
        board=board,
        quorum=1,
        survivor_minimum=1,
        threshold_percent=60,
        answer_days=14,
        **hand(chair),
    )
    member = people.create_user(username="quiet-otter-3", kind=UserKind.STAFF, **hand(chair))
    seat = boards.fill_seat(board=board, user=member, kind=SeatKind.SURVIVOR, **hand(chair))
    recipient, admin = _organisation("Delta", OrganisationKind.RESEARCH, chair)
    identity = x25519.Identity.generate()
    keys.register(organisation=recipient, public_key=str(identity.to_public()), **hand(admin))
    world = World(
        chair=chair,
        member=member,
        seat=seat,
        board=board,
        recipient=recipient,
        recipient_admin=admin,
        requester=_worker("delta-fern-2", recipient, Role.REQUESTER, admin),
        identity=identity,
        purpose=made.purpose(longest_days=365),
        categories=[made.category(label_en="About me"), made.category(label_en="Help I got")],
    )
    clients = numbers(people_count)
    world.home = _holding(
        world, "River", rows(clients, each=each, others=others), part_rows=part_rows, format=format
    )
    world.text = texts.publish(organisation=world.home.organisation, **hand(world.home.warden))
    for number in clients if yes is None else yes:
        world.yes(number)
    return world


@contextmanager
def lasting_world(people_count: int, **shape: Any) -> Iterator[World]:
    """One world for several tests, each with people of its own; the database is emptied at the end.

    The test runner makes a test database only where some test is marked `django_db`, so a module
    with such a world has one.
    """
    name = Path(str(connection.settings_dict["NAME"])).name
    assert name.startswith("test"), (
        "run the whole file: a marked test in it makes the test database"
    )
    try:
        with kept_for_long():
            yield small_world(people_count, **shape)
    finally:
        empty_what_was_filled()


def load(holding: Holding, world: World, lines: list[str], part_rows: int) -> DatasetVersion:
    """These rows become the dataset's next version."""
    about, helped = (category.code for category in world.categories)
    mapping = MAPPING.format(about=about, helped=helped, columns='"client", "other"')
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return versions.ingest(
            dataset=holding.dataset,
            file=file,
            mapping=mapping.encode(),
            limits=Limits(part_rows=part_rows, buckets=1),
            **hand(holding.steward),
        ).version


def approved(world: World, holding: Holding, format: PackageFormat) -> g.AccessRequest:
    """A request of Delta's for everything sharable in one dataset, approved by the board."""
    now = timezone.now()
    draft = requests.draft(
        requester=world.recipient,
        dataset=holding.dataset,
        purpose=world.purpose,
        agreement=holding.agreement,
        fields=list(holding.dataset.fields.filter(name__in=FIELDS)),
        reason="To see which help lasts.",
        benefit="What is learnt goes back to those it is about.",
        format=format,
        starts=now - timedelta(minutes=1),
        ends=now + timedelta(days=30),
        **hand(world.requester),
    )
    asked = requests.submit(request=draft, **hand(world.requester))
    reviews.vote(
        request=asked, seat=world.seat, vote=Vote.YES, reason="It helps.", **hand(world.member)
    )
    reviews.decide(request=asked, **hand(world.member))
    asked.refresh_from_db()
    return asked


def _holding(
    world: World,
    name: str,
    lines: list[str],
    *,
    part_rows: int = 90_000,
    format: PackageFormat = PackageFormat.PARQUET,
) -> Holding:
    organisation, warden = _organisation(name, OrganisationKind.SERVICE_PROVIDER, world.chair)
    low = name.lower()
    steward = _worker(f"{low}-maple-41", organisation, Role.STEWARD, warden)
    dataset = catalogue.create_dataset(
        name=f"{low}-cases",
        title=f"{name} cases",
        holder=organisation,
        board=world.board,
        **hand(steward),
    )
    holding = Holding(
        organisation=organisation,
        warden=warden,
        steward=steward,
        advocate=_worker(f"{low}-linden-5", organisation, Role.ADVOCATE, warden),
        dataset=dataset,
        agreement=_agreement(world, organisation, warden, dataset),
        request=g.AccessRequest(),
    )
    load(holding, world, lines, part_rows)
    holding.request = approved(world, holding, format)
    return holding


def _agreement(
    world: World, holder: g.Organisation, warden: g.User, dataset: g.Dataset
) -> g.Agreement:
    now = timezone.now()
    agreement = agreements.draft(
        holder=holder,
        recipient=world.recipient,
        title="Sharing for a study",
        datasets=[dataset],
        purposes=[world.purpose],
        categories=world.categories,
        starts=now - timedelta(hours=1),
        ends=now + timedelta(days=60),
        **hand(warden),
    )
    for organisation, by in [(holder, warden), (world.recipient, world.recipient_admin)]:
        agreement = agreements.sign(agreement=agreement, organisation=organisation, **hand(by))
    return agreement


def _organisation(
    name: str, kind: OrganisationKind, chair: g.User
) -> tuple[g.Organisation, g.User]:
    made_now = organisations.create(name=name, kind=kind, **hand(chair))
    organisations.verify(organisation=made_now, **hand(chair))
    return made_now, _worker(f"{name.lower()}-birch-1", made_now, Role.ADMINISTRATOR, chair)


def _worker(name: str, organisation: g.Organisation, role: Role, by: g.User) -> g.User:
    user = people.create_user(username=name, kind=UserKind.STAFF, **hand(by))
    memberships.grant(user=user, organisation=organisation, role=role, **hand(by))
    return user
