"""A file that was sent for a dataset is loaded by the clock, with the very same ingest."""

import io
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Q

from audit.vocabulary import Via
from common.errors import BadInput, NotPermitted, RuleBroken
from common.keyring import KeyRing
from governance.queries import clock
from release import storage
from release.actions import versions
from release.actions.loading.arrivals import SealedFile
from release.actions.loading.sources import Given
from release.actions.receiving import FOLDER, MIB, STAMP, refuse
from release.models import Upload
from release.vocabulary import UploadState

LIFE = timedelta(days=1)
LEASE = timedelta(minutes=10)
LONGEST_TOLD = 4000


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
        loading = versions.ingest_sent(
            dataset=found.dataset,
            sent=_given(found),
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
    return bool(
        Upload.objects.filter(free, pk=upload.pk, state=UploadState.WAITING).update(
            taken_until=now + LEASE
        )
    )


def _given(upload: Upload) -> Given:
    sealed = SealedFile(
        store=storage.store(),
        folder=upload.folder,
        size=upload.size,
        identities=_ring().identities(upload.dataset.holder.ref),
    )
    # Sealed pieces cannot be changed by anybody without the key, so there is no stamp to compare.
    return Given(io.BufferedReader(sealed, MIB), upload.size, upload.sha256, stamp=None)


def _answer(upload: Upload, state: UploadState, **told: object) -> Upload:
    Upload.objects.filter(pk=upload.pk, state=UploadState.WAITING).update(
        state=state, answered_at=clock.now(), taken_until=None, **told
    )
    for number in list(storage.store().names(upload.folder)):
        storage.store().delete(number)
    upload.refresh_from_db()
    return upload


def _ring() -> KeyRing:
    return KeyRing(settings.SAYSO_KEYS, may_create=settings.DEMO)
