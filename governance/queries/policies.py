"""What decisions rest on, for their policy digests."""

from collections.abc import Collection

from django.db.models import Min

from governance.models import AccessRequest, Charter
from governance.rules.policies import BOARD_RULES, Basis, board_policy


def of_charter(charter: Charter, rules: str = BOARD_RULES) -> str:
    """The policy digest of what a board answers under this charter; `rules`: how votes are counted."""
    return board_policy(
        board=charter.board.ref,
        number=charter.number,
        quorum=charter.quorum,
        survivor_minimum=charter.survivor_minimum,
        threshold_percent=charter.threshold_percent,
        answer_days=charter.answer_days,
        rules=rules,
    )


def basis(request: int) -> Basis:
    """What an answer to this request rests on."""
    return bases([request])[request]


def bases(requests: Collection[int]) -> dict[int, Basis]:
    """What answers to these requests rest on, by the request's key."""
    rows = (
        AccessRequest.objects.filter(pk__in=requests)
        .order_by()
        .annotate(text=Min("agreement__signatures__digest"))
        .values_list(
            *("pk", "purpose__code", "agreement__ref", "text"),
            *("decision__charter__board__ref", "decision__charter__number"),
        )
    )
    return {
        pk: Basis(purpose, agreement, text or "", f"{board}/{number}" if board else "")
        for pk, purpose, agreement, text, board, number in rows
    }
