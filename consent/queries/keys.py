"""A person's own key: wrapped by the holder's, opened only to make her tags."""

import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connection

from audit.rules import tag
from common.errors import NotReady
from common.keyring import KeyRing
from common.planned import AS_NEEDED, BIGINT, Planned, Reading, Rows
from common.planned import number as whole
from common.words import sentence as _
from consent.models import LeftTag, Subject
from consent.queries.columns import among
from governance.models import Organisation

NONCE = 12
KEY_ABSENT = "key-absent"  # an entry's reason; a later entry bears the tag (ADR 18)
CLIENT_NUMBER, SUBJECT_WRAP = "client-number", "subject-wrap"
CLIENT = Planned(
    "SELECT s.slot, s.wrapped_key FROM consent_subjectkey k"
    " JOIN consent_subject s ON s.slot = k.subject_id"
    " WHERE k.holder_id = %(holder)s AND k.digest = %(digest)s",
    {"postgresql": {}, "sqlite": {}},
    {"holder": BIGINT, "digest": AS_NEEDED},
)


def client_digest(key: bytes, number: str, scope: str = "") -> bytes:
    """What the database keeps of a client number: HMAC-SHA-256 under the holder's own key.

    `scope` sets apart numbers that mean something within one dataset only (row numbers).
    """
    return client_digests(key, [number], scope)[0]


def client_digests(key: bytes, numbers: Iterable[str], scope: str = "") -> list[bytes]:
    """The same of many, in their order."""
    before = f"{scope}:" if scope else ""
    return [hmac.digest(key, f"{before}{number.strip()}".encode(), "sha256") for number in numbers]


def ring() -> KeyRing:
    return KeyRing(settings.SAYSO_KEYS, may_create=settings.DEMO)


def new_keys(holder_ref: str, count: int) -> tuple[list[bytes], list[bytes]]:
    """`count` fresh 32-byte keys, and each of them wrapped by AES-256-GCM under the holder's key."""
    wrapper = AESGCM(ring().derived(holder_ref, SUBJECT_WRAP))
    randomness = secrets.token_bytes(count * (NONCE + 32))
    nonces = [randomness[at : at + NONCE] for at in range(0, count * NONCE, NONCE)]
    fresh = [randomness[at : at + 32] for at in range(count * NONCE, len(randomness), 32)]
    wrapped = [
        nonce + wrapper.encrypt(nonce, key, None) for nonce, key in zip(nonces, fresh, strict=True)
    ]
    return fresh, wrapped


def unwrap(holder_ref: str, wrapped: Iterable[bytes]) -> list[bytes]:
    """The people's keys. Raises NotReady where the holder's key is missing or is another one."""
    wrappers = [AESGCM(each) for each in ring().derived_all(holder_ref, SUBJECT_WRAP)]
    return [_opened(wrappers, each) for each in wrapped]


def wrapped_anew(holder_ref: str, wrapped: Sequence[bytes]) -> list[bytes | None]:
    """Each key wrapped under the holder's newest root; None where it is already.

    Raises NotReady where the holder's keys are missing, or none of them opens one.
    """
    newest, *former = [AESGCM(each) for each in ring().derived_all(holder_ref, SUBJECT_WRAP)]
    return [_wrapped_anew(newest, former, each) for each in wrapped]


def _wrapped_anew(newest: AESGCM, former: list[AESGCM], wrapped: bytes) -> bytes | None:
    try:
        newest.decrypt(wrapped[:NONCE], wrapped[NONCE:], None)
    except InvalidTag:
        nonce = secrets.token_bytes(NONCE)
        return nonce + newest.encrypt(nonce, _opened(former, wrapped), None)
    return None


def _opened(wrappers: Iterable[AESGCM], wrapped: bytes) -> bytes:
    """By the newest, or while the holder's root is rotated by the former one."""
    for wrapper in wrappers:
        try:
            return wrapper.decrypt(bytes(wrapped[:NONCE]), bytes(wrapped[NONCE:]), None)
        except ValueError as error:  # nothing is left of it: she was shredded a moment ago
            raise NotReady(
                "changed_meanwhile", _("Somebody's key was destroyed just now.")
            ) from error
        except InvalidTag:
            continue
    raise NotReady("key_wrong", _("The holder's key does not open a person's key."))


