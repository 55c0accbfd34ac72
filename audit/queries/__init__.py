from audit.queries.keys import key_ring, log_verifier
from audit.queries.log import (
    checkpoint_over,
    consistency,
    covered,
    entries,
    inclusion,
    latest_checkpoint,
    log_size,
    proof,
)
from audit.queries.waiting import Waiting, waiting

__all__ = [
    "Waiting",
    "checkpoint_over",
    "consistency",
    "covered",
    "entries",
    "inclusion",
    "key_ring",
    "latest_checkpoint",
    "log_size",
    "log_verifier",
    "proof",
    "waiting",
]
