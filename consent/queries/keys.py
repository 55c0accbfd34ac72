"""A person's own key: wrapped by the holder's, opened only to make her tags."""

import secrets
from collections.abc import Iterable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connection

from audit.rules import tag
from common.errors import NotReady
from common.keyring import KeyRing
from consent.models import Subject
from consent.queries.columns import among

NONCE = 12


def ring() -> KeyRing:
    return KeyRing(settings.SAYSO_KEYS, may_create=settings.DEMO)


def new_wrapped_keys(holder_ref: str, count: int) -> list[bytes]:
    """`count` fresh 32-byte keys, each wrapped by AES-256-GCM under the holder's key."""
    wrapper = AESGCM(ring().derived(holder_ref, "subject-wrap"))
    randomness = secrets.token_bytes(count * (NONCE + 32))
    step = NONCE + 32
    pieces = (randomness[start : start + step] for start in range(0, len(randomness), step))
    return [piece[:NONCE] + wrapper.encrypt(piece[:NONCE], piece[NONCE:], None) for piece in pieces]


def unwrap(holder_ref: str, wrapped: Iterable[bytes]) -> list[bytes]:
    """The people's keys. Raises NotReady where the holder's key is missing or is another one."""
    wrapper = AESGCM(ring().derived(holder_ref, "subject-wrap"))
    try:
        return [wrapper.decrypt(bytes(each[:NONCE]), bytes(each[NONCE:]), None) for each in wrapped]
    except InvalidTag as error:
        raise NotReady("key_wrong", "The holder's key does not open a person's key.") from error


def tag_of(subject: Subject, nonce: bytes) -> bytes:
    """What stands for one person in one entry: only her key can make it again."""
    (key,) = unwrap(subject.holder.ref, [bytes(subject.wrapped_key)])
    return tag(key, nonce)


def tags_of(holder_ref: str, slots: Sequence[int], nonce: bytes) -> list[bytes]:
    """The tags of many people of one holder in one entry, in the order of their slots.

    Raises ValueError where a slot is nobody's.
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
    return tags_under(holder_ref, wrapped, nonce)


def tags_under(holder_ref: str, wrapped: Iterable[bytes], nonce: bytes) -> list[bytes]:
    """The tags of the people these wrapped keys belong to, in the same order."""
    return [tag(key, nonce) for key in unwrap(holder_ref, wrapped)]
