"""An organisation's age identity is rotated: every sealed part is sealed anew, in memory.

So is every file that came and waits to be loaded. May be broken off anywhere and done again: the
former identity opens what it sealed until nothing is left that only it opens. Loads and releases go
on meanwhile.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from hashlib import sha256

from django.db import transaction
from pyrage import x25519

from audit import queries as log
from audit.tlog.canonical import canonical_bytes
from audit.vocabulary import EntryType, Via
from common.errors import NotReady
from governance import permissions
from governance.actions import trail
from governance.models import Dataset, Organisation, User
from governance.queries import clock
from release.actions.loading.arrivals import piece_name
from release.actions.receiving import refuse
from release.models import DatasetVersion, Resealing, StoredPart, Upload
from release.queries import versions
from release.storage import seal, store, undisturbed, unseal
from release.vocabulary import UploadState

Progress = Callable[[int, int], None]


def renew_identity(
    *,
    organisation: Organisation,
    by: User,
    at: datetime,
    via: Via,
    progress: Progress = lambda _done, _of: None,
) -> int:
    """The organisation's parts open with a new identity only; gives how many were sealed anew.

    A file that waits and that no key opens any more is refused, so that its sender sends it again.
    Raises NotPermitted unless `by` administers it or convenes; NotReady where a key, a part or the
    disk is missing: then nothing is lost, and doing it again goes on from there.
    """
    permissions.check_can_keep_keys(by, organisation)
    with undisturbed():
        ring = log.key_ring()
        ring.begin_identity(organisation.ref)
        newest, *former = ring.identities(organisation.ref)
        done = 0
        while waiting := _waiting(organisation, newest):
            for place, part in enumerate(waiting, start=1):
                _seal_anew(part, newest, former, at)
                done += 1
                progress(place, len(waiting))
        for upload in _arrived(organisation):
            if not _arrival_sealed_anew(upload, newest, former):
                _turn_away(upload, by=by, at=at, via=via)
        _write_entry(organisation, newest, by=by, at=at, via=via)
        _clear(organisation)
        ring.finish_identity(organisation.ref)
    return done


def _waiting(organisation: Organisation, newest: x25519.Identity) -> list[StoredPart]:
    """What is not sealed to the newest identity; a load that ends later is sealed to it already."""
    with transaction.atomic():
        _hold(organisation)
        return list(
            StoredPart.objects.filter(version__dataset__holder=organisation)
            .exclude(resealings__sealed_to=str(newest.to_public()))
            .order_by("pk")
        )


def _arrived(organisation: Organisation) -> list[Upload]:
    """What waits; what is received from now on is sealed to the newest identity already."""
    with transaction.atomic():
        _hold(organisation)
        waiting = Upload.objects.filter(dataset__holder=organisation, state=UploadState.WAITING)
        return list(waiting.select_related("dataset").order_by("pk"))


def _hold(organisation: Organisation) -> None:
    list(Dataset.objects.select_for_update().filter(holder=organisation).values_list("pk"))


def _seal_anew(
    part: StoredPart, newest: x25519.Identity, former: list[x25519.Identity], at: datetime
) -> None:
    last = Resealing.objects.filter(part=part).order_by("-pk").first()
    name, digest = (last.name, last.sha256) if last else (part.name, part.sha256)
    try:
        sealed = store().open(name)
    except FileNotFoundError as error:
        raise NotReady("part_missing", "A sealed part of a dataset is not there.") from error
    if sha256(sealed).hexdigest() != digest:
        raise NotReady("part_changed", "A sealed part of a dataset is not what was loaded.")
    anew = f"{part.name.rsplit('/', 1)[0]}/{secrets.token_hex(8)}-{part.number}.age"
    kept = store().put(anew, seal(unseal(sealed, newest, *former), [newest.to_public()]))
    Resealing.objects.create(
        part=part,
        name=anew,
        size=kept.size,
        sha256=kept.sha256,
        sealed_to=str(newest.to_public()),
        sealed_at=at,
    )


def _arrival_sealed_anew(
    upload: Upload, newest: x25519.Identity, former: list[x25519.Identity]
) -> bool:
    """Under their own names: a load that reads them now fails and is begun again by the clock."""
    for number in range(1, upload.pieces + 1):
        name = piece_name(upload.folder, number)
        try:
            sealed = store().open(name)
            with suppress(NotReady):
                unseal(sealed, newest)
                continue
            piece = unseal(sealed, *former)
        except (FileNotFoundError, NotReady):
            return False
        store().put(name, seal(piece, [newest.to_public()]))
    return True


def _turn_away(upload: Upload, *, by: User, at: datetime, via: Via) -> None:
    with transaction.atomic():
        turned_away = Upload.objects.filter(pk=upload.pk, state=UploadState.WAITING).update(
            state=UploadState.REFUSED,
            code="not_opened",
            told="The file that was sent cannot be opened any more. Send it again.",
            answered_at=clock.now(),
            taken_until=None,
        )
        if turned_away:  # else it was loaded meanwhile, and its pieces went
            refuse(dataset=upload.dataset, code="not_opened", by=by, at=at, via=via)


def _write_entry(
    organisation: Organisation, newest: x25519.Identity, *, by: User, at: datetime, via: Via
) -> None:
    public = str(newest.to_public())
    resource = f"{organisation.ref}/age-{sha256(public.encode()).hexdigest()[:16]}"
    digests = [
        digest
        for version in _versions(organisation)
        for _number, _name, digest in versions.sources(version)
    ]
    facts: dict[str, str | int] = {
        "recipient": public,
        "parts": sha256("".join(digests).encode()).hexdigest(),
    }
    with transaction.atomic():
        if log.entry_about(EntryType.KEY_ROTATED, resource) is None:
            trail.record(
                type=EntryType.KEY_ROTATED,
                by=by,
                at=at,
                via=via,
                resource=resource,
                reason="sealing",
                detail_commit=sha256(canonical_bytes(facts)).hexdigest(),
            )


def _clear(organisation: Organisation) -> None:
    """Files that nothing names any more go: what was replaced, and what a crash left."""
    for version in _versions(organisation):
        named = {name for _number, name, _digest in versions.sources(version)}
        for name in list(store().names(f"parts/{version.dataset.ref}/{version.ref}")):
            if name not in named:
                store().delete(name)


def _versions(organisation: Organisation) -> list[DatasetVersion]:
    found = DatasetVersion.objects.filter(dataset__holder=organisation)
    return list(found.select_related("dataset").order_by("pk"))
