"""Bands: how many people, said so that a small or changing number tells on nobody."""

SMALLEST = 11
"""The least number that is ever told apart from fewer."""

UPPER = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000)


def edges(count: int) -> tuple[int, int]:
    """The lowest and highest count of the band that `count` lies in; 0 as highest means no end."""
    if count < 0:
        raise ValueError("Nobody counts below nothing.")
    if count < SMALLEST:
        return 0, SMALLEST - 1
    lowest = SMALLEST
    for highest in UPPER:
        if count <= highest:
            return lowest, highest
        lowest = highest + 1
    return lowest, 0


def band(count: int) -> str:
    """The band in English, as packages and machines get it: `fewer than 11`, `11–50`, …"""
    lowest, highest = edges(count)
    if not lowest:
        return f"fewer than {SMALLEST}"
    if not highest:
        return f"more than {lowest - 1:,}"
    return f"{lowest:,}–{highest:,}"
