"""The epoch rule: nobody is in a release, a download or a permit whose no came before it.

No release or download at epoch >= e holds a person whose no made e, unless a later yes stands
between (evidence-log design, "Order").
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db.models import Q

from audit.queries import facts as log
from consent.models import CategorySetItem, Consent, ConsentEvent, Objection
from consent.rules import Slots
from consent.vocabulary import Happening
from governance.models import DataCategory, ScopeMove
from oversight import rules
from oversight.queries.looks import Step, chunks, keys, twice
from oversight.rules import Against, Instant, Move, No, Pause, Yes
from oversight.vocabulary import Finding, Kind
from release.models import Download, Inquiry, Release, ReleasePart, Use
from release.rules.bits import slots_of
from release.rules.packed import unpack
from release.rules.slots import both, united
from release.vocabulary import DownloadPart, ReleaseState

CHUNK = 5000
Moves = Mapping[tuple[int, datetime], tuple[Move, ...]]


@dataclass(frozen=True)
class Ask:
    """Who may give what to whom: the primary keys, and the kind of the recipient."""

    holder: int
    recipient: int
    recipient_kind: str
    purpose: int


@dataclass(frozen=True)
class Words:
    """What people of one holder have said to one recipient about one purpose, by slot."""

    yeses: Mapping[int, list[Yes]]
    against: Mapping[int, list[Against]]


def releases(step: Step) -> Iterator[Finding]:
    """Everybody in a release had a yes then, at its epochs."""
    for page in keys(Release.objects.filter(state=ReleaseState.PREPARED), size=50):
        for pk in page:
            yield from twice(_release, pk)
        step(len(page))


def downloads(step: Step) -> Iterator[Finding]:
    """Everybody in what was handed over had a yes then, at the hand-over's epochs."""
    rows = Download.objects.exclude(part=DownloadPart.MANIFEST)  # a manifest holds nobody
    for page in keys(rows, size=50):
        for pk in page:
            yield from twice(_download, pk)
        step(len(page))


def _release(pk: int) -> Iterator[Finding]:
    release = Release.objects.select_related("recipient").filter(pk=pk).first()
    if release is None:
        return
    instant = Instant(
        at=release.answered_at or release.asked_at,
        everyone=release.epoch_everyone or 0,
        scope=release.epoch_scope or 0,
    )
    yield from _held(_ask(release), _used(release), instant, f"release {release.ref}")


def _download(pk: int) -> Iterator[Finding]:
    row = Download.objects.select_related("release__recipient").filter(pk=pk).first()
    if row is None:
        return  # its release is gone, which the downloads' own look names
    release = row.release
    instant = Instant(at=row.at, everyone=row.epoch_everyone, scope=row.epoch_scope)
    prepared = (release.epoch_everyone, release.epoch_scope)
    if prepared == (row.epoch_everyone, row.epoch_scope) and (
        release.good_until is not None and row.at < release.good_until
    ):
        return  # nothing has moved since the release, which is looked at itself
    used = _used(release)
    if row.number is not None:
        parts = ReleasePart.objects.filter(release=release, number=row.number)
        inside = united([unpack(slots) for slots in parts.values_list("slots", flat=True)])
        used = {category: both(slots, inside) for category, slots in used.items()}
    yield from _held(_ask(release), used, instant, f"download {row.ref} of release {release.ref}")


def inquiries(step: Step) -> Iterator[Finding]:
    """Everybody about whom a holder was told that her record may go had a yes then."""
    for page in keys(Inquiry.objects.filter(permitted=True)):
        yield from twice(_inquiries, page)
        step(len(page))


def _inquiries(pks: list[int]) -> Iterator[Finding]:
    rows = list(
        Inquiry.objects.filter(pk__in=pks)
        .select_related("request__dataset", "request__requester")
        .order_by("pk")
    )
    entries = log.facts([row.entry_id for row in rows])
    codes = {code for row in rows for code in row.columns}
    categories = dict(DataCategory.objects.filter(code__in=codes).values_list("code", "pk"))
    for row in rows:
        entry, request = entries.get(row.entry_id), row.request
        if entry is None or row.subject_id is None:
            continue  # the inquiries' own look names it
        ask = Ask(
            holder=request.dataset.holder_id,
            recipient=request.requester_id,
            recipient_kind=request.requester.kind,
            purpose=request.purpose_id,
        )
        hers = np.array([row.subject_id], dtype=np.int32)
        instant = Instant(
            at=row.at, everyone=entry.epoch_everyone or 0, scope=entry.epoch_scope or 0
        )
        used = {categories.get(code, 0): hers for code in row.columns}
        yield from _held(ask, used, instant, f"inquiry {row.ref}")


def _ask(release: Release) -> Ask:
    return Ask(
        holder=release.holder_id,
        recipient=release.recipient_id,
        recipient_kind=release.recipient.kind,
        purpose=release.purpose_id,
    )


def _used(release: Release) -> dict[int, Slots]:
    """Who is in the release, by category."""
    found: dict[int, list[tuple[int, bytes | memoryview]]] = {}
    rows = Use.objects.filter(release=release).values_list("category_id", "block", "bits")
    for category, block, bits in rows:
        found.setdefault(category, []).append((block, bits))
    return {category: slots_of(chunks_) for category, chunks_ in found.items()}


