"""What staff wrote beside their deeds: sealed under a data key of their own, opened for who may read."""

import json

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
    wrapped = DataKey.objects.filter(user=user).values_list("wrapped", flat=True).first()
    if wrapped is None:
        return None
    sealed = bytes(wrapped)
    wrapper = AESGCM(log.key_ring().staff_wrap())
    try:
        return wrapper.decrypt(sealed[:NONCE], sealed[NONCE:], None)
    except InvalidTag as error:
        raise NotReady("key_wrong", _("The service's key does not open a data key.")) from error


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
