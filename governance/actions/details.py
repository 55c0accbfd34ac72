"""Words that staff write beside a deed: sealed beside its entry, which commits to them (ADR 19)."""

import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit import queries as log
from audit.rules import NONCE_SIZE, SEALING, sealed_detail
from governance.models import DataKey, User
from governance.queries.details import NONCE, data_key


def sealed(*, by: User, **said: str) -> dict[str, Any]:
    """What `trail.record` takes beside an entry by this user, within the transaction of its deed.

    Raises NotReady where the service's key is not there: then the log cannot be signed either.
    """
    nonce = secrets.token_bytes(NONCE_SIZE)
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    detail = sealed_detail(_own(by), nonce, secrets.token_bytes(SEALING), text)
    return {"nonce": nonce, "detail": detail}


def _own(by: User) -> bytes:
    """The user's own key; made with the first words."""
    found = data_key(by)
    if found is not None:
        return found
    fresh, nonce = secrets.token_bytes(32), secrets.token_bytes(NONCE)
    wrapped = nonce + AESGCM(log.key_ring().staff_wrap()).encrypt(nonce, fresh, None)
    # Of two first words at once one key stays, and both are sealed under it.
    DataKey.objects.bulk_create([DataKey(user=by, wrapped=wrapped)], ignore_conflicts=True)
    return data_key(by) or fresh
