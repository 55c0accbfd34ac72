"""Which key the log signs with; the key itself lies outside the database."""

from datetime import datetime

from django.conf import settings

from audit.tlog.cosignatures import QuantumCosigningKey
from audit.tlog.notes import Signer, Signs, Verifier
from common.keyring import KeyRing


def key_ring() -> KeyRing:
    return KeyRing(settings.SAYSO_KEYS, may_create=settings.DEMO)


def log_signers(at: datetime) -> tuple[Signs, ...]:
    """The log's own keys, in the order of their lines; `NotReady` where the key is not there."""
    ring = key_ring()
    first = Signer(settings.LOG_ORIGIN, ring.log_seed())
    return (first, log_second(at)) if settings.LOG_MLDSA else (first,)


def log_second(at: datetime) -> QuantumCosigningKey:
    """The log's ML-DSA-44 key (C2SP tlog-cosignature), about to sign at this moment."""
    seed = key_ring().log_second_seed()
    return QuantumCosigningKey(settings.LOG_ORIGIN, seed, int(at.timestamp()))


def own_signer(what: str) -> Signer:
    """The log's key under the name of something else that it signs.

    Such a note begins with that name, and a head with the log's own: neither passes for the other.
    """
    return Signer(f"{settings.LOG_ORIGIN}/{what}", key_ring().log_seed())


def log_verifier() -> Verifier:
    """The public half of the log's key; `NotReady` where the key is not there."""
    return Signer(settings.LOG_ORIGIN, key_ring().log_seed()).verifier


def log_verifiers() -> list[Verifier]:
    """The present key first, then every one that signed before it, newest first."""
    past = [Verifier(settings.LOG_ORIGIN, public) for public in key_ring().log_past()]
    return [log_verifier(), *reversed(past)]
