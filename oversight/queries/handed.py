"""Packages and hand-overs: the files that should be there, and each handing-over with its entry."""

from collections.abc import Iterator

from audit.queries import facts as log
from audit.queries.facts import EntryFacts
from audit.vocabulary import EntryType
from oversight.queries.looks import Step, keys, twice
from oversight.vocabulary import Finding, Kind
from release.models import Download, Release, ReleasePart
from release.queries import packages
from release.rules import timing
from release.vocabulary import DownloadPart, ReleaseState


def files(step: Step) -> Iterator[Finding]:
    """The files of each package are there until it is wiped, and gone then."""
    for page in keys(Release.objects.filter(state=ReleaseState.PREPARED)):
        yield from twice(_files, page)
        step(len(page))


def _files(pks: list[int]) -> Iterator[Finding]:
    rows = Release.objects.filter(pk__in=pks).order_by("pk")
    for pk, ref, voided, wiped in rows.values_list("pk", "ref", "voided_at", "wiped_at"):
        names = (
            ReleasePart.objects.filter(release=pk).order_by("number").values_list("name", "number")
        )
        for name, number in names:
            there, place = packages.there(name), f"release {ref}"
            if there and wiped is not None:
                says = f"it was wiped, and the file of part {number} is still there."
                yield Finding(Kind.FILE_NOT_WIPED, place, says)
            if not there and voided is None and wiped is None:
                says = f"the file of part {number} is not there, and nobody declared it void."
                yield Finding(Kind.FILE_MISSING, place, says)


def stray_files(step: Step) -> Iterator[Finding]:
    """No file lies among the packages that belongs to none."""
    found: dict[str, int] = {}
    for ref in packages.strays():
        found[ref] = found.get(ref, 0) + 1
        step(1)
    for ref, count in found.items():
        says = f"{count} files lie in its folder that no part names; the clock sweeps what a crash left."
        yield Finding(Kind.FILE_OF_NOBODY, f"release {ref}", says)


def downloads(step: Step) -> Iterator[Finding]:
    """Each handing-over has its entry, and was of something that could be handed over then."""
    for page in keys(Download.objects.all()):
        yield from twice(_downloads, page)
        step(len(page))


def _downloads(pks: list[int]) -> Iterator[Finding]:
    rows = list(
        Download.objects.filter(pk__in=pks)
        .select_related("release", "release__purpose", "sending")
        .defer("release__manifest", "release__grounds")
        .order_by("pk")
    )
    entries = log.facts([row.entry_id for row in rows])
    numbers = set(
        ReleasePart.objects.filter(release__in={row.release_id for row in rows}).values_list(
            "release_id", "number"
        )
    )
    for pk in sorted(set(pks) - {row.pk for row in rows}):
        says = "its release is not there."
        yield Finding(Kind.DOWNLOAD_OF_NOTHING, f"download row {pk}", says)
    for row in rows:
        place, entry = f"download {row.ref} of release {row.release.ref}", entries.get(row.entry_id)
        if entry is None:
            says = "its entry is not there."
            yield Finding(Kind.DOWNLOAD_WITHOUT_ENTRY, place, says)
        elif _said(entry) != _stored(row):
            says = f"{entry.place} is not about it, or says other epochs, another piece or time."
            yield Finding(Kind.DOWNLOAD_WITHOUT_ENTRY, place, says)
        for says in _impossible(row, numbers):
            yield Finding(Kind.DOWNLOAD_OF_NOTHING, place, says)


def _said(entry: EntryFacts) -> tuple[object, ...]:
    return (
        *(entry.type, entry.resource, entry.purpose, entry.reason, entry.time),
        *(entry.epoch_everyone, entry.epoch_scope),
    )


def _stored(row: Download) -> tuple[object, ...]:
    piece = row.part if row.number is None else f"{row.part}-{row.number}"
    return (
        *(EntryType.DOWNLOAD_GIVEN, row.release.ref, row.release.purpose.code, piece, row.at),
        *(row.epoch_everyone, row.epoch_scope),
    )


def _impossible(row: Download, numbers: set[tuple[int, int]]) -> Iterator[str]:
    """What stands against a handing-over whatever the people inside said."""
    release = row.release
    if release.state != ReleaseState.PREPARED or release.answered_at is None:
        yield "nothing was prepared that could be handed over."
        return
    if row.at < release.answered_at:
        yield "it was handed over before it was prepared."
    if row.at >= release.answered_at + timing.PACKAGE_LIFE:
        yield "it was handed over after its time."
    if release.voided_at is not None and row.at > release.voided_at:
        yield "it was handed over after it was declared void."
    older = (row.epoch_everyone, row.epoch_scope)
    if any(own < (of or 0) for own, of in zip(older, _epochs(release), strict=True)):
        yield "it was handed over at an older epoch than it was prepared at."
    if row.part == DownloadPart.PART and (row.release_id, row.number) not in numbers:
        yield "the package has no such part."
    if hasattr(row, "sending") and row.sending.at < row.at:
        yield "bytes were sent before it was permitted."


def _epochs(release: Release) -> tuple[int | None, int | None]:
    return release.epoch_everyone, release.epoch_scope


def entries_of_downloads(step: Step) -> Iterator[Finding]:
    """Each entry about a handing-over has its download."""
    for page in log.pages_of({EntryType.DOWNLOAD_GIVEN}):
        yield from twice(_entries_of_downloads, page)
        step(len(page))


def _entries_of_downloads(page: list[EntryFacts]) -> Iterator[Finding]:
    rows = Download.objects.filter(entry__in=[entry.pk for entry in page])
    found = set(rows.values_list("entry_id", flat=True))
    for entry in page:
        if entry.pk not in found:
            says = f"no download of release {entry.resource} stands under it."
            yield Finding(Kind.ENTRY_WITHOUT_DOWNLOAD, entry.place, says)


CHECKS = (
    ("packages and their files", files),
    ("files and their packages", stray_files),
    ("downloads and their entries", downloads),
    ("entries and their downloads", entries_of_downloads),
)
