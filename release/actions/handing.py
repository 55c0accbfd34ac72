"""Handing over: a package is not a licence; each access is a decision of its own.

Under the shared locks the whole question is asked again; a Download and its entry are committed;
the entry must stand under a signed checkpoint; only then bytes flow, and before each part the
epochs are looked at once more. Otherwise the package is void and is prepared anew.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, NoReturn

import numpy as np
from django.db import transaction
from zipstream import ZIP_STORED, ZipStream

from audit import queries as log
from audit.actions import await_quorum, settle
from audit.vocabulary import Decision, EntryType, Via
from common.errors import BadInput, NotPermitted, NotReady, Void
from common.inputs import Number, taking
from common.words import joined
from common.words import sentence as _
from governance.actions import scopes, trail
from governance.models import User
from governance.queries import clock
from governance.queries import scopes as scope_queries
from governance.vocabulary import PackageFormat
from release.actions import asking, gate, stopping
from release.models import Download, Release, ReleasePart, Sending
from release.permissions import check_can_fetch, may_fetch
from release.queries import standing
from release.rules import timing
from release.rules.manifest import notices
from release.rules.packed import unpack
from release.storage import store
from release.vocabulary import PEOPLES, DownloadPart, ReleaseState, VoidGround

PIECE = 65_536
PLACE = Number(least=0)
REMADE = {
    VoidGround.PERSON_SAID_NO,
    VoidGround.CONSENT_ENDED,
    VoidGround.FILES,
    VoidGround.KEY,
    VoidGround.SUPERSEDED,
}
ENDINGS = {PackageFormat.PARQUET: "parquet", PackageFormat.CSV: "csv"}


# What each hand-over looks at, and no table more: the database plans this anew at every access.
WITH = Release.objects.select_related("recipient", "purpose", "version", "key", "entry")


@dataclass(frozen=True)
class HandedOver:
    """What may flow now. `first` and `last` are the bytes of `size` that `chunks` will give."""

    download: Download
    name: str
    content_type: str
    size: int
    first: int
    last: int
    sha256: str
    chunks: Iterator[bytes]


@dataclass(frozen=True)
class Permit:
    """The outcome under the locks: a Download, or why the package is void and what replaces it."""

    download: Download | None
    ground: VoidGround | None = None
    replacement: Release | None = None


@taking(number=PLACE, first=PLACE, last=PLACE)
def hand_over(
    *,
    release: Release,
    part: DownloadPart,
    by: User,
    at: datetime,
    via: Via,
    number: int | None = None,
    first: int | None = None,
    last: int | None = None,
) -> HandedOver:
    """Ask again, write it down, wait for the signed checkpoint, then let bytes flow.

    `first` and `last` (inclusive) choose bytes of one part. Raises NotPermitted unless `by` may ask
    in the recipient's name; Void where somebody inside said no, a yes ran out, or the whole is not
    in force (a new release then waits already, where that helps); NotReady where the log cannot
    prove it now; BadInput for a piece or a range that is not there.
    """
    release = WITH.get(pk=release.pk)
    try:
        check_can_fetch(by, release)
        if release.state == ReleaseState.WAITING:
            raise NotReady(
                "not_prepared", _("This is still being prepared. Ask again in a moment.")
            )
        if release.state == ReleaseState.REFUSED:
            raise Void("refused", _("This was refused; there is nothing to fetch."))
        gate.check_open()
        piece = _piece(release, part, number)
        span = _span(piece, first, last)
        permit = _permit(release, part, number, by=by, via=via)
    except NotPermitted as refusal:
        _refused(release, by=by, at=at, via=via, reason=refusal.code)
        raise
    if permit.download is None:
        raise _void(permit)
    for entry in filter(None, (permit.download.entry, release.entry)):
        settle(entry=entry)
        await_quorum(entry=entry)
    if part == DownloadPart.PART and piece is not None:
        chunks = _part_bytes(release, piece, permit, span, by=by, via=via)
        return HandedOver(
            download=permit.download,
            name=_part_name(release, piece.number),
            content_type="application/octet-stream",
            size=piece.size,
            first=span[0],
            last=span[1],
            sha256=piece.sha256,
            chunks=chunks,
        )
    if part == DownloadPart.MANIFEST:
        body = whole_manifest(release)
        return HandedOver(
            permit.download,
            f"{release.ref}-manifest.json",
            "application/json",
            len(body),
            0,
            len(body) - 1,
            sha256(body).hexdigest(),
            iter([body]),
        )
    zipped = _zip(release, permit, by=by, via=via)
    size = len(zipped)
    name, kind = f"{release.ref}.zip", "application/zip"
    return HandedOver(permit.download, name, kind, size, 0, size - 1, "", iter(zipped))


def whole_manifest(release: Release) -> bytes:
    """The manifest as it leaves: what the entry commits to, and where the entry stands."""
    entry = release.entry
    checkpoint = None
    if entry is not None:
        if entry.seq is None:
            entry.refresh_from_db()
        checkpoint = log.checkpoint_over(entry)
    if entry is None or checkpoint is None:
        raise NotReady("log_not_ready", _("The log has not signed this release yet."))
    body: dict[str, Any] = json.loads(bytes(release.manifest))
    return json.dumps(
        {
            "manifest": body,
            "manifest_sha256": sha256(bytes(release.manifest)).hexdigest(),
            "entry_index": entry.seq,
            "checkpoint": checkpoint.note,
        },
        indent=2,
        ensure_ascii=False,
    ).encode()


def void(
    *, release: Release, ground: VoidGround, by: User | None, at: datetime, via: Via
) -> Release | None:
    """Declare a package void inside the caller's transaction; gives what replaces it, if anything.

    A replacement waits already where a new package can differ, so that the recipient need not ask.
    """
    changed = Release.objects.filter(pk=release.pk, voided_at__isnull=True).update(
        voided_at=at, void_ground=ground
    )
    if not changed:
        return release.replaced_by.order_by("-pk").first()
    release.voided_at, release.void_ground = at, ground
    trail.record(
        type=EntryType.RELEASE_VOIDED,
        by=by,
        at=at,
        via=via,
        resource=release.ref,
        purpose=release.purpose.code,
        reason=ground.value,
    )
    if ground not in REMADE:
        return None
    return asking.waiting(
        request=release.request,
        asked_by=release.asked_by,
        by=by,
        at=at,
        via=via,
        replaces=release,
    )


def _permit(
    release: Release, part: DownloadPart, number: int | None, *, by: User, via: Via
) -> Permit:
    with scopes.steady(recipient=release.recipient_id) as moment:
        current = WITH.select_for_update(of=("self",)).get(pk=release.pk)
        check_can_fetch(by, current)  # again, under the locks: a role may have ended just now
        epochs = moment.of(release.recipient_id)
        ground = standing.void_ground(current, moment.at)
        if ground is None and not _files_there(current):
            ground = VoidGround.FILES
        if ground is not None:
            replacement = void(release=current, ground=ground, by=by, at=moment.at, via=via)
            policy = standing.policy(current)
            _refused(current, by=by, at=moment.at, via=via, reason=ground.value, policy=policy)
            return Permit(None, ground, replacement)
        entry = trail.record(
            type=EntryType.DOWNLOAD_GIVEN,
            by=by,
            at=moment.at,
            via=via,
            resource=current.ref,
            purpose=current.purpose.code,
            decision=Decision.PERMITTED,
            reason=part.value if number is None else f"{part.value}-{number}",
            policy=standing.policy(current),
            epoch_everyone=epochs.everyone,
            epoch_scope=epochs.scope,
        )
        download = Download.objects.create(
            release=current,
            part=part,
            number=number,
            by=by,
            at=moment.at,
            epoch_everyone=epochs.everyone,
            epoch_scope=epochs.scope,
            entry_id=entry.pk,
        )
    return Permit(download)


def _void(permit: Permit) -> Void:
    newer = permit.replacement
    then = _("Ask again when the ground for it is gone.")
    if newer is not None:
        then = _("A new one is being prepared: %(ref)s.", ref=newer.ref)
    code = "changed" if permit.ground in PEOPLES else str(permit.ground)
    return Void(code, joined([_("This package is no longer good."), then]))


def _files_there(release: Release) -> bool:
    if release.wiped_at is not None:
        return False
    names = release.parts.values_list("name", flat=True)
    return all(store().exists(name) for name in names)


@transaction.atomic
def _refused(
    release: Release, *, by: User, at: datetime, via: Via, reason: str, policy: str = ""
) -> None:
    trail.record(
        type=EntryType.DOWNLOAD_REFUSED,
        by=by,
        at=at,
        via=via,
        resource=release.ref,
        purpose=release.purpose.code,
        decision=Decision.REFUSED,
        reason=reason,
        policy=policy,
    )


def _piece(release: Release, part: DownloadPart, number: int | None) -> ReleasePart | None:
    if part != DownloadPart.PART:
        return None
    found = release.parts.filter(number=number or 0).first()
    if found is None:
        raise BadInput("no_such_part", _("This package has no part with this number."))
    return found


def _span(piece: ReleasePart | None, first: int | None, last: int | None) -> tuple[int, int]:
    if piece is None:
        return 0, 0
    begin = 0 if first is None else first
    end = piece.size - 1 if last is None else min(last, piece.size - 1)
    if not 0 <= begin <= end:
        raise BadInput(
            "no_such_range", _("This part has %(size)s bytes; choose among them.", size=piece.size)
        )
    return begin, end


def _part_name(release: Release, number: int) -> str:
    ending = ENDINGS[PackageFormat(release.format)]
    return f"{release.ref}-part-{number:05d}.{ending}.age"


def _part_bytes(
    release: Release,
    piece: ReleasePart,
    permit: Permit,
    span: tuple[int, int],
    *,
    by: User,
    via: Via,
) -> Iterator[bytes]:
    """The bytes of one part, after one more look; nothing of it where somebody in it said no."""
    try:
        sealed = store().open(piece.name)
    except FileNotFoundError:
        _stop(release, VoidGround.FILES, by=by, via=via, reason=f"part-{piece.number}")
    if sha256(sealed).hexdigest() != piece.sha256:
        _stop(release, VoidGround.FILES, by=by, via=via, reason=f"part-{piece.number}")
    _look_again(release, piece, by=by, via=via)
    if permit.download is not None:
        Sending.objects.get_or_create(download=permit.download, defaults={"at": clock.now()})
        _look_again(release, piece, by=by, via=via)  # last: from here to the wire nothing waits
    begin, end = span
    looked = time.monotonic()
    for start in range(begin, end + 1, PIECE):
        if time.monotonic() - looked >= timing.LOOK_AGAIN:  # whoever reads slowly gets no more
            looked = time.monotonic()
            if not may_fetch(by, release):
                _stop(release, None, by=by, via=via, reason="not-allowed")
            _look_again(release, piece, by=by, via=via)
        if permit.download is not None and clock.now() > permit.download.at + timing.STREAM_LIFE:
            _stop(release, None, by=by, via=via, reason="too-slow")
        yield sealed[start : min(start + PIECE, end + 1)]


def _look_again(release: Release, piece: ReleasePart, *, by: User, via: Via) -> None:
    now = clock.now()
    before = standing.epochs_of(release)
    # Every no since the package was made, not since the permit: a newer yes that was good then
    # may have run out by now.
    moves = scope_queries.moves_since(before, release.recipient_id)
    if moves.epochs == before and release.good_until is not None and now < release.good_until:
        return
    with scopes.steady(recipient=release.recipient_id) as moment:
        current = WITH.get(pk=release.pk)
        allowed = may_fetch(by, current)
        moves = scope_queries.moves_since(before, release.recipient_id)
        inside = unpack(piece.slots)
        whole = standing.whole_ground(current, moment.at)
        ended = release.good_until is None or moment.at >= release.good_until
        asked = inside if ended or moves.whole else np.intersect1d(inside, list(moves.slots))
        gone = standing.closed(current, asked.astype(np.int32), moment.at)
    if not allowed:
        _stop(release, None, by=by, via=via, reason="not-allowed")
    if whole:
        _stop(release, whole, by=by, via=via, reason=f"part-{piece.number}")
    if len(gone):
        _stop(
            release,
            VoidGround.CONSENT_ENDED if ended else VoidGround.PERSON_SAID_NO,
            by=by,
            via=via,
            reason=f"part-{piece.number}",
        )


def _stop(
    release: Release, ground: VoidGround | None, *, by: User, via: Via, reason: str
) -> NoReturn:
    """Stop a stream before its next byte; the connection breaks, so nobody takes it for whole."""
    at = clock.now()
    with transaction.atomic():
        policy = "" if ground is None else standing.policy(release)
        stopping.stopped(release=release, by=by, at=at, via=via, reason=reason, policy=policy)
        if ground is not None:
            void(release=release, ground=ground, by=by, at=at, via=via)
    raise Void("stopped", _("Sharing changed while this was sent. What follows is not sent."))


def _zip(release: Release, permit: Permit, *, by: User, via: Via) -> ZipStream:
    """One uncompressed zip: manifest, proof, sealed parts, each part looked at before it is sent."""
    zipped = ZipStream(compress_type=ZIP_STORED, sized=True)
    body = whole_manifest(release)
    proof = log.proof(release.entry).encode() if release.entry is not None else b""
    zipped.add(body, "manifest.json", size=len(body))
    zipped.add(proof, "proof.tlog-proof", size=len(proof))
    for text in notices(bytes(release.manifest)):
        zipped.add(text, "NOTICE.txt", size=len(text))
    for piece in release.parts.order_by("number"):
        zipped.add(
            _part_bytes(release, piece, permit, (0, piece.size - 1), by=by, via=via),
            f"parts/{_part_name(release, piece.number)}",
            size=piece.size,
        )
    return zipped
