"""Writing down the answer to one asking, inside the transaction that holds the shared locks."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from audit.tlog.subjects import subjects_root
from audit.vocabulary import Decision, EntryType, Via
from consent.rules import Slots
from governance.actions import scopes, trail
from governance.models import RecipientKey
from release.engine.parts import Written
from release.models import DatasetVersion, Release, ReleasePart, Use, Withheld
from release.queries import facts, standing
from release.rules import manifest
from release.rules.bands import band
from release.rules.bits import chunks_of
from release.rules.decide import Plan, Refusal
from release.rules.packed import pack
from release.rules.slots import NOBODY, both, united, without
from release.vocabulary import Ground, ReleaseState


@dataclass(frozen=True)
class Prepared:
    """Everything a prepared release is written down from.

    `parts` and `roots` are of one length; `in_period` holds, for every part, whose rows were
    recorded within the yes; `left_out` whom a late change kept back.
    """

    release: Release
    version: DatasetVersion
    key: RecipientKey
    plan: Plan
    parts: Sequence[Written]
    roots: Sequence[bytes]
    in_period: Sequence[Slots]
    left_out: Sequence[Slots]
    nonce: bytes
    moment: scopes.Moment


def record(found: Prepared) -> Release:
    """Release, its parts, who is in it, who is not and why, and its entry."""
    release, moment = found.release, found.moment
    order = list(range(len(found.parts)))
    secrets.SystemRandom().shuffle(order)  # a part's number tells nothing about its people
    parts = [found.parts[at] for at in order]
    roots = [found.roots[at] for at in order]
    sent = united([part.slots for part in parts])
    if not len(sent):
        ground = Ground.CHANGED_WHILE_WRITTEN if len(found.left_out) else Ground.NOBODY
        refusal = Refusal((ground,), _withheld(found, sent))
        return record_refusal(release, refusal, found.version, moment)
    withheld = _withheld(found, sent)
    rows = sum(part.rows for part in parts)
    epochs = moment.of(release.recipient_id)
    body = _manifest(found, parts, rows)
    entry = trail.record(
        type=EntryType.DATASET_RELEASED,
        by=None,
        at=moment.at,
        via=Via.TASK,
        resource=release.ref,
        purpose=release.purpose.code,
        decision=Decision.PERMITTED,
        epoch_everyone=epochs.everyone,
        epoch_scope=epochs.scope,
        subjects=len(sent),
        subjects_root=subjects_root(roots),
        policy=standing.policy(release),
        detail_commit=sha256(body).hexdigest(),
        nonce=found.nonce,
    )
    release.state = ReleaseState.PREPARED
    release.answered_at = moment.at
    release.version = found.version
    release.key = found.key
    release.epoch_everyone = epochs.everyone
    release.epoch_scope = epochs.scope
    release.good_until = found.plan.good_until
    release.rows = rows
    release.rows_withheld = found.version.rows - rows
    release.people = len(sent)
    release.people_withheld = sum(len(slots) for slots in withheld.values())
    release.grounds = {ground.value: len(slots) for ground, slots in withheld.items()}
    release.manifest = body
    release.entry_id = entry.pk
    release.save()
    ReleasePart.objects.bulk_create(
        ReleasePart(
            release=release,
            number=number,
            name=part.name,
            source=part.source.number,
            rows=part.rows,
            size=part.size,
            sha256=part.sha256,
            slots=pack(part.slots),
            root=root,
        )
        for number, (part, root) in enumerate(zip(parts, roots, strict=True), start=1)
    )
    chunks = [
        Use(
            release=release,
            category_id=group.category,
            group=number,
            columns=[column.name for column in found.plan.columns if column.group == number],
            block=block,
            bits=bits,
        )
        for number, group in enumerate(found.plan.groups)
        for block, bits in chunks_of(_in_group(number, parts))
    ]
    # What is read together lies together: one person's list reads one block of every release.
    Use.objects.bulk_create(sorted(chunks, key=lambda use: use.block))
    _keep_withheld(release, withheld)
    return release


def record_refusal(
    release: Release,
    refusal: Refusal,
    version: DatasetVersion | None,
    moment: scopes.Moment,
) -> Release:
    """A refusal is an answer, not an exception: kept with every ground that stands."""
    epochs = moment.of(release.recipient_id)
    entry = trail.record(
        type=EntryType.DATASET_REFUSED,
        by=None,
        at=moment.at,
        via=Via.TASK,
        resource=release.ref,
        purpose=release.purpose.code,
        decision=Decision.REFUSED,
        reason=refusal.grounds[0].value,
        policy=standing.policy(release),
        epoch_everyone=epochs.everyone,
        epoch_scope=epochs.scope,
    )
    release.state = ReleaseState.REFUSED
    release.answered_at = moment.at
    release.version = version
    release.epoch_everyone = epochs.everyone
    release.epoch_scope = epochs.scope
    release.grounds = {ground.value: version.people if version else 0 for ground in refusal.grounds}
    release.entry_id = entry.pk
    release.save()
    if version is not None:
        _keep_withheld(release, refusal.withheld or {refusal.grounds[0]: facts.present(version)})
    return release


def _withheld(found: Prepared, sent: Slots) -> dict[Ground, Slots]:
    """Why each person in the dataset who is not in the package is not; one ground each."""
    late = without(united(found.left_out), sent)
    planned = without(without(found.plan.people.slots, sent), late)
    in_period = united(found.in_period)
    reasons: dict[Ground, Slots] = {
        Ground.CHANGED_WHILE_WRITTEN: late,
        Ground.ANOTHER_PERSON: both(planned, in_period),
        Ground.RECORD_PERIOD: without(planned, in_period),
    }
    for ground, slots in found.plan.withheld.items():
        reasons[ground] = united([reasons.get(ground, NOBODY), without(slots, sent)])
    return {ground: slots for ground, slots in reasons.items() if len(slots)}


def _in_group(number: int, parts: Sequence[Written]) -> Slots:
    """Whose record left with one group of columns."""
    return united([part.slots[(part.groups >> number) & 1 == 1] for part in parts])


def _keep_withheld(release: Release, withheld: Mapping[Ground, Slots]) -> None:
    Withheld.objects.bulk_create(
        Withheld(release=release, ground=ground, block=block, bits=bits)
        for ground, slots in withheld.items()
        for block, bits in chunks_of(slots)
    )


def _manifest(found: Prepared, parts: Sequence[Written], rows: int) -> bytes:
    release, request = found.release, found.release.request
    fields = {
        row.field.name: row.field for row in request.fields.select_related("field__category").all()
    }
    return manifest.core(
        refs={
            "release": release.ref,
            "request": request.ref,
            "agreement": request.agreement.ref,
            "purpose": release.purpose.code,
            "dataset": request.dataset.ref,
            "version": found.version.ref,
            "holder": release.holder.ref,
            "recipient": release.recipient.ref,
        },
        prepared_at=found.moment.at,
        format=release.format,
        columns=[{"name": "person", "type": "text", "category": ""}]
        + [
            {
                "name": column.name,
                "type": fields[column.name].type,
                "category": fields[column.name].category.code,
            }
            for column in found.plan.columns
        ],
        rows=rows,
        withheld=band(found.version.rows - rows),
        parts=[
            {"number": number, "rows": part.rows, "size": part.size, "sha256": part.sha256}
            for number, part in enumerate(parts, start=1)
        ],
        obligations=request.agreement.obligations,
        noticed=[
            column.name
            for column in found.plan.columns
            if fields[column.name].category.care == manifest.NOTICED
        ],
    )
