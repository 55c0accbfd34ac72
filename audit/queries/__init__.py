from audit.queries.keys import key_ring, log_verifier, log_verifiers
from audit.queries.log import (
    checkpoint_over,
    consistency,
    covered,
    entries,
    entry_about,
    inclusion,
    latest_checkpoint,
    log_size,
    proof,
    root_at,
)

__all__ = [
    "checkpoint_over",
    "consistency",
    "covered",
    "entries",
    "entry_about",
    "inclusion",
    "key_ring",
    "latest_checkpoint",
    "log_size",
    "log_verifier",
    "log_verifiers",
    "proof",
    "root_at",
]
