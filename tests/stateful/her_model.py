"""Her word as anybody would write it down: what runs, what waits, what she objects to, who speaks."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Yes:
    kinds: frozenset[int]  # places in the world's categories
    ends: datetime
    day: Any
    hers: bool = True  # she gave it, not one who may speak for her


@dataclass
class Model:
    """What she said, as anybody would write it down."""

    runs: Yes | None = None
    starts: datetime | None = None
    paused: bool = False
    asked: bool = False
    silent_until: datetime | None = None
    waits: tuple[Yes, datetime] | None = None
    against: set[int | None] = field(default_factory=set)  # None: everything
    minor_until: datetime | None = None
    dead: bool = False
    disputed: bool = False
    speaks: bool = False  # somebody may speak for her
    lifting: dict[int | None, datetime] = field(default_factory=dict)

    def opens(self, at: datetime) -> frozenset[int]:
        if self.runs is None or self.paused or at >= self.runs.ends or None in self.against:
            return frozenset()
        if self.disputed and not self.runs.hers:
            return frozenset()
        return self.runs.kinds - {each for each in self.against if each is not None}

    def no(self) -> None:
        """Whatever waits is taken back."""
        self.waits = None

    def alone(self, at: datetime) -> bool:
        """Whether a yes that she gives alone now counts."""
        return not self.dead and (self.minor_until is None or at >= self.minor_until)

    def ends(self) -> None:
        self.runs, self.paused = None, False
