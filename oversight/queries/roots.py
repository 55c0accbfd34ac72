"""The roots that the parts of a package keep, against the entry that covers them: needs no key, and
goes on to tell something where the key of somebody in it is destroyed."""

from collections.abc import Iterator

from audit.queries import facts as log
from audit.tlog.subjects import subjects_root
from oversight.queries.looks import Step, keys, twice
from oversight.vocabulary import Finding, Kind
from release.models import Release, ReleasePart
from release.vocabulary import ReleaseState


def roots(step: Step) -> Iterator[Finding]:
    """Each person's proof goes through the roots of all parts: together they are the entry's."""
    for page in keys(Release.objects.filter(state=ReleaseState.PREPARED)):
        yield from twice(_roots, page)
        step(len(page))


def _roots(pks: list[int]) -> Iterator[Finding]:
    kept: dict[int, list[bytes | None]] = {}
    parts = ReleasePart.objects.filter(release__in=pks).order_by("pk")
    for release, root in parts.values_list("release_id", "root"):
        kept.setdefault(release, []).append(None if root is None else bytes(root))
    releases = Release.objects.filter(pk__in=kept).order_by("pk")
    rows = list(releases.values_list("pk", "ref", "entry_id"))
    entries = log.facts([entry for _, _, entry in rows])
    for pk, ref, key in rows:
        theirs = [root for root in kept[pk] if root is not None]
        entry = entries.get(key or 0)
        if len(theirs) < len(kept[pk]) or entry is None:
            continue  # a package of before parts kept them; that the entry is gone is told elsewhere
        if subjects_root(theirs) != entry.subjects_root:
            says = f"the roots of its parts are not what {entry.place} covers."
            yield Finding(Kind.PEOPLE_AND_ENTRY, f"release {ref}", says)


CHECKS = (("roots of parts and entries", roots),)
