"""What staff wrote beside their deeds: sealed under a data key of their own, opened for who may read."""

import json
import secrets
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit import queries as log
from audit.rules import opened_detail
from common.errors import NotReady
from common.words import sentence as _
from governance.models import DataKey, User

NONCE = 12


def data_key(user: User) -> bytes | None:
    """The user's own key, opened; nothing for who has written nothing yet. Raises NotReady where the
    service's key is not there or is another one."""
    kept = DataKey.objects.filter(user=user).values_list("wrapped", flat=True).first()
    if kept is None:
        return None
    found, _newest = _unwrapped(bytes(kept))
    return found


def wrapped(key: bytes) -> bytes:
    """A data key as it is kept: under the newest of the service's keys for it."""
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(log.key_ring().staff_wraps()[0]).encrypt(nonce, key, None)


def wrapped_anew(kept: bytes) -> bytes | None:
    """The same key under the newest; None where it is so already. Raises NotReady as `data_key`."""
    found, newest = _unwrapped(kept)
    return None if newest else wrapped(found)


def _unwrapped(kept: bytes) -> tuple[bytes, bool]:
    """The key, and whether the newest of the service's keys opened it."""
    for place, each in enumerate(log.key_ring().staff_wraps()):
        with suppress(InvalidTag):
            return AESGCM(each).decrypt(kept[:NONCE], kept[NONCE:], None), place == 0
    raise NotReady("key_wrong", _("The service's key does not open a data key."))


def opened(entry: int, nonce: bytes, by: User) -> dict[str, str] | None:
    """What `by` wrote beside this entry; nothing where nothing stands there.

    Raises ValueError where it was altered, or is another entry's or somebody else's; NotReady as
    `data_key` does.
    """
    sealed = log.sealed_detail(entry)
    if sealed is None:
        return None
    key = data_key(by)
    if key is None:
        raise ValueError("Whoever has no key has written nothing.")
    found: dict[str, str] = json.loads(opened_detail(key, nonce, sealed))
    return found
