"""Which releases one person's record was in, or was kept back from: her own accounting."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model
from django.db.models.functions import Substr

from consent.models import Consent, Subject
from consent.queries import sharing
from governance.models import DataCategory, Organisation, Purpose, User
from release.models import Download, Release, ReleasePart, Use, Withheld
from release.rules.bits import block_of, place_of
from release.rules.packed import unpack
from release.vocabulary import DownloadPart, Ground, ReleaseState


@dataclass(frozen=True)
class WhereItWent:
    """One release as one person sees it.

    `sent`: her record was in the package. `categories`: what of it. `picked_up_at`: each time the
    recipient fetched a piece of it. `ground`: why her record was kept back, where it was.
    `consent`: the yes it stood on, where it was sent.
    """

    release: Release
    holder: Organisation
    recipient: Organisation
    purpose: Purpose
    at: datetime
    sent: bool
    categories: tuple[DataCategory, ...]
    picked_up_at: tuple[datetime, ...]
    void: bool
    ground: Ground | None
    consent: Consent | None


def of(account: User, at: datetime) -> list[WhereItWent]:
    """Everything Sayso prepared from, or kept back of, this account's records; newest first."""
    subjects = list(sharing.subjects(account))
    found = [each for subject in subjects for each in _of_subject(subject)]
    return sorted(found, key=lambda each: (each.at, each.release.pk), reverse=True)


def of_subject(subject: Subject) -> list[WhereItWent]:
    """The same for one person as one holder knows her."""
    found = _of_subject(subject)
    return sorted(found, key=lambda each: (each.at, each.release.pk), reverse=True)


def _of_subject(subject: Subject) -> list[WhereItWent]:
    used: dict[int, set[int]] = {}
    for release, category in _marked(Use, "category_id", subject.slot):
        used.setdefault(release, set()).add(int(category))
    kept = {
        release: Ground(ground) for release, ground in _marked(Withheld, "ground", subject.slot)
    }
    releases = Release.objects.filter(
        pk__in=[*used, *kept], state__in=[ReleaseState.PREPARED, ReleaseState.REFUSED]
    ).select_related("holder", "recipient", "purpose")
    categories = DataCategory.objects.in_bulk({pk for each in used.values() for pk in each})
    pickups = _pickups(used, subject.slot)
    consents = list(
        Consent.objects.filter(subject=subject).select_related("terms").order_by("-recorded_at")
    )
    return [
        WhereItWent(
            release=release,
            holder=release.holder,
            recipient=release.recipient,
            purpose=release.purpose,
            at=release.answered_at or release.asked_at,
            sent=release.pk in used,
            categories=tuple(
                sorted((categories[pk] for pk in used.get(release.pk, ())), key=lambda c: c.code)
            ),
            picked_up_at=tuple(pickups.get(release.pk, ())),
            void=release.voided_at is not None,
            ground=None if release.pk in used else kept.get(release.pk),
            consent=_basis(release, consents) if release.pk in used else None,
        )
        for release in releases
    ]


def _marked(model: type[Model], column: str, slot: int) -> list[tuple[int, str]]:
    """Rows of a chunk table whose bit for this slot is set: one byte of each chunk is read."""
    byte, mask = place_of(slot)
    rows: Iterable[tuple[int, str, bytes]] = (
        model._default_manager.filter(block=block_of(slot))
        .annotate(byte=Substr("bits", byte + 1, 1))
        .values_list("release_id", column, "byte")
    )
    return [(release, value) for release, value, bits in rows if bytes(bits)[0] & mask]


def _pickups(releases: Iterable[int], slot: int) -> dict[int, list[datetime]]:
    """When bytes of each release went out: of the whole package, or of a part that holds her."""
    chosen = list(releases)
    hers: dict[int, set[int]] = {}
    for release, number, slots in ReleasePart.objects.filter(release__in=chosen).values_list(
        "release_id", "number", "slots"
    ):
        if (unpack(slots) == slot).any():
            hers.setdefault(release, set()).add(number)
    found: dict[int, list[datetime]] = {}
    rows = (
        Download.objects.filter(release__in=chosen)
        .filter(sending__isnull=False)
        .order_by("at")
        .values_list("release_id", "part", "number", "at")
    )
    for release, part, piece, at in rows:
        if part == DownloadPart.PACKAGE or piece in hers.get(release, ()):
            found.setdefault(release, []).append(at)
    return found


def _basis(release: Release, consents: Iterable[Consent]) -> Consent | None:
    """The yes that stood when the release was answered."""
    at = release.answered_at or release.asked_at
    for consent in consents:
        if (
            consent.recipient_id == release.recipient_id
            and consent.purpose_id == release.purpose_id
            and consent.recorded_at <= at
            and (consent.ended_at is None or consent.ended_at >= at)
        ):
            return consent
    return None
