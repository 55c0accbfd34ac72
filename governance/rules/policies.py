"""By which rules a decision was made: what the policy digest of its entry covers. Pure.

Only what never changes once it is decided by, so that anybody can make the digest again later.
"""

from dataclasses import dataclass

from audit.rules import policy_digest
from common import sources

# How votes are counted. No number stands here that somebody could forget to raise: the digest is
# made from what these modules say when the process begins.
BOARD_MODULES = ("governance.rules.charters",)
BOARD_RULES = sources.digest(BOARD_MODULES)
# What they said in each version that was given out, the latest last; "1" was a number. Entries are
# held against these, so that rules which nobody gave out are named.
BOARD_PUBLISHED = (
    "1",
    "f2990019ad56754d06539a92e10ef3f7ee4915580c83c3875cd6d2edd5e2dd37",
)


@dataclass(frozen=True)
class Basis:
    """What an answer about rows rests on: a purpose's code, an agreement's reference and the digest of
    its signed text, and the board and number of the charter that the request was approved under
    (empty where no board has answered)."""

    purpose: str
    agreement: str
    text: str
    charter: str


def board_policy(
    *,
    board: str,
    number: int,
    quorum: int,
    survivor_minimum: int,
    threshold_percent: int,
    answer_days: int,
    rules: str = BOARD_RULES,
) -> str:
    """What a board's answer was established by: its charter, and how votes are counted under it."""
    return policy_digest(
        {
            "rules": f"board/{rules}",
            "board": board,
            "charter": number,
            "quorum": quorum,
            "survivor_minimum": survivor_minimum,
            "threshold_percent": threshold_percent,
            "answer_days": answer_days,
        }
    )
