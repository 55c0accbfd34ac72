"""Enrolling people as one organisation knows them."""

import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
from django.db import transaction

from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.rows import Columns
from common.words import sentence as _
from consent.models import SlotBlock, Subject, SubjectKey
from consent.permissions import check_can_advise
from consent.queries import keys
from governance.actions import trail
from governance.models import Organisation, User
from governance.vocabulary import UserKind

BLOCK = 8192
CHUNK = 5000
PERSON = Columns(Subject, "slot", "holder", "wrapped_key", "enrolled_at")
NUMBER = Columns(SubjectKey, "holder", "digest", "subject")


def client_digest(key: bytes, number: str, scope: str = "") -> bytes:
    """What the database keeps of a client number: HMAC-SHA-256 under the holder's own key.

    `scope` sets apart numbers that mean something within one dataset only (row numbers).
    """
    message = f"{scope}:{number.strip()}" if scope else number.strip()
    return hmac.digest(key, message.encode(), "sha256")


def digest_key(holder: Organisation) -> bytes:
    """The holder's key for client digests. Raises NotReady where the key ring lacks it."""
    return keys.ring().derived(holder.ref, "client-number")


def find(holder: Organisation, digests: Iterable[bytes]) -> dict[bytes, int]:
    """The slots of the people already known under these digests."""
    wanted = list(dict.fromkeys(digests))
    found: dict[bytes, int] = {}
    for start in range(0, len(wanted), CHUNK):
        known = SubjectKey.objects.filter(
            holder=holder, digest__in=wanted[start : start + CHUNK]
        ).values_list("digest", "subject_id")
        found.update((bytes(digest), slot) for digest, slot in known)
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
        wrapped = keys.new_wrapped_keys(holder.ref, len(new))
        PERSON.insert(
            PERSON.adapted(slot, holder.pk, key, at)
            for slot, key in zip(slots, wrapped, strict=True)
        )
        NUMBER.insert(
            NUMBER.adapted(holder.pk, digest, slot) for digest, slot in zip(new, slots, strict=True)
        )
        nonce = secrets.token_bytes(16)
        trail.record(
            type=EntryType.SUBJECT_ENROLLED,
            by=by,
            at=at,
            via=via,
            resource=holder.ref,
            subjects=len(new),
            subjects_root=subjects_root(keys.tags_of(holder.ref, slots, nonce)),
            nonce=nonce,
        )
    return known | dict(zip(new, slots, strict=True))


def hold(slots: Iterable[int]) -> None:
    """Let these people's words be recorded one after another, until this transaction ends.

    A yes and a no of one person never pass each other: each is judged by what the other left.
    """
    ordered = sorted(set(slots))
    for start in range(0, len(ordered), CHUNK):
        people = Subject.objects.select_for_update(no_key=True).order_by("slot")
        list(people.filter(slot__in=ordered[start : start + CHUNK]).values_list("slot"))


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
