"""One thing the doctor looked at."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    LOOK = "look"  # works, but somebody should think about it
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and what to do where it is not well."""

    check: str
    level: Level
    says: str
    do: str = ""

    def line(self) -> dict[str, str]:
        return asdict(self)


def well(check: str, says: str) -> Finding:
    return Finding(check, Level.OK, says)


def look(check: str, says: str, do: str) -> Finding:
    return Finding(check, Level.LOOK, says, do)


def bad(check: str, says: str, do: str) -> Finding:
    return Finding(check, Level.BAD, says, do)
