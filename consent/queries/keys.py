"""A person's own key: wrapped by the holder's, opened only to make her tags."""

import secrets
from collections.abc import Iterable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from audit.rules import tag
from common.errors import NotReady
from common.keyring import KeyRing
from common.words import sentence as _
from consent.models import Subject

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
        raise NotReady("key_wrong", _("The holder's key does not open a person's key.")) from error


def tag_of(subject: Subject, nonce: bytes) -> bytes:
    """What stands for one person in one entry: only her key can make it again."""
    (key,) = unwrap(subject.holder.ref, [bytes(subject.wrapped_key)])
    return tag(key, nonce)


def tags_of(holder_ref: str, slots: Sequence[int], nonce: bytes) -> list[bytes]:
    """The tags of many people of one holder in one entry, in no order."""
    wrapped: list[bytes] = []
    for start in range(0, len(slots), 10_000):
        chunk = slots[start : start + 10_000]
        found = Subject.objects.filter(slot__in=chunk).values_list("wrapped_key", flat=True)
        wrapped.extend(bytes(each) for each in found)
    return [tag(key, nonce) for key in unwrap(holder_ref, wrapped)]
