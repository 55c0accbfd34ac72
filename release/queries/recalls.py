"""What is asked back of recipients: what is to be asked, and how it stands."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from consent.models import Subject
from consent.queries import keeping, tags
from consent.rules import Slots
from governance.models import Scope, User
from governance.queries import boards, clock, people
from governance.vocabulary import AgreementState, Role
from release.models import (
    Download,
    Recall,
    Recalled,
    RecallStep,
    RecallWatch,
    Release,
    ReleasePart,
)
from release.queries import facts, standing
from release.queries.standing import Held
from release.queries.uses import WhereItWent
from release.rules import recalls as rules
from release.rules.bits import block_of, place_of, slots_of
from release.rules.packed import unpack
from release.rules.recalls import AskedBack
from release.rules.slots import both, united, without
from release.vocabulary import DownloadPart, RecallState, ReleaseState, Reported, Step

CHUNK = 5000
PICKED_UP = Download.objects.filter(sending__isnull=False).exclude(part=DownloadPart.MANIFEST)


@dataclass(frozen=True)
class ToAsk:
    """What has to be asked back of one release, and when it must be looked through again."""

    back: Sequence[AskedBack]
    look_at: datetime | None


@dataclass(frozen=True)
class Standing:
    """One recall, and how it stands."""

    recall: Recall
    state: RecallState
    steps: Mapping[Step, datetime]
    reported: Reported | None

    @property
    def open(self) -> bool:
        return self.state != RecallState.REPORTED


def unwatched() -> QuerySet[Release]:
    """Releases that were picked up and that nobody watches yet."""
    return Release.objects.filter(
        Exists(PICKED_UP.filter(release=OuterRef("pk"))),
        state=ReleaseState.PREPARED,
        recall_watch__isnull=True,
    ).order_by("pk")


def due(at: datetime) -> QuerySet[RecallWatch]:
    """Those to be looked through: somebody has said no since, or some yes has ended by itself."""
    everyone = Scope.objects.filter(everyone=True, epoch__gt=OuterRef("epoch_everyone"))
    own = Scope.objects.filter(
        recipient=OuterRef("release__recipient"), epoch__gt=OuterRef("epoch_scope")
    )
    return RecallWatch.objects.filter(
        Exists(everyone) | Exists(own) | Q(look_at__lte=at), look_at__isnull=False
    ).order_by("pk")


def received(release: Release) -> Slots:
    """Everybody of whom anything of the package was sent: all of it, or the parts they are in.

    Of a package that broke off in the middle, all: which parts came whole nobody here can see.
    """
    numbers = set(PICKED_UP.filter(release=release).values_list("number", flat=True))
    if None in numbers:
        return standing.used(release)
    parts = ReleasePart.objects.filter(release=release, number__in=filter(None, numbers))
    return united([unpack(slots) for slots in parts.values_list("slots", flat=True)])


def to_ask(release: Release, at: datetime, only: Slots | None = None) -> ToAsk:
    """What is to be asked back at `at` and was not before; with `only`, of these people alone, but of
    everybody where the agreement is over. What the signed terms let the recipient keep until a day
    waits for that day."""
    agreement = release.request.agreement
    over = agreement.state == AgreementState.ENDED or agreement.ends <= at
    got = received(release)
    concerned = got if only is None or over else both(got, only)
    inside = standing.held_of(release, concerned)
    columns = _columns(release, inside)
    inside = rules.still_there(inside, columns, _before(release))
    if over:
        gone, later = _but_kept(release, inside, at)
        return ToAsk(rules.asked_back(inside, gone, columns), later)
    everybody = united(list(inside.values()))
    few = len(everybody) < standing.MOST_NAMED
    words = facts.gather_lasting(release, at, everybody if few else None)
    gone, later = _but_kept(release, standing.lost(release, inside, words), at)
    back = rules.asked_back(inside, gone, columns)
    ends = [agreement.ends, *filter(None, [words.earliest_end, later])]
    return ToAsk(back, min(ends))


def _but_kept(
    release: Release, gone: Mapping[Held, Slots], at: datetime
) -> tuple[dict[Held, Slots], datetime | None]:
    """Without what the recipient may still keep, and when the first of that may be kept no longer."""
    kept = keeping.kept(
        slots=united(list(gone.values())).tolist(),
        recipient=release.recipient_id,
        purpose=release.purpose_id,
        since=release.answered_at or release.asked_at,
        at=at,
    )
    those = np.array(sorted(kept), dtype=np.int32)
    left = {piece: without(slots, those) for piece, slots in gone.items()}
    return left, min(kept.values(), default=None)


def _columns(release: Release, pieces: Iterable[Held]) -> dict[Held, tuple[str, ...]]:
    """The names of what each piece holds, as the package has them."""
    of: dict[str, list[str]] = {}
    for column in json.loads(bytes(release.manifest))["columns"]:
        of.setdefault(column["category"], []).append(column["name"])
    codes = dict(
        release.uses.order_by("category").values_list("category_id", "category__code").distinct()
    )
    return {
        piece: piece.columns or tuple(sorted(of.get(codes[piece.category], []))) for piece in pieces
    }


def _before(release: Release) -> list[AskedBack]:
    return [
        AskedBack(tuple(recall.columns), slots(recall))
        for recall in Recall.objects.filter(release=release).prefetch_related("chunks")
    ]


def slots(recall: Recall) -> Slots:
    """Whom one recall is about."""
    return slots_of((chunk.block, chunk.bits) for chunk in recall.chunks.all())


def about(slot: int) -> list[int]:
    """The recalls that are about this person among others, by primary key."""
    byte, mask = place_of(slot)
    rows = Recalled.objects.filter(block=block_of(slot)).values_list("recall_id", "bits")
    return [recall for recall, bits in rows if bytes(bits)[byte] & mask]


def tagged(recall: Recall, entry: int) -> list[int]:
    """Whose tags its entry covers: everybody's, but of those whose key was destroyed before it."""
    hers = slots(recall)
    gone = set(destroyed(hers).tolist()) - tags.left_beside(entry)
    return [slot for slot in hers.tolist() if slot not in gone]


