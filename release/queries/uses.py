"""Which releases one person's record was in, or was kept back from: her own accounting."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet
from django.db.models.functions import Substr

from consent.models import Consent, Subject
from consent.queries import sharing
from governance.models import DataCategory, Decision, Organisation, Purpose, User
from release.models import Download, Release, ReleasePart, Use, Withheld
from release.rules import timing
from release.rules.bits import block_of, place_of
from release.rules.packed import unpack
from release.vocabulary import DownloadPart, Ground, ReleaseState

CHUNK = 20


@dataclass(frozen=True)
class PickUp:
    """One time that bytes of a package went out which hold her record; the entry that permitted it."""

    at: datetime
    entry: int


@dataclass(frozen=True)
class What:
    """One kind of information of hers that was in a package, and which columns of it."""

    category: DataCategory
    columns: tuple[str, ...]


@dataclass(frozen=True)
class WhereItWent:
    """One release as one person sees it.

    `sent`: her record was in the package. `what`: what of it. `pick_ups`: each time the recipient
    fetched a piece of it. `ground`: why her record was kept back, where it was. `consent`: the yes
    it stood on, where it was sent. `decision`: what the board had answered to the request.
    """

    release: Release
    subject: Subject
    holder: Organisation
    recipient: Organisation
    purpose: Purpose
    at: datetime
    sent: bool
    what: tuple[What, ...]
    pick_ups: tuple[PickUp, ...]
    void: bool
    ground: Ground | None
    consent: Consent | None
    decision: Decision | None

    @property
    def categories(self) -> tuple[DataCategory, ...]:
        return tuple(each.category for each in self.what)

    @property
    def picked_up_at(self) -> tuple[datetime, ...]:
        return tuple(each.at for each in self.pick_ups)


@dataclass(frozen=True)
class Line:
    """One release that held one person's record or kept it back, before more of it is read.

    `consent`: the yes it stood on, where it held her record.
    """

    subject: Subject
    release: int
    recipient: int
    at: datetime
    consent: Consent | None


@dataclass(frozen=True)
class Met:
    """When an organisation was first named to her."""

    recipient: Organisation
    at: datetime


def of(account: User) -> list[WhereItWent]:
    """Everything Sayso prepared from, or kept back of, this account's records; newest first."""
    return told(lines(account))


def of_subject(subject: Subject) -> list[WhereItWent]:
    """The same for one person as one holder knows her."""
    return told(_newest_first(_lines(subject)))


def containing(subject: Subject) -> set[int]:
    """The releases whose packages held her record, by primary key."""
    return _marking(Use, subject.slot)


def lines(account: User) -> list[Line]:
    """What `of` would tell, newest first, quickly: for whoever shows a page of many."""
    subjects = list(sharing.subjects(account))
    return _newest_first(line for subject in subjects for line in _lines(subject))


def met(found: Iterable[Line]) -> list[Met]:
    """Every recipient among these, with its first time."""
    first: dict[int, datetime] = {}
    for line in found:
        first[line.recipient] = min(line.at, first.get(line.recipient, line.at))
    return [Met(each, first[each.pk]) for each in Organisation.objects.filter(pk__in=first)]


def last_picked_up(account: User) -> dict[str, datetime]:
    """When anything was last picked up under each of her yeses, by its reference."""
    under: dict[str, list[Line]] = {}
    for line in lines(account):
        if line.consent is not None:
            under.setdefault(line.consent.ref, []).append(line)
    found = {ref: _last_of(those) for ref, those in under.items()}
    return {ref: last for ref, last in found.items() if last is not None}


def _last_of(newest_first: Sequence[Line]) -> datetime | None:
    last: datetime | None = None
    for start in range(0, len(newest_first), CHUNK):
        chunk = newest_first[start : start + CHUNK]
        if last is not None and last >= chunk[0].at + timing.PACKAGE_LIFE:
            break  # what was prepared before could be fetched until then only
        times = [at for went in told(chunk) for at in went.picked_up_at]
        last = max([*times, *filter(None, [last])], default=None)
    return last


def told(chosen: Sequence[Line]) -> list[WhereItWent]:
    """Everything there is to say of these, in their order."""
    found: dict[tuple[int, int], WhereItWent] = {}
    for subject in {line.subject.slot: line.subject for line in chosen}.values():
        hers = {line.release: line for line in chosen if line.subject.slot == subject.slot}
        found.update({(subject.slot, went.release.pk): went for went in _told(subject, hers)})
    return [found[line.subject.slot, line.release] for line in chosen]


def _newest_first(found: Iterable[Line]) -> list[Line]:
    return sorted(found, key=lambda each: (each.at, each.release), reverse=True)


