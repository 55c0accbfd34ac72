"""A file sent for a dataset is received: sealed as it comes, and then it waits for the clock."""

import secrets
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction
from pyrage import x25519

from audit.vocabulary import Decision, EntryType, Via
from common.errors import BadInput, NotPermitted, NotReady
from common.keyring import KeyRing
from common.words import sentence as _
from governance import permissions
from governance.actions import trail
from governance.models import Dataset, User
from release import storage
from release.actions.loading.arrivals import Arrival
from release.models import Upload

FOLDER = "arrivals"
STAMP = "%Y%m%d%H%M%S"
LONGEST_MAPPING = 262_144
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
    return Arrival(
        store=storage.store(),
        folder=f"{FOLDER}/{stamp}-{secrets.token_hex(6)}",
        recipient=_recipient(dataset),
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
    is too long; NotReady where the holder's key was rotated while it came.
    """
    del via  # the load leaves the entry, whichever way it ends
    permissions.check_can_steward(by, dataset.holder)
    if not 0 < len(mapping) <= LONGEST_MAPPING:
        raise BadInput("mapping", _("Send the mapping first: a TOML text of at most 256 KiB."))
    with transaction.atomic():
        # A rotation seals anew what waits under this lock: what comes later must need nothing of it.
        Dataset.objects.select_for_update().get(pk=dataset.pk)
        if str(arrival.recipient) != str(_recipient(dataset)):
            raise NotReady("key_rotated", _("The holder's key changed meanwhile. Send it again."))
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


def _recipient(dataset: Dataset) -> x25519.Recipient:
    ring = KeyRing(settings.SAYSO_KEYS, may_create=settings.DEMO)
    return ring.identity(dataset.holder.ref).to_public()
