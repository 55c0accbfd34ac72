"""Which key the log signs with; the key itself lies outside the database."""

from django.conf import settings

from audit.tlog.notes import Signer, Verifier
from common.keyring import KeyRing


def key_ring() -> KeyRing:
    return KeyRing(settings.SAYSO_KEYS, may_create=settings.DEMO)


def log_verifier() -> Verifier:
    """The public half of the log's key; `NotReady` where the key is not there."""
    return Signer(settings.LOG_ORIGIN, key_ring().log_seed()).verifier


def log_verifiers() -> list[Verifier]:
    """The present key first, then every one that signed before it, newest first."""
    past = [Verifier(settings.LOG_ORIGIN, public) for public in key_ring().log_past()]
    return [log_verifier(), *reversed(past)]