def those_opened(holder_ref: str, wrapped: Mapping[int, bytes]) -> dict[int, bytes]:
    """Of these people's keys those that open, by slot. Raises NotReady where the holder's is missing."""
    wrappers = [AESGCM(each) for each in ring().derived_all(holder_ref, SUBJECT_WRAP)]
    found: dict[int, bytes] = {}
    for slot, each in wrapped.items():
        with suppress(NotReady):  # another key, or nothing is left of it
            found[slot] = _opened(wrappers, each)
    return found


def own_key(subject: Subject) -> bytes:
    """The person's own key, opened. Raises NotReady where her holder's key is not there."""
    (key,) = unwrap(subject.holder.ref, [bytes(subject.wrapped_key)])
    return key


def known_as(subject: Subject, who: str) -> str:
    """What tells somebody beside her again, under her own key: with it ends what this leads to.

    Raises NotReady where her holder's key is not there.
    """
    spelled = " ".join(who.casefold().split())
    return hmac.digest(own_key(subject), f"beside:{spelled}".encode(), "sha256").hex()


def tag_of(subject: Subject, nonce: bytes) -> bytes:
    """What stands for one person in one entry: only her key can make it again."""
    return tag(own_key(subject), nonce)


def tag_in(subject: Subject, nonce: bytes, *, no: bool) -> tuple[bytes, str]:
    """The tag, and why it leads to nobody where a no is said while her holder's key is not there.

    A no counts also then: its entry says that it is about a person and not which one. Anything else
    raises NotReady.
    """
    try:
        return tag_of(subject, nonce), ""
    except NotReady:
        if not no:
            raise
        return secrets.token_bytes(32), KEY_ABSENT


@dataclass(frozen=True)
class Client:
    """One person whom a holder knows by a client number: her slot, and her own key, opened."""

    slot: int
    key: bytes

    def tag(self, nonce: bytes) -> bytes:
        """What stands for her in one entry."""
        return tag(self.key, nonce)


def client(holder: Organisation, number: str) -> Reading[Client | None]:
    """Whom the holder's own client number leads to. Raises NotReady where its key is absent."""
    digest_key, wrap_key = ring().derived_each(holder.ref, CLIENT_NUMBER, SUBJECT_WRAP)

    def meaning(_vendor: str, rows: Rows) -> Client | None:
        if not rows:
            return None
        slot, wrapped = rows[0]
        try:
            return Client(whole(slot), _opened([AESGCM(wrap_key)], wrapped))
        except NotReady:  # her holder's root is being rotated: every key that opens is asked for
            return Client(whole(slot), unwrap(holder.ref, [wrapped])[0])

    return Reading(CLIENT, [holder.pk, client_digest(digest_key, number)], meaning)


class KeyDestroyed(ValueError):
    """Somebody among them was shredded: no tag of hers can be made again."""


def tags_of(
    holder_ref: str, slots: Sequence[int], nonce: bytes, *, entry: int | None = None
) -> list[bytes]:
    """The tags of many people of one holder in one entry, in the order of their slots.

    `entry`: its key, where it is written already; a shredded person's tag was left beside it then.
    Raises ValueError where a slot is nobody's; KeyDestroyed where somebody was shredded and no tag
    of hers is there.
    """
    wrapped: list[bytes] = []
    ordered = sorted(set(slots))
    for start in range(0, len(ordered), 10_000):
        theirs, values = among("slot", ordered[start : start + 10_000])
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT wrapped_key FROM consent_subject WHERE {theirs} ORDER BY slot",  # noqa: S608 - our own clause
                {"slots": values},
            )
            wrapped.extend(bytes(key) for (key,) in cursor.fetchall())
    if len(wrapped) != len(ordered):
        raise ValueError("A tag is made for people only: a slot is nobody's.")
    gone = [slot for slot, key in zip(ordered, wrapped, strict=True) if not key]
    left = _left(entry, gone)
    if len(left) < len(gone):
        raise KeyDestroyed("A tag is made under a person's key, and one of them is destroyed.")
    made = iter(tags_under(unwrap(holder_ref, filter(None, wrapped)), nonce))
    return [left[slot] if slot in left else next(made) for slot in ordered]


def _left(entry: int | None, gone: Sequence[int]) -> dict[int, bytes]:
    """What stood in this entry for people whose keys are destroyed."""
    if entry is None or not gone:
        return {}
    rows = LeftTag.objects.filter(entry=entry, subject__in=gone)
    return {slot: bytes(value) for slot, value in rows.values_list("subject_id", "tag")}


def tags_under(own_keys: Iterable[bytes], nonce: bytes) -> list[bytes]:
    """The tags of the people whose own keys these are, in the same order."""
    return [tag(key, nonce) for key in own_keys]