def _held(ask: Ask, used: Mapping[int, Slots], instant: Instant, place: str) -> Iterator[Finding]:
    after_no = without_yes = False
    for slots in chunks(united(list(used.values())).tolist(), CHUNK):
        words, sets = _words(ask, slots), _by_slot(used, slots)
        for slot in slots:
            yeses, against = words.yeses.get(slot, []), words.against.get(slot, [])
            if rules.allowed(yeses, against, sets[slot], instant):
                continue
            if rules.said_no(yeses, against, instant):
                after_no = True
            else:
                without_yes = True
    if after_no:
        says = "it holds somebody whose no came before it, and no later yes stands between."
        yield Finding(Kind.NO_BEFORE, place, says)
    if without_yes:
        yield Finding(Kind.NO_YES, place, "it holds somebody of whom no yes to it stood then.")


def _by_slot(used: Mapping[int, Slots], slots: Sequence[int]) -> dict[int, frozenset[int]]:
    """What of each of these people was used."""
    asked = np.array(slots, dtype=np.int32)
    found: dict[int, set[int]] = {slot: set() for slot in slots}
    for category, theirs in used.items():
        for slot in both(asked, theirs).tolist():
            found[slot].add(category)
    return {slot: frozenset(categories) for slot, categories in found.items()}


def _words(ask: Ask, slots: Sequence[int]) -> Words:
    consents = list(
        Consent.objects.filter(
            subject__in=slots,
            holder=ask.holder,
            recipient=ask.recipient,
            purpose=ask.purpose,
        ).order_by("pk")
    )
    moves = _moves(ask, slots)
    categories = _categories({consent.category_set_id for consent in consents})
    pauses = _pauses(consents, moves)
    yeses: dict[int, list[Yes]] = {}
    for each in consents:
        yeses.setdefault(each.subject_id, []).append(
            Yes(
                recorded_at=each.recorded_at,
                starts=each.starts,
                ends=each.ends,
                ended=_no(moves, each.subject_id, each.ended_at) if each.ended_at else None,
                pauses=pauses.get(each.pk, ()),
                categories=categories.get(each.category_set_id, frozenset()),
            )
        )
    return Words(yeses, _against(ask, slots, moves))


def _against(ask: Ask, slots: Sequence[int], moves: Moves) -> dict[int, list[Against]]:
    rows = Objection.objects.filter(
        Q(recipient__isnull=True) | Q(recipient=ask.recipient),
        Q(recipient_kind="") | Q(recipient_kind=ask.recipient_kind),
        Q(purpose__isnull=True) | Q(purpose=ask.purpose),
        subject__in=slots,
    ).values_list("subject_id", "made_at", "lifted_at", "category_id")
    found: dict[int, list[Against]] = {}
    for slot, made_at, lifted_at, category in rows:
        against = Against(_no(moves, slot, made_at), lifted_at, category)
        found.setdefault(slot, []).append(against)
    return found


def _moves(ask: Ask, slots: Sequence[int]) -> Moves:
    """The epochs that each no of these people made, by who said it and when."""
    rows = ScopeMove.objects.filter(
        Q(scope__everyone=True) | Q(scope__recipient=ask.recipient), slot__in=slots
    ).values_list("slot", "moved_at", "scope__everyone", "epoch")
    found: dict[tuple[int, datetime], tuple[Move, ...]] = {}
    for slot, at, everyone, epoch in rows:
        if slot is not None:
            found[slot, at] = (*found.get((slot, at), ()), Move(everyone, epoch))
    return found


def _no(moves: Moves, slot: int, at: datetime) -> No:
    return No(at, moves.get((slot, at), ()))


def _pauses(consents: Sequence[Consent], moves: Moves) -> dict[int, tuple[Pause, ...]]:
    """Of a pause that another followed nobody knows any more until when it was meant to last."""
    by_pk = {consent.pk: consent for consent in consents}
    events = ConsentEvent.objects.filter(
        consent__in=by_pk, happening__in=[Happening.PAUSED, Happening.RESUMED]
    ).order_by("pk")
    said: dict[int, list[tuple[str, datetime]]] = {}
    for pk, happening, at in events.values_list("consent_id", "happening", "at"):
        said.setdefault(pk, []).append((happening, at))
    found: dict[int, tuple[Pause, ...]] = {}
    for pk, events_of in said.items():
        consent = by_pk[pk]
        followed = [*events_of[1:], None]
        found[pk] = tuple(
            Pause(
                no=_no(moves, consent.subject_id, at),
                until=consent.paused_until if at == consent.paused_at else None,
                known=at == consent.paused_at,
                resumed_at=after[1] if after and after[0] == Happening.RESUMED else None,
            )
            for (happening, at), after in zip(events_of, followed, strict=True)
            if happening == Happening.PAUSED
        )
    return found


def _categories(sets: set[int]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    rows = CategorySetItem.objects.filter(set__in=sets)
    for pk, category in rows.values_list("set_id", "version__category_id"):
        found.setdefault(pk, set()).add(category)
    return {pk: frozenset(categories) for pk, categories in found.items()}


CHECKS = (
    ("noes and releases", releases),
    ("noes and downloads", downloads),
    ("noes and inquiries", inquiries),
)
