"""Readings of who helps whom, who looked, whom a person keeps away, and stops said aloud."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from consent import permissions
from consent.models import Assignment, Block, Look, SpokenStop, Subject, SubjectKey
from consent.queries import keys
from consent.queries.enrolment import given_to
from governance.models import Membership, Organisation, User
from governance.permissions import can_advise
from governance.vocabulary import Role, UserKind


@dataclass(frozen=True)
class Helper:
    """One worker as a person's own page names them: what they may, and when they looked."""

    worker: User
    holder: Organisation
    subject: Subject
    helps: bool
    looked: tuple[datetime, ...]
    block: Block | None


def hour_of(at: datetime) -> datetime:
    """The full hour that an instant lies in: more exactly no look is kept."""
    return at.replace(minute=0, second=0, microsecond=0)


def mine(user: User) -> QuerySet[Assignment]:
    """Whom this advocate helps, the latest first."""
    return _whole(permissions.helping().filter(membership__user=user))


def one(user: User, ref: str) -> Assignment | None:
    """One of those; None for anybody else, and for whom she keeps this worker away from."""
    found = mine(user).filter(ref=ref).first()
    return found if found and can_advise(user, found.subject.holder) else None


def by_number(user: User, holder: Organisation, typed: str) -> Assignment | None:
    """One of those by the holder's client number, or by a code that she was given; None for anybody
    else's, in the same way as for nobody's. Raises NotReady where the holder's key is not there."""
    digest = keys.client_digest(keys.ring().derived(holder.ref, keys.CLIENT_NUMBER), typed)
    rows = SubjectKey.objects.filter(holder=holder, digest=digest)
    slot = rows.values_list("subject_id", flat=True).first()
    if slot is None and (code := given_to(holder, typed)) is not None:
        slot = code.subject_id
    found = mine(user).filter(subject=slot).first() if slot is not None else None
    return found if found and can_advise(user, holder) else None


def waiting(holders: Collection[Organisation]) -> QuerySet[Assignment]:
    """People whom nobody helps any more: whose helper has left, or is kept away by them.

    What is given on is by the last who helped; somebody who was never assigned is not among them.
    """
    helped = permissions.helping().filter(subject=OuterRef("subject"))
    open_rows = Assignment.objects.filter(
        ~Exists(helped),
        subject__holder__in=holders,
        subject__shredded_at__isnull=True,
        ended_at__isnull=True,
    )
    later = open_rows.filter(subject=OuterRef("subject"), pk__gt=OuterRef("pk"))
    return _whole(open_rows.filter(~Exists(later)))


def helper_roles(holder: Organisation) -> QuerySet[Membership]:
    """Who could help: the advocates of the holder."""
    roles = Membership.objects.filter(
        organisation=holder, role=Role.ADVOCATE, ended_at__isnull=True, user__is_active=True
    )
    return roles.select_related("user", "organisation").order_by("user__username")


def workers(holder: Organisation) -> QuerySet[User]:
    """Everybody who works there, whoever could come to see something."""
    here = Membership.objects.filter(organisation=holder, ended_at__isnull=True)
    found = User.objects.filter(kind=UserKind.STAFF, is_active=True, memberships__in=here)
    return found.distinct().order_by("username")


def to_check(user: User) -> QuerySet[SpokenStop]:
    """Stops said aloud by whom this advocate helps, and not asked about yet; the oldest first."""
    helped = permissions.helping().filter(membership__user=user)
    return _unchecked().filter(subject__in=helped.values("subject"))


def unchecked(subject: Subject) -> QuerySet[SpokenStop]:
    """The same of one person."""
    return _unchecked().filter(subject=subject)


def unchecked_at(holders: Collection[Organisation]) -> QuerySet[SpokenStop]:
    """The same of everybody at these holders."""
    return _unchecked().filter(subject__holder__in=holders)


def of_account(account: User) -> list[Helper]:
    """Whoever helps her, did, or has looked at her page; those she keeps away too."""
    found: dict[tuple[int, int], list[datetime]] = {}
    people = Subject.objects.filter(account=account).select_related("holder").order_by("slot")
    hers = {subject.slot: subject for subject in people}
    running = permissions.helping().filter(subject__in=hers)
    helps = set(running.values_list("subject_id", "membership__user_id"))
    rows = Assignment.objects.filter(subject__in=hers).order_by("pk")
    looks = Look.objects.filter(subject__in=hers).order_by("hour", "pk")
    for look in looks:
        found.setdefault((look.subject_id, look.worker_id), []).append(look.hour)
    blocks = {
        (each.subject_id, each.worker_id): each
        for each in Block.objects.filter(subject__in=hers, lifted_at__isnull=True).order_by("pk")
    }
    begun = list(rows.values_list("subject_id", "membership__user_id"))
    places = list(dict.fromkeys([*begun, *found]))
    met = {worker for _slot, worker in places}
    # Whom she keeps away counts wherever she is known; it is shown once.
    places += list(
        {worker: (slot, worker) for slot, worker in blocks if worker not in met}.values()
    )
    users = User.objects.in_bulk({worker for _slot, worker in places})
    return [
        Helper(
            worker=users[worker],
            holder=hers[slot].holder,
            subject=hers[slot],
            helps=(slot, worker) in helps,
            looked=tuple(found.get((slot, worker), ())),
            block=blocks.get((slot, worker)),
        )
        for slot, worker in places
    ]


def _unchecked() -> QuerySet[SpokenStop]:
    found = SpokenStop.objects.filter(checked_at__isnull=True, subject__shredded_at__isnull=True)
    return found.select_related("subject__holder", "recipient", "recorded_by").order_by("pk")


def _whole(found: QuerySet[Assignment]) -> QuerySet[Assignment]:
    whole = found.select_related("subject__holder", "membership__user")
    return whole.order_by("-started_at", "-pk")
