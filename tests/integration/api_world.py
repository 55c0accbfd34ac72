"""A small world for the machines' door, reached through the real deeds.

River holds a dataset with five people's rows, three of whom said yes to Delta; Delta may ask for it
under a signed agreement; Brook is somebody else who has a machine too. One board with one survivor
seat answers. It is really committed, since a hand-over waits for the signed log: `committed` empties
the database at the end.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from pyrage import x25519
from rest_framework.test import APIClient

from audit.vocabulary import Via
from consent.actions import consents
from consent.actions.subjects import client_digest, digest_key
from consent.models import Consent, SubjectKey, Terms
from consent.vocabulary import Channel, Signer
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
    tokens,
)
from governance.vocabulary import (
    OrganisationKind,
    Role,
    SeatKind,
    UserKind,
    Vote,
)
from release.actions import releases, versions
from release.models import Release
from tests import kept, texts
from tests.append_only import empty_what_was_filled
from tests.factories.consent import helped_by
from tests.noes import kept_for_long

PASSWORD = "a long phrase for tests 41"
FIELDS = ["age_band", "region"]
PURPOSE = "research"
CANARY = "violet-canary-9313"
MAPPING = """
[person]
columns = ["client"]
[record]
date = "day"
"""
FIELD = """
[[field]]
column = "{name}"
name = "{name}"
type = "text"
category = "{category}"
sensitivity = "quasi"
narrative = {narrative}
"""
NARRATIVE = {"age_band": False, "region": False, "story": True}
CLIENTS = ["c-1", "c-2", "c-3", "c-4", "c-5"]


@dataclass
class Asker:
    """An organisation that asks, its machine, and the machine's secret."""

    organisation: g.Organisation
    administrator: g.User
    machine: g.User
    token: g.ApiToken
    secret: str

    def client(self) -> APIClient:
        return bearer(self.secret)


@dataclass
class World:
    at: datetime
    chair: g.User
    member: g.User
    seat: g.Seat
    steward: g.User
    warden: g.User
    holder: g.Organisation
    dataset: g.Dataset
    agreement: g.Agreement
    delta: Asker
    brook: Asker
    advocate: g.User
    terms: Terms
    identity: x25519.Identity

    def body(self, **changes: Any) -> dict[str, Any]:
        """What Delta's machine sends to ask."""
        return {
            "dataset": self.dataset.ref,
            "purpose": PURPOSE,
            "agreement": self.agreement.ref,
            "fields": FIELDS,
            "reason": "To see which help lasts.",
            "benefit": "What is learnt goes back to those it is about.",
            "format": "parquet",
            "starts": self.at.isoformat(),
            "ends": (self.at + timedelta(days=20)).isoformat(),
            **changes,
        }

    def drafted(self) -> g.AccessRequest:
        """A request that Delta has not handed in."""
        return requests.draft(
            requester=self.delta.organisation,
            dataset=self.dataset,
            purpose=g.Purpose.objects.get(code=PURPOSE),
            agreement=self.agreement,
            fields=list(g.Field.objects.filter(dataset=self.dataset, name__in=FIELDS)),
            reason="To see which help lasts.",
            benefit="What is learnt goes back to those it is about.",
            starts=self.at,
            ends=self.at + timedelta(days=20),
            by=self.delta.machine,
            at=self.at,
            via=Via.API,
        )

    def approved(self) -> g.AccessRequest:
        """A request that the board has approved."""
        who = {"by": self.delta.machine, "at": self.at, "via": Via.API}
        asked = requests.submit(request=self.drafted(), **who)
        board = {"by": self.member, "at": self.at, "via": Via.DESK}
        reviews.vote(request=asked, seat=self.seat, vote=Vote.YES, reason="It helps.", **board)
        reviews.decide(request=asked, **board)
        asked.refresh_from_db()
        return asked

    def ask(self, request: g.AccessRequest) -> Release:
        return releases.ask(request=request, by=self.delta.machine, at=timezone.now(), via=Via.API)

    def prepared(self, request: g.AccessRequest) -> Release:
        """An answered asking, with a real package in it."""
        return releases.run(release=self.ask(request), at=timezone.now())

    def yes(self, number: str) -> Consent:
        """This client says yes to Delta."""
        digest = client_digest(digest_key(self.holder), number)
        now = timezone.now()
        subject = SubjectKey.objects.get(digest=digest).subject
        helped_by(self.advocate, subject)
        given = {
            "subject": subject,
            "recipient": self.delta.organisation,
            "purpose": g.Purpose.objects.get(code=PURPOSE),
            "categories": [category()],
            "terms": self.terms,
            "channel": Channel.IN_PERSON,
            "signer": Signer.SELF,
            "signature": "an x on paper",
            "answers": "yyyyyyy",
            "signed_at": now,
            "ends": now + timedelta(days=20),
            "by": self.advocate,
            "at": now,
            "via": Via.COMMAND,
        }
        with override_settings(COOLING_HOURS=0):  # whatever it replaces, its wait is over
            return consents.give(**given)

    def consent_of(self, number: str) -> Consent:
        """This client's yes that has not ended."""
        digest = client_digest(digest_key(self.holder), number)
        subject = SubjectKey.objects.get(digest=digest).subject
        return Consent.objects.get(subject=subject, ended_at__isnull=True)

    def no(self, consent: Consent) -> None:
        consents.withdraw(consent=consent, by=self.advocate, at=timezone.now(), via=Via.DESK)


