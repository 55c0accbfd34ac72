"""What the closing line of the demonstration says, and whether all of it held."""

import time
from dataclasses import dataclass, field
from typing import Any

TRUE = (
    "refused_after_suspension",
    "void_after_withdrawal",
    "withdrawn_person_present_before",
    "independent_check",
    "log_verified",
    "file_sha256_matches",
)
GENERATED = "yes_stays_where_it_was_given"  # played only where the world's files are generated


@dataclass
class Facts:
    """What the closing line says."""

    seed: int
    started: float = field(default_factory=time.monotonic)
    values: dict[str, Any] = field(default_factory=dict)

    def line(self) -> dict[str, Any]:
        return {
            **self.values,
            "seed": self.seed,
            "seconds": round(time.monotonic() - self.started, 1),
        }

    def holds(self) -> bool:
        found = self.values
        return (
            all(found[name] for name in TRUE)
            and found.get(GENERATED, True)
            and not found["withdrawn_person_present_after"]
            and found["released_rows"] > 0
            and found["released_after_withdrawal"]
            == found["released_rows"] - found["withdrawn_person_rows"]
        )
