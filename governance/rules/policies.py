"""By which rules a decision was made: what the policy digest of its entry covers. Pure.

Only what never changes once it is decided by, so that anybody can make the digest again later.
"""

from dataclasses import dataclass

from audit.rules import policy_digest

# Raised by one whenever `rules.charters` comes to answer otherwise than before.
BOARD_RULES = 1


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
    rules: int = BOARD_RULES,
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