@contextmanager
def committed() -> Iterator[World]:
    assert "test" in str(connection.settings_dict["NAME"]), "never empty another database"
    cache.clear()
    try:
        with kept_for_long():
            yield build()
    finally:
        empty_what_was_filled()


def category() -> g.DataCategory:
    return g.DataCategory.objects.order_by("code")[0]


def bearer(secret: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def build() -> World:
    return kept.once("api world", _build)


def _build() -> World:
    at = timezone.now() - timedelta(minutes=1)
    chair = people.create_first_administrator(
        username="north-hazel-7",
        password=PASSWORD,
        organisation_name="Commons",
        at=at,
        via=Via.COMMAND,
    )
    who = {"by": chair, "at": at, "via": Via.COMMAND}
    catalogue.load_standard(**who)
    board = boards.create(name="Commons board", **who)
    boards.adopt_charter(
        board=board, quorum=1, survivor_minimum=1, threshold_percent=60, answer_days=14, **who
    )
    member = people.create_user(username="quiet-otter-3", kind=UserKind.STAFF, **who)
    seat = boards.fill_seat(board=board, user=member, kind=SeatKind.SURVIVOR, **who)
    holder, warden = _organisation("River", OrganisationKind.SERVICE_PROVIDER, who)
    own = {**who, "by": warden}
    steward = _worker("river-maple-41", holder, Role.STEWARD, own)
    advocate = _worker("river-linden-5", holder, Role.ADVOCATE, own)
    dataset = catalogue.create_dataset(
        name="river-cases",
        title="River cases",
        holder=holder,
        board=board,
        **{**who, "by": steward},
    )
    _load(dataset, steward, at)
    delta = _asker("Delta", who)
    identity = x25519.Identity.generate()
    keys.register(
        organisation=delta.organisation,
        public_key=str(identity.to_public()),
        **{**who, "by": delta.administrator},
    )
    world = World(
        at=at,
        chair=chair,
        member=member,
        seat=seat,
        steward=steward,
        warden=warden,
        holder=holder,
        dataset=dataset,
        agreement=_agreement(holder, warden, delta, dataset, at),
        delta=delta,
        brook=_asker("Brook", who),
        advocate=advocate,
        terms=texts.publish(organisation=holder, **own),
        identity=identity,
    )
    for number in CLIENTS[:3]:
        world.yes(number)
    return world


def machine(
    organisation: g.Organisation, administrator: g.User, name: str, role: Role = Role.REQUESTER
) -> Asker:
    """One more machine for this organisation, with a token of its own."""
    own = {"by": administrator, "at": timezone.now(), "via": Via.COMMAND}
    user = people.create_user(username=name, kind=UserKind.MACHINE, **own)
    memberships.grant(user=user, organisation=organisation, role=role, **own)
    token, secret = tokens.issue(user=user, organisation=organisation, label="nightly fetch", **own)
    return Asker(organisation, administrator, user, token, secret)


def _organisation(
    name: str, kind: OrganisationKind, who: dict[str, Any]
) -> tuple[g.Organisation, g.User]:
    organisation = organisations.create(name=name, kind=kind, **who)
    organisations.verify(organisation=organisation, **who)
    return organisation, _worker(f"{name.lower()}-birch-1", organisation, Role.ADMINISTRATOR, who)


def _worker(name: str, organisation: g.Organisation, role: Role, who: dict[str, Any]) -> g.User:
    user = people.create_user(username=name, kind=UserKind.STAFF, **who)
    memberships.grant(user=user, organisation=organisation, role=role, **who)
    return user


def _asker(name: str, who: dict[str, Any]) -> Asker:
    organisation, administrator = _organisation(name, OrganisationKind.RESEARCH, who)
    return machine(organisation, administrator, f"{name.lower()}-engine-9")


def _load(dataset: g.Dataset, steward: g.User, at: datetime) -> None:
    """Two rows for each client; every free text and every row of c-4 and c-5 is a canary."""
    mapping = MAPPING + "".join(
        FIELD.format(name=name, category=category().code, narrative=str(told).lower())
        for name, told in NARRATIVE.items()
    )
    lines = ["client,day,age_band,region,story"]
    for number in CLIENTS:
        region = CANARY if number in CLIENTS[3:] else "north"
        lines += [f"{number},2025-03-0{row},18-24,{region},{CANARY}" for row in (1, 2)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        versions.ingest(
            dataset=dataset, file=file, mapping=mapping.encode(), by=steward, at=at, via=Via.COMMAND
        )


def _agreement(
    holder: g.Organisation, warden: g.User, delta: Asker, dataset: g.Dataset, at: datetime
) -> g.Agreement:
    agreement = agreements.draft(
        holder=holder,
        recipient=delta.organisation,
        title="Sharing for a study",
        datasets=[dataset],
        purposes=[g.Purpose.objects.get(code=PURPOSE)],
        categories=[category()],
        starts=at,
        ends=at + timedelta(days=60),
        by=warden,
        at=at,
        via=Via.COMMAND,
    )
    for organisation, by in [(holder, warden), (delta.organisation, delta.administrator)]:
        agreement = agreements.sign(
            agreement=agreement, organisation=organisation, by=by, at=at, via=Via.COMMAND
        )
    return agreement
