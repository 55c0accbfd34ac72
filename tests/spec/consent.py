"""How one consent stands at an instant, as a table."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from consent.rules import AuthorityFact, ConsentFact
from consent.vocabulary import Ending, Standing
from tests.spec.decision import LATER, LONG_AGO, NOW, SECOND, UNTIL


@dataclass(frozen=True)
class Stands:
    says: str
    change: dict[str, Any]
    at: Standing
    through: Standing  # for the whole of [NOW, UNTIL]


F, P, X, N, W = (
    Standing.IN_FORCE,
    Standing.PAUSED,
    Standing.EXPIRED,
    Standing.NOT_STARTED,
    Standing.WITHDRAWN,
)

TABLE = (
    Stands("in order", {}, F, F),
    Stands("starts now", {"starts": NOW}, F, F),
    Stands("starts a second from now", {"starts": NOW + SECOND}, N, N),
    Stands("ends a second from now", {"ends": NOW + SECOND}, F, X),
    Stands("ends now", {"ends": NOW}, X, X),
    Stands("ended a second ago", {"ends": NOW - SECOND}, X, X),
    Stands("ends when the interval ends", {"ends": UNTIL}, F, F),
    Stands("ends a second before the interval ends", {"ends": UNTIL - SECOND}, F, X),
    Stands("paused until she resumes", {"paused_at": LONG_AGO}, P, P),
    Stands("paused until later", {"paused_at": LONG_AGO, "paused_until": LATER}, P, P),
    Stands("paused until now", {"paused_at": LONG_AGO, "paused_until": NOW}, F, F),
    Stands(
        "paused until a second from now",
        {"paused_at": LONG_AGO, "paused_until": NOW + SECOND},
        P,
        P,
    ),
    Stands("another's authority is in force", {"authority": AuthorityFact(LATER)}, F, F),
    Stands(
        "another's authority ends a second from now",
        {"authority": AuthorityFact(NOW + SECOND)},
        F,
        X,
    ),
    Stands("another's authority ends now", {"authority": AuthorityFact(NOW)}, X, X),
    Stands("another's authority ends with the interval", {"authority": AuthorityFact(UNTIL)}, F, F),
    Stands(
        "another's authority was ended",
        {"authority": AuthorityFact(LATER, ended_at=LONG_AGO)},
        X,
        X,
    ),
    Stands("of another's authority nothing is known", {"authority": AuthorityFact(None)}, X, X),
    Stands(
        "it is disputed who may speak for her",
        {"authority": AuthorityFact(LATER, disputed=True)},
        P,
        P,
    ),
    *(
        Stands(f"ended: {ending.label}", {"ended_at": LONG_AGO, "ending": ending}, W, W)
        for ending in Ending
    ),
)


def fact(row: Stands) -> ConsentFact:
    given = {
        "starts": LONG_AGO,
        "ends": LATER,
        "record_until": (NOW - timedelta(days=1)).date(),
        "versions": frozenset({11}),
        **row.change,
    }
    return ConsentFact(**given)
