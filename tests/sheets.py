"""The file a small world's dataset is loaded from, and the mapping that goes with it."""

from collections.abc import Iterable

FIELDS = ("age_band", "region", "visits")
MAPPING = """
reject_share = 0
[person]
columns = [{columns}]
[record]
date = "day"
[[field]]
column = "age_band"
name = "age_band"
type = "text"
category = "{about}"
sensitivity = "quasi"
[[field]]
column = "region"
name = "region"
type = "text"
category = "{helped}"
sensitivity = "quasi"
[[field]]
column = "visits"
name = "visits"
type = "integer"
category = "{helped}"
sensitivity = "process"
[[field]]
column = "story"
name = "story"
type = "text"
category = "{helped}"
sensitivity = "sensitive"
narrative = true
"""


def canary(number: str) -> str:
    """What stands in every row of one client and nowhere else."""
    return f"canary-{number}-violet"


def numbers(count: int) -> list[str]:
    return [f"c-{each}" for each in range(1, count + 1)]


def rows(
    clients: Iterable[str],
    *,
    each: int = 2,
    others: dict[str, str] | None = None,
    day: str = "2025-03-01",
) -> list[str]:
    """Lines of a file: `each` rows for each client; `others` names a second person in her rows."""
    lines = ["client,other,day,age_band,region,visits,story"]
    for number in clients:
        other = (others or {}).get(number, "")
        lines += [
            f"{number},{other},{day},18-24,{canary(number)},{row},told by {canary(number)}"
            for row in range(each)
        ]
    return lines
