"""A file sent for a dataset: received sealed, loaded by the clock with the very same ingest."""

import io
import secrets
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from audit.vocabulary import Decision, EntryType, Via
from common.errors import BadInput, NotPermitted, RuleBroken
from common.keyring import KeyRing
from governance import permissions
from governance.actions import trail
from governance.models import Dataset, User
from governance.queries import clock
from release import storage
from release.actions import versions
from release.actions.loading.arrivals import Arrival, SealedFile
from release.actions.loading.sources import Given
from release.models import Upload
from release.vocabulary import UploadState

FOLDER = "arrivals"
LIFE = timedelta(days=1)
LEASE = timedelta(minutes=10)
STAMP = "%Y%m%d%H%M%S"
LONGEST_MAPPING = 262_144
LONGEST_TOLD = 4000
MIB = 1024 * 1024


def begin(*, dataset: Dataset, by: User, at: datetime, via: Via) -> Arrival:
    """Where the bytes of one upload go, piece by piece. Nothing has happened until `receive`.

    Raises NotPermitted unless `by` is a steward of the holder, which leaves an entry.
    """
    try:
        permissions.check_can_steward(by, dataset.holder)
    except NotPermitted as refusal:
        refuse(dataset=dataset, code=refusal.code, by=by, at=at, via=via)
        raise
    stamp = at.astimezone(UTC).strftime(STAMP)
    identity = _ring().identity(dataset.holder.ref)
    return Arrival(
        store=storage.store(),
        folder=f"{FOLDER}/{stamp}-{secrets.token_hex(6)}",
        recipient=identity.to_public(),
        most_bytes=settings.UPLOAD_MB * MIB,
    )


def refuse(*, dataset: Dataset, code: str, by: User, at: datetime, via: Via) -> None:
    """Write down that an upload was turned away before it was whole."""
    with transaction.atomic():
        trail.record(
            type=EntryType.DATASET_REJECTED,
            by=by,
            at=at,
            via=via,
            resource=dataset.ref,
            decision=Decision.REFUSED,
            reason=code,
        )


def receive(
    *,
    dataset: Dataset,
    arrival: Arrival,
    sha256: str,
    mapping: bytes,
    by: User,
    at: datetime,
    via: Via,
) -> Upload:
    """All of it has come: from now on it waits to be loaded, and the clock will find it.

    Raises NotPermitted unless `by` is a steward of the holder still; BadInput for a mapping that
    is too long.
    """
    del via  # the load leaves the entry, whichever way it ends
    permissions.check_can_steward(by, dataset.holder)
    if not 0 < len(mapping) <= LONGEST_MAPPING:
        raise BadInput("mapping", "Send the mapping first: a TOML text of at most 256 KiB.")
    return Upload.objects.create(
        dataset=dataset,
        mapping=mapping,
        folder=arrival.folder,
        pieces=arrival.pieces,
        size=arrival.size,
        sha256=sha256,
        sent_by=by,
        received_at=at,
    )


def run(*, upload: Upload, at: datetime) -> Upload:
    """Load one upload that waits; called by the clock. Raises NotReady where that cannot be now.

    One that broke off is taken up again when its lease has run out: the same file under the same
    mapping is loaded once, however often it is tried.
    """
    if not _taken(upload, clock.now()):
        upload.refresh_from_db()
        return upload
    found = Upload.objects.select_related("dataset__holder", "dataset__board", "sent_by").get(
        pk=upload.pk
    )
    try:
        loading = versions.ingest(
            dataset=found.dataset,
            file=_given(found),
            mapping=bytes(found.mapping),
            by=found.sent_by,
            at=at,
            via=Via.API,
            progress=_Renewing(found),
        )
    except (BadInput, RuleBroken, NotPermitted) as refusal:
        if isinstance(refusal, NotPermitted):  # the role ended while the file waited
            refuse(dataset=found.dataset, code=refusal.code, by=found.sent_by, at=at, via=Via.API)
        report = getattr(refusal, "report", "")
        told = refusal.message[:LONGEST_TOLD]
        return _answer(found, UploadState.REFUSED, code=refusal.code, told=told, report=report)
    finally:
        Upload.objects.filter(pk=upload.pk, state=UploadState.WAITING).update(taken_until=None)
    return _answer(found, UploadState.LOADED, version=loading.version, report=loading.report)


def sweep(*, at: datetime) -> int:
    """Remove pieces that wait for nothing any more: loaded, refused, or never whole and a day old."""
    store = storage.store()
    waiting = set(Upload.objects.filter(state=UploadState.WAITING).values_list("folder", flat=True))
    answered = set(
        Upload.objects.exclude(state=UploadState.WAITING).values_list("folder", flat=True)
    )
    oldest = (at - LIFE).astimezone(UTC).strftime(STAMP)
    folders = {"/".join(name.split("/")[:2]) for name in store.names(FOLDER)}
    gone = [
        folder
        for folder in folders - waiting
        if folder in answered or folder.split("/")[1][: len(oldest)] < oldest
    ]
    for folder in gone:
        for name in list(store.names(folder)):
            store.delete(name)
    return len(gone)


class _Renewing:
    """A long load keeps its lease while it goes on."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._next = clock.now() + LEASE / 3

    def __call__(self, _phase: str, _done: int, _of: int) -> None:
        now = clock.now()
        if now >= self._next:
            self._next = now + LEASE / 3
            Upload.objects.filter(pk=self._upload.pk).update(taken_until=now + LEASE)


def _taken(upload: Upload, now: datetime) -> bool:
    free = Q(taken_until__isnull=True) | Q(taken_until__lte=now)
    waits = Upload.objects.filter(free, pk=upload.pk, state=UploadState.WAITING)
    return bool(waits.update(taken_until=now + LEASE))


def _given(upload: Upload) -> Given:
    sealed = SealedFile(
        store=storage.store(),
        folder=upload.folder,
        size=upload.size,
        identity=_ring().identity(upload.dataset.holder.ref),
    )
    # Sealed pieces cannot be changed by anybody without the key, so there is no stamp to compare.
    return Given(io.BufferedReader(sealed, MIB), upload.size, upload.sha256, stamp=None)


def _answer(upload: Upload, state: UploadState, **told: object) -> Upload:
    waits = Upload.objects.filter(pk=upload.pk, state=UploadState.WAITING)
    waits.update(state=state, answered_at=clock.now(), taken_until=None, **told)
    for number in list(storage.store().names(upload.folder)):
        storage.store().delete(number)
    upload.refresh_from_db()
    return upload


def _ring() -> KeyRing:
    return KeyRing(settings.SAYSO_KEYS, may_create=settings.DEMO)
