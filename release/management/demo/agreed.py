"""What two organisations of the demonstration's world agree on, ask for, and get an answer to."""

from collections.abc import Sequence
from datetime import timedelta

from governance.actions import agreements, requests, reviews
from governance.models import AccessRequest, Agreement, DataCategory, Dataset, Field, Purpose
from governance.vocabulary import PackageFormat, Vote
from release.management.demo.world import LEGAL_AID, UNIVERSITY, VIA, World


def signed_agreement(
    world: World, data: Dataset, *, recipient: str, purposes: Sequence[str], signers: Sequence[str]
) -> Agreement:
    """An agreement over one dataset, all its categories, signed by both administrators."""
    at = world.now - timedelta(days=30)
    holder = data.holder
    agreement = agreements.draft(
        holder=holder,
        recipient=world.organisation(recipient),
        title=f"Sharing for {', '.join(purposes)}",
        datasets=[data],
        purposes=list(Purpose.objects.filter(code__in=purposes)),
        categories=list(DataCategory.objects.all()),
        starts=at,
        ends=world.now + timedelta(days=365),
        obligations=[
            "Delete within 30 days after sharing ended.",
            "Do not pass on.",
            "Do not try to find out who somebody is.",
        ],
        by=world.user(signers[0]),
        at=at,
        via=VIA,
    )
    for who, organisation in zip(signers, (holder, world.organisation(recipient)), strict=True):
        agreement = agreements.sign(
            agreement=agreement, organisation=organisation, by=world.user(who), at=at, via=VIA
        )
    return agreement


def drafted_request(
    world: World,
    agreement: Agreement,
    data: Dataset,
    *,
    purpose: str,
    by: str,
    format: PackageFormat,
    fields: Sequence[Field],
) -> AccessRequest:
    return requests.draft(
        requester=agreement.recipient,
        dataset=data,
        purpose=Purpose.objects.get(code=purpose),
        agreement=agreement,
        fields=list(fields),
        reason="To learn which help people still need a year after they came.",
        benefit="What we learn goes back to the people and shapes the services they get.",
        format=format,
        starts=world.now - timedelta(days=1),
        ends=world.now + timedelta(days=180),
        by=world.user(by),
        at=world.now,
        via=VIA,
    )


def requests_at_other_stages(world: World, data: Dataset) -> None:
    """The legal aid asks for the clinic's visits: once handed in, once still being written."""
    agreement = signed_agreement(
        world,
        data,
        recipient=LEGAL_AID,
        purposes=["legal-help"],
        signers=["clinic-admin", "legal-admin"],
    )
    for fields, handed_in in ((sharable(data), True), (sharable(data)[:2], False)):
        request = drafted_request(
            world,
            agreement,
            data,
            purpose="legal-help",
            by="legal-requester",
            format=PackageFormat.CSV,
            fields=fields,
        )
        if handed_in:
            requests.submit(request=request, by=request.created_by, at=world.now, via=VIA)


def research_at_the_clinic(world: World, data: Dataset) -> AccessRequest:
    """The university asks the second holder as it asked the first, and the board says yes."""
    agreement = signed_agreement(
        world,
        data,
        recipient=UNIVERSITY,
        purposes=["research"],
        signers=["clinic-admin", "university-admin"],
    )
    return approved(
        world,
        drafted_request(
            world,
            agreement,
            data,
            purpose="research",
            by="university-requester",
            format=PackageFormat.PARQUET,
            fields=sharable(data),
        ),
    )


def approved(world: World, request: AccessRequest) -> AccessRequest:
    """Hand a request in and have the board answer it: two survivors and one other vote yes."""
    request = requests.submit(request=request, by=request.created_by, at=world.now, via=VIA)
    for seat in request.dataset.board.seats.filter(ended_at__isnull=True).select_related("user"):
        reviews.vote(
            request=request,
            seat=seat,
            vote=Vote.YES,
            reason="The fields are few and the benefit is ours.",
            by=seat.user,
            at=world.now,
            via=VIA,
        )
    voter = request.dataset.board.seats.filter(ended_at__isnull=True).first()
    assert voter is not None  # noqa: S101 - the board was seated above
    reviews.decide(request=request, by=voter.user, at=world.now, via=VIA)
    request.refresh_from_db()
    return request


def sharable(data: Dataset, codes: Sequence[str] = ()) -> list[Field]:
    """The dataset's fields that may leave: no narrative, and of these categories if named."""
    chosen = data.fields.filter(narrative=False).select_related("category")
    return list(chosen.filter(category__code__in=codes) if codes else chosen)
