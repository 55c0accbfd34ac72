"""The tables around one decision, at the size of a service that is in use for some years."""

from datetime import UTC, datetime, timedelta

from bench.consents import fill, filling
from governance import models as g
from governance.vocabulary import Role
from release.models import DatasetVersion, Presence, VersionColumn

PEOPLE = 50_000  # five consents each, one objection in fifty people
ORGANISATIONS = 30
STAFF = 300
CATEGORIES = 10
NAMES = 8  # fields of one category
DATASETS = 20
FIELDS = 24  # of one dataset
ASKED = 12  # fields of one request
AGREEMENTS = 60
REQUESTS = 120
BLOCK = 8192
NOW = datetime.now(UTC)
AGO, LATER = NOW - timedelta(days=100), NOW + timedelta(days=100)


def make() -> tuple[g.AccessRequest, g.User]:
    """Fill an empty database; gives an approved request (recipient 2, purpose 1) and who asks."""
    with filling():
        fill(PEOPLE)
        return _governance()


def _governance() -> tuple[g.AccessRequest, g.User]:
    kinds = ["service_provider", *["research"] * (ORGANISATIONS - 1)]
    organisations = g.Organisation.objects.bulk_create(
        g.Organisation(name=f"Organisation {at}", kind=kind, created_at=AGO)
        for at, kind in enumerate(kinds)
    )
    users = g.User.objects.bulk_create(
        g.User(username=f"birch-lake-{at}", kind="staff") for at in range(STAFF)
    )
    g.Membership.objects.bulk_create(
        g.Membership(
            user=user,
            organisation=organisations[at % ORGANISATIONS],
            role=Role.REQUESTER,
            started_at=AGO,
        )
        for at, user in enumerate(users)
    )
    g.RecipientKey.objects.bulk_create(
        g.RecipientKey(
            organisation=each,
            public_key=f"age1{at:03}{turn}",
            registered_by=users[0],
            registered_at=AGO,
            ended_at=None if turn == 2 else NOW,
        )
        for at, each in enumerate(organisations)
        for turn in range(3)
    )
    purposes = g.Purpose.objects.bulk_create(
        g.Purpose(code=f"purpose-{at}", kind="research", longest_days=365) for at in range(10)
    )
    fields = _fields(organisations)
    agreements = g.Agreement.objects.bulk_create(
        g.Agreement(
            holder=organisations[0],
            recipient=organisations[1 + at % 4],
            title="Together",
            starts=AGO,
            ends=LATER,
            state="in_force",
            created_at=AGO,
        )
        for at in range(AGREEMENTS)
    )
    _covers(agreements, purposes)
    requests = _requests(organisations, agreements, purposes, users, fields)
    return requests[0], users[1]


def _fields(organisations: list[g.Organisation]) -> list[g.Field]:
    categories = g.DataCategory.objects.bulk_create(
        g.DataCategory(code=f"category-{at}") for at in range(CATEGORIES)
    )
    # The sets of the made-up yeses name the versions 1 to 3: two of the first, one of the second.
    order = [0, 0, *range(1, CATEGORIES), *range(1, CATEGORIES)]
    numbers: dict[int, int] = {}
    versions = []
    for at in order:
        numbers[at] = numbers.get(at, 0) + 1
        versions.append(
            g.CategoryVersion.objects.create(
                category=categories[at], number=numbers[at], published_at=AGO
            )
        )
    g.CategoryField.objects.bulk_create(
        g.CategoryField(version=version, name=f"c{at}_{name}")
        for at, version in zip(order, versions, strict=True)
        for name in range(NAMES)
    )
    board = g.Board.objects.create(name="Commons board", created_at=AGO)
    fields = []
    for at in range(DATASETS):
        dataset = g.Dataset.objects.create(
            holder=organisations[0 if at < 5 else at],
            board=board,
            name=f"dataset-{at}",
            title="What we hold",
            created_at=AGO,
        )
        fields += g.Field.objects.bulk_create(
            g.Field(
                dataset=dataset,
                name=f"c{place % CATEGORIES}_{place // CATEGORIES}",
                type="text",
                position=place,
                category=categories[place % CATEGORIES],
                field_sensitivity="quasi",
            )
            for place in range(FIELDS)
        )
        _load(dataset, fields[-FIELDS:])
    return fields


def _load(dataset: g.Dataset, fields: list[g.Field]) -> None:
    for number in (1, 2, 3):
        version = DatasetVersion.objects.create(
            dataset=dataset,
            number=number,
            source_sha256=f"{number:064}",
            mapping_sha256="0" * 64,
            rows=PEOPLE,
            rejected=0,
            people=PEOPLE,
            loaded_by_id=1,
            loaded_at=AGO,
            entry_id=1,
        )
        VersionColumn.objects.bulk_create(
            VersionColumn(version=version, field=field) for field in fields
        )
        Presence.objects.bulk_create(
            Presence(version=version, block=block, bits=b"\xff" * 1024)
            for block in range(PEOPLE // BLOCK + 1)
        )


def _covers(agreements: list[g.Agreement], purposes: list[g.Purpose]) -> None:
    g.AgreementDataset.objects.bulk_create(
        g.AgreementDataset(agreement=each, dataset_id=dataset)
        for each in agreements
        for dataset in range(1, 6)
    )
    g.AgreementPurpose.objects.bulk_create(
        g.AgreementPurpose(agreement=each, purpose=purpose)
        for each in agreements
        for purpose in purposes[:5]
    )
    g.AgreementCategory.objects.bulk_create(
        g.AgreementCategory(agreement=each, category_id=category)
        for each in agreements
        for category in range(1, CATEGORIES + 1)
    )


def _requests(
    organisations: list[g.Organisation],
    agreements: list[g.Agreement],
    purposes: list[g.Purpose],
    users: list[g.User],
    fields: list[g.Field],
) -> list[g.AccessRequest]:
    requests = g.AccessRequest.objects.bulk_create(
        g.AccessRequest(
            requester=organisations[1 + at % 4],
            dataset_id=1 + at % 5,
            purpose=purposes[at % 5],
            agreement=agreements[at % AGREEMENTS],
            reason="To learn what helps.",
            benefit="What is learnt goes back to the people.",
            starts=AGO,
            ends=LATER,
            created_by=users[1],
            created_at=AGO,
        )
        for at in range(REQUESTS)
    )
    g.RequestField.objects.bulk_create(
        g.RequestField(request=each, field=field)
        for each in requests
        for field in fields[(each.dataset_id - 1) * FIELDS :][:ASKED]
    )
    g.AccessRequest.objects.update(state="approved", submitted_at=AGO)
    return list(g.AccessRequest.objects.order_by("pk"))