def _lines(subject: Subject) -> list[Line]:
    used = containing(subject)
    kept = _marking(Withheld, subject.slot)
    consents = list(
        Consent.objects.filter(subject=subject).select_related("terms").order_by("-recorded_at")
    )
    rows = Release.objects.filter(
        pk__in=used | kept, state__in=[ReleaseState.PREPARED, ReleaseState.REFUSED]
    ).values_list("pk", "recipient_id", "purpose_id", "answered_at", "asked_at")
    return [
        Line(
            subject=subject,
            release=pk,
            recipient=recipient,
            at=answered or asked,
            consent=(
                _basis(recipient, purpose, answered or asked, consents) if pk in used else None
            ),
        )
        for pk, recipient, purpose, answered, asked in rows
    ]


def _told(subject: Subject, hers: Mapping[int, Line]) -> list[WhereItWent]:
    used: dict[int, dict[int, set[str]]] = {}
    for release, category, columns in _marked(Use, subject.slot, hers, "category_id", "columns"):
        used.setdefault(release, {}).setdefault(category, set()).update(columns)
    kept = {
        release: Ground(ground)
        for release, ground in _marked(Withheld, subject.slot, hers, "ground")
    }
    releases = (
        Release.objects.filter(pk__in=hers)
        .select_related("holder", "recipient", "purpose", "request__decision__charter__board")
        .defer("manifest", "grounds", "request__reason", "request__benefit")
    )
    categories = DataCategory.objects.in_bulk({pk for each in used.values() for pk in each})
    picked = _pick_ups(used, subject.slot)
    return [
        WhereItWent(
            release=release,
            subject=subject,
            holder=release.holder,
            recipient=release.recipient,
            purpose=release.purpose,
            at=hers[release.pk].at,
            sent=release.pk in used,
            what=_what(used.get(release.pk, {}), categories),
            pick_ups=tuple(picked.get(release.pk, ())),
            void=release.voided_at is not None,
            ground=None if release.pk in used else kept.get(release.pk),
            consent=hers[release.pk].consent,
            decision=getattr(release.request, "decision", None),
        )
        for release in releases
    ]


def _what(
    columns: Mapping[int, set[str]], categories: Mapping[int, DataCategory]
) -> tuple[What, ...]:
    found = [What(categories[pk], tuple(sorted(names))) for pk, names in columns.items()]
    return tuple(sorted(found, key=lambda each: each.category.code))


def _marking(model: type[Model], slot: int) -> set[int]:
    """The releases of which a chunk has the bit for this slot set: one byte of each is read."""
    _byte, mask = place_of(slot)
    rows: Iterable[tuple[int, bytes]] = _chunks(model, slot).values_list("release_id", "byte")
    return {release for release, bits in rows if bytes(bits)[0] & mask}


def _marked(
    model: type[Model], slot: int, releases: Collection[int], *columns: str
) -> list[tuple[Any, ...]]:
    """Of these releases, those chunks: the release and what else is asked of each."""
    _byte, mask = place_of(slot)
    rows = _chunks(model, slot).filter(release__in=releases)
    return [
        (release, *values)
        for release, bits, *values in rows.values_list("release_id", "byte", *columns)
        if bytes(bits)[0] & mask
    ]


def _chunks(model: type[Model], slot: int) -> QuerySet[Any]:
    """The chunks that this slot's bit lies in, each with the one byte that holds it."""
    byte, _mask = place_of(slot)
    rows = model._default_manager.filter(block=block_of(slot))
    found: QuerySet[Any] = rows.annotate(byte=Substr("bits", byte + 1, 1))
    return found


def _pick_ups(releases: Iterable[int], slot: int) -> dict[int, list[PickUp]]:
    """When bytes of each release went out: of the whole package, or of a part that holds her."""
    rows = list(
        Download.objects.filter(release__in=list(releases), sending__isnull=False)
        .exclude(part=DownloadPart.MANIFEST)
        .order_by("at", "pk")
        .values_list("release_id", "number", "at", "entry_id")
    )
    pieces = {(release, number) for release, number, _, _ in rows if number is not None}
    hers = {
        (release, number)
        for release, number, slots in ReleasePart.objects.filter(
            release__in={release for release, _ in pieces}
        ).values_list("release_id", "number", "slots")
        if (release, number) in pieces and (unpack(slots) == slot).any()
    }
    found: dict[int, list[PickUp]] = {}
    for release, number, at, entry in rows:
        if number is None or (release, number) in hers:
            found.setdefault(release, []).append(PickUp(at, entry))
    return found


def _basis(
    recipient: int, purpose: int, at: datetime, consents: Iterable[Consent]
) -> Consent | None:
    """The yes that stood when the release was answered."""
    for consent in consents:
        if (
            consent.recipient_id == recipient
            and consent.purpose_id == purpose
            and consent.recorded_at <= at
            and (consent.ended_at is None or consent.ended_at >= at)
        ):
            return consent
    return None
