"""Enrolling people as one organisation knows them."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
from django.db import connection, transaction

from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.rows import Columns
from common.words import sentence as _
from consent.models import SlotBlock, Subject, SubjectKey
from consent.permissions import check_can_advise
from consent.queries import keys
from consent.rules import BLOCK
from governance.actions import trail
from governance.models import Organisation, User
from governance.vocabulary import UserKind

CHUNK = 5000
PERSON = Columns(Subject, "slot", "holder", "wrapped_key", "enrolled_at")
NUMBER = Columns(SubjectKey, "holder", "digest", "subject")


def client_digest(key: bytes, number: str, scope: str = "") -> bytes:
    """What the database keeps of a client number: `consent.queries.keys` says how it is made."""
    return keys.client_digest(key, number, scope)


def digest_key(holder: Organisation) -> bytes:
    """The holder's key for client digests. Raises NotReady where the key ring lacks it."""
    return keys.ring().derived(holder.ref, keys.CLIENT_NUMBER)


def find(holder: Organisation, digests: Iterable[bytes]) -> dict[bytes, int]:
    """The slots of the people already known under these digests.

    Asked in plain SQL: half of a large load's enrolment was spent preparing each digest.
    """
    wanted = list(dict.fromkeys(digests))
    found: dict[bytes, int] = {}
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), CHUNK):
            some = wanted[start : start + CHUNK]
            cursor.execute(
                "SELECT digest, subject_id FROM consent_subjectkey WHERE holder_id = %s"  # noqa: S608 - marks only
                f" AND digest IN ({', '.join(['%s'] * len(some))})",
                [holder.pk, *some],
            )
            found.update((bytes(digest), slot) for digest, slot in cursor.fetchall())
    return found


def enrol(
    *, holder: Organisation, digests: Sequence[bytes], by: User, at: datetime, via: Via
) -> dict[bytes, int]:
    """Give every digest its slot, known or new; returns digest → slot.

    Slots are dense per holder (so that uses fit in bit chunks) and random in order (so that a slot
    tells nothing about when somebody came). Runs inside the caller's transaction or its own.
    """
    with transaction.atomic():
        Organisation.objects.select_for_update(no_key=True).get(
            pk=holder.pk
        )  # one enrolment at a time
        known = find(holder, digests)
        new = [digest for digest in dict.fromkeys(digests) if digest not in known]
        if not new:
            return known
        slots = _take_slots(holder, len(new))
        fresh, wrapped = keys.new_keys(holder.ref, len(new))
        # What all rows share is made ready once; in the order of their keys, pages are written once.
        _slot, holder_id, _key, enrolled_at = PERSON.adapted(slots[0], holder.pk, wrapped[0], at)
        PERSON.insert(
            (slot, holder_id, key, enrolled_at)
            for slot, key in sorted(zip(slots, wrapped, strict=True))
        )
        NUMBER.insert((holder_id, digest, slot) for digest, slot in zip(new, slots, strict=True))
        nonce = secrets.token_bytes(16)
        trail.record(
            type=EntryType.SUBJECT_ENROLLED,
            by=by,
            at=at,
            via=via,
            resource=holder.ref,
            subjects=len(new),
            subjects_root=subjects_root(keys.tags_under(fresh, nonce)),
            nonce=nonce,
        )
    return known | dict(zip(new, slots, strict=True))


def hold(slots: Iterable[int]) -> None:
    """Let these people's words be recorded one after another, until this transaction ends.

    A yes and a no of one person never pass each other: each is judged by what the other left.
    Raises RuleBroken where one of them was shredded meanwhile: nobody says anything by that slot.
    """
    ordered = sorted(set(slots))
    for start in range(0, len(ordered), CHUNK):
        people = Subject.objects.select_for_update(no_key=True).order_by("slot")
        some = people.filter(slot__in=ordered[start : start + CHUNK])
        if any(shredded for (shredded,) in some.values_list("shredded_at")):
            raise RuleBroken(
                "shredded", _("A record was wiped just now. Nothing can be said about it any more.")
            )


def give_account(*, subject: Subject, account: User, by: User, at: datetime, via: Via) -> Subject:
    """Let one survivor's sign-in see and change this person's sharing.

    Raises NotPermitted unless `by` is the holder's advocate; RuleBroken unless the account is a
    survivor's and the person has none yet.
    """
    check_can_advise(by, subject.holder)
    if account.kind != UserKind.SURVIVOR:
        raise RuleBroken("not_a_survivor", _("Only a survivor's own sign-in can be given."))
    with transaction.atomic():
        subject = Subject.objects.select_for_update().select_related("holder").get(pk=subject.pk)
        if subject.shredded_at is not None:
            raise RuleBroken("shredded", _("This record was wiped."))
        if subject.account_id is not None:
            raise RuleBroken("account_taken", _("This person has a sign-in already."))
        subject.account = account
        subject.save(update_fields=["account"])
        nonce = secrets.token_bytes(16)
        tag = keys.tag_of(subject, nonce)
        trail.record(
            type=EntryType.USER_CHANGED,
            by=by,
            at=at,
            via=via,
            resource=tag.hex(),
            subjects=1,
            subjects_root=subjects_root([tag]),
            nonce=nonce,
        )
    return subject


def _take_slots(holder: Organisation, count: int) -> list[int]:
    """`count` free slots of the holder in random order; opens new blocks where needed."""
    blocks = list(
        SlotBlock.objects.select_for_update().filter(holder=holder, taken__lt=BLOCK).order_by("pk")
    )
    free = sum(BLOCK - block.taken for block in blocks)
    while free < count:
        blocks.append(SlotBlock.objects.create(holder=holder))
        free += BLOCK
    generator = np.random.Generator(np.random.PCG64(secrets.randbits(128)))
    taken: list[int] = []
    for block in blocks:
        first = block.pk * BLOCK
        used = Subject.objects.filter(slot__gte=first, slot__lt=first + BLOCK)
        open_slots = np.setdiff1d(
            np.arange(first, first + BLOCK, dtype=np.int64),
            np.fromiter(used.values_list("slot", flat=True), dtype=np.int64),
        )
        share = min(len(open_slots), count - len(taken))
        taken.extend(generator.choice(open_slots, size=share, replace=False).tolist())
        block.taken += share
    SlotBlock.objects.bulk_update(blocks, ["taken"])
    generator.shuffle(taken)
    return [int(slot) for slot in taken]
