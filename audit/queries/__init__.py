from audit.queries.details import sealed_detail, sealed_details
from audit.queries.keys import (
    key_ring,
    log_second,
    log_signers,
    log_verifier,
    log_verifiers,
    own_signer,
)
from audit.queries.log import (
    checkpoint_over,
    consistency,
    covered,
    entries,
    entry_about,
    inclusion,
    latest_checkpoint,
    log_size,
    root_at,
)
from audit.queries.tiles import entry_bundle, tile_hashes
from audit.queries.waiting import Waiting, waiting
from audit.queries.witnesses import (
    Standing,
    head_over,
    note_with,
    proof,
    standings,
    waits_since,
    witnessed_head,
)

__all__ = [
    "Standing",
    "Waiting",
    "checkpoint_over",
    "consistency",
    "covered",
    "entries",
    "entry_about",
    "entry_bundle",
    "head_over",
    "inclusion",
    "key_ring",
    "latest_checkpoint",
    "log_second",
    "log_signers",
    "log_size",
    "log_verifier",
    "log_verifiers",
    "note_with",
    "own_signer",
    "proof",
    "root_at",
    "sealed_detail",
    "sealed_details",
    "standings",
    "tile_hashes",
    "waiting",
    "waits_since",
    "witnessed_head",
]