def destroyed(slots: Slots) -> Slots:
    """Of these, whose key was destroyed: nothing leads to them any more."""
    wanted: list[int] = slots.tolist()
    gone: list[int] = []
    for start in range(0, len(wanted), CHUNK):
        rows = Subject.objects.filter(
            pk__in=wanted[start : start + CHUNK], shredded_at__isnull=False
        )
        gone.extend(rows.values_list("pk", flat=True))
    return np.array(sorted(gone), dtype=np.int32)


def _wanted() -> QuerySet[Recall]:
    return (
        Recall.objects.select_related(
            "release__recipient",
            "release__holder",
            "release__purpose",
            "release__request__agreement",
            "release__request__dataset",
        )
        .prefetch_related(Prefetch("steps", RecallStep.objects.order_by("at", "pk")))
        .defer("release__manifest")
        .order_by("-opened_at", "-pk")
    )


def asked_of(user: User) -> QuerySet[Recall]:
    """What the organisations that this user asks for data for are asked to delete, newest first."""
    own = people.organisations_of(user, clock.now(), Role.REQUESTER)
    return _wanted().filter(release__recipient__in=own)


def waiting(user: User) -> QuerySet[Recall]:
    """Of these, what nobody has reported on yet."""
    reported = RecallStep.objects.filter(recall=OuterRef("pk"), step=Step.REPORTED)
    return asked_of(user).filter(~Exists(reported))


def asked_for(user: User) -> QuerySet[Recall]:
    """What is asked back of records that this user's organisations hold, for their stewards, or that
    this user's boards decide about; newest first."""
    own = people.organisations_of(user, clock.now(), Role.STEWARD)
    sits = boards.seats_of(user, clock.now()).values("board")
    return _wanted().filter(
        Q(release__holder__in=own) | Q(release__request__dataset__board__in=sits)
    )


def past(user: User, at: datetime) -> list[Recall]:
    """Of these, those past their day that nobody has reported on, the oldest day first."""
    reported = RecallStep.objects.filter(recall=OuterRef("pk"), step=Step.REPORTED)
    own = people.organisations_of(user, clock.now(), Role.STEWARD)
    found = _wanted().filter(~Exists(reported), due_at__lte=at, release__holder__in=own)
    return list(found.order_by("due_at", "pk"))


def seen_by(user: User, below: int | None, most: int) -> list[tuple[Recall, bool]]:
    """So many of the recalls that this user may see, below a row's number, newest first; each with
    whether it is for this user to answer."""
    own = asked_of(user)
    found = (own | asked_for(user)).distinct().order_by("-pk")
    page = list((found if below is None else found.filter(pk__lt=below))[:most])
    mine = set(own.filter(pk__in=[each.pk for each in page]).values_list("pk", flat=True))
    return [(each, each.pk in mine) for each in page]


def overdue(at: datetime) -> QuerySet[Recall]:
    """Past their day, not reported, and not written down as overdue yet."""
    ended = RecallStep.objects.filter(recall=OuterRef("pk"), step__in=[Step.REPORTED, Step.OVERDUE])
    return Recall.objects.filter(~Exists(ended), due_at__lte=at).order_by("pk")


def standing_of(recall: Recall, at: datetime) -> Standing:
    """How one recall stands at `at`."""
    rows = list(recall.steps.all())
    steps = {Step(row.step): row.at for row in rows}
    said = [Reported(row.reported) for row in rows if row.reported]
    return Standing(recall, rules.state(steps, recall.due_at, at), steps, said[0] if said else None)


def of_subject(subject: Subject, releases: Iterable[int] | None = None) -> list[Recall]:
    """The recalls that one person is in, oldest first; with `releases`, of these alone."""
    from_block = Recalled.objects.filter(block=block_of(subject.slot))
    if releases is not None:
        from_block = from_block.filter(recall__release__in=list(releases))
    hers = [
        recall
        for recall, bits in from_block.values_list("recall", "bits")
        if (slots_of([(block_of(subject.slot), bits)]) == subject.slot).any()
    ]
    return list(_wanted().filter(pk__in=hers).order_by("opened_at", "pk"))


def of_sendings(
    found: Iterable[WhereItWent], at: datetime
) -> dict[tuple[int, int], list[Standing]]:
    """For these sendings, by slot and release: how what was asked back for her stands."""
    sendings = [went for went in found if went.sent]
    told: dict[tuple[int, int], list[Standing]] = {}
    for subject in {went.subject.slot: went.subject for went in sendings}.values():
        releases = [went.release.pk for went in sendings if went.subject.slot == subject.slot]
        for recall in of_subject(subject, releases):
            key = (subject.slot, recall.release_id)
            told.setdefault(key, []).append(standing_of(recall, at))
    return told
