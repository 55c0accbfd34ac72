"""Whose yes counts, as a table: the page docs/reference/speaking.md is drawn from it."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from consent.rules.speaking import PersonFact, SignedFact, SpeakerFact, problems
from consent.vocabulary import Assent, Speaker
from tests.spec.decision import LATER, LONG_AGO, NOW, SECOND

RECIPIENT = 5
SIGNED = NOW - timedelta(hours=1)
PARENT = SpeakerFact(Speaker.PARENT, LONG_AGO, LATER)
GUARDIAN = SpeakerFact(Speaker.GUARDIAN, LONG_AGO, LATER)
ESTATE = SpeakerFact(Speaker.ESTATE, LONG_AGO, LATER)
GROWN = PersonFact()
MINOR = PersonFact(minor_until=LATER)
ALONE = PersonFact(minor_until=LATER, alone=True)
DEAD = PersonFact(died_at=SIGNED - SECOND)


@dataclass(frozen=True)
class Gives:
    """Who she is, who signed, what she said to it, and what stands against the yes."""

    says: str
    rule: str
    person: PersonFact
    speaker: SpeakerFact | None
    assent: Assent | None = None
    against: tuple[str, ...] = ()
    change: dict[str, Any] = field(default_factory=dict)


def _of(speaker: SpeakerFact, **changes: Any) -> SpeakerFact:
    return replace(speaker, **changes)


TABLE = (
    Gives("she herself, of age", "R6", GROWN, None),
    Gives("she herself, a minor", "R7", MINOR, None, against=("minor_not_alone",)),
    Gives("she herself, a minor who decides alone", "R7", ALONE, None),
    Gives(
        "she herself, signed a second before she came of age",
        "R7",
        PersonFact(minor_until=SIGNED + SECOND),
        None,
        against=("minor_not_alone",),
    ),
    Gives("she herself, signed when she came of age", "R7", PersonFact(minor_until=SIGNED), None),
    Gives("a minor's parent, and she signed too", "R7", MINOR, PARENT, Assent.SIGNED),
    Gives("a minor's parent, and she said yes too", "R7", MINOR, PARENT, Assent.SPOKEN),
    Gives(
        "a minor's parent, and she was not asked", "R7", MINOR, PARENT, None, ("assent_missing",)
    ),
    Gives(
        "a minor's parent, and she could not answer",
        "R7",
        MINOR,
        PARENT,
        Assent.UNABLE,
        ("assent_missing",),
    ),
    Gives(
        "a parent of a minor who decides alone",
        "R7",
        ALONE,
        PARENT,
        Assent.SIGNED,
        ("decides_alone",),
    ),
    Gives("a parent of somebody of age", "R7", GROWN, PARENT, Assent.SIGNED, ("not_a_minor",)),
    Gives(
        "a minor's parent, for longer than the authority",
        "R7",
        MINOR,
        _of(PARENT, ends=LATER - SECOND),
        Assent.SIGNED,
        ("longer_than_authority",),
    ),
    Gives("a guardian named by a court", "R8", GROWN, GUARDIAN, Assent.SIGNED),
    Gives("a guardian, and she could not answer", "R8", GROWN, GUARDIAN, Assent.UNABLE),
    Gives("a guardian, and she was not asked", "R8", GROWN, GUARDIAN, None, ("assent_missing",)),
    Gives("a minor's guardian, and she signed too", "R8", MINOR, GUARDIAN, Assent.SIGNED),
    Gives(
        "a minor's guardian, and she could not answer",
        "R8",
        MINOR,
        GUARDIAN,
        Assent.UNABLE,
        ("assent_missing",),
    ),
    Gives(
        "a guardian, signed before the authority began",
        "R6",
        GROWN,
        _of(GUARDIAN, starts=SIGNED + SECOND),
        Assent.SIGNED,
        ("authority_over",),
    ),
    Gives(
        "a guardian whose authority was ended",
        "R6",
        GROWN,
        _of(GUARDIAN, ended_at=LONG_AGO),
        Assent.SIGNED,
        ("authority_over",),
    ),
    Gives(
        "a guardian whose authority ends now",
        "R6",
        GROWN,
        _of(GUARDIAN, ends=NOW),
        Assent.SIGNED,
        ("authority_over",),
        {"ends": NOW},
    ),
    Gives(
        "a guardian whose authority ends a second from now",
        "R6",
        GROWN,
        _of(GUARDIAN, ends=NOW + SECOND),
        Assent.SIGNED,
        change={"ends": NOW + SECOND},
    ),
    Gives(
        "somebody who may never speak for her",
        "R9",
        MINOR,
        _of(PARENT, flagged=True),
        Assent.SIGNED,
        ("may_not_speak",),
    ),
    Gives(
        "a guardian who works for the recipient",
        "R6",
        GROWN,
        _of(GUARDIAN, works_for=RECIPIENT),
        Assent.SIGNED,
        ("signer_from_recipient",),
    ),
    Gives(
        "a guardian who works elsewhere",
        "R6",
        GROWN,
        _of(GUARDIAN, works_for=RECIPIENT + 1),
        Assent.SIGNED,
    ),
    Gives(
        "a minor's parent, while it is disputed who may speak",
        "R7",
        replace(MINOR, disputed=True),
        PARENT,
        Assent.SIGNED,
        ("disputed",),
    ),
    Gives("she herself, while that is disputed", "R7", replace(ALONE, disputed=True), None),
    Gives("her own paper, after she died", "R31", DEAD, None, against=("died",)),
    Gives("a guardian, after she died", "R31", DEAD, GUARDIAN, Assent.SIGNED, ("died",)),
    Gives("who settles what she left, after it", "R31", DEAD, ESTATE, Assent.DIED),
    Gives(
        "who settles what she left, signed before it",
        "R31",
        PersonFact(died_at=SIGNED),
        ESTATE,
        Assent.DIED,
        ("died",),
    ),
    Gives(
        "who settles what she left, while she lives",
        "R31",
        GROWN,
        ESTATE,
        Assent.DIED,
        ("not_died",),
    ),
)


def found(row: Gives) -> tuple[str, ...]:
    """The codes of what the rule says."""
    yes = SignedFact(
        recipient=RECIPIENT,
        signed_at=SIGNED,
        ends=row.change.get("ends", LATER),
        speaker=row.speaker,
        assent=row.assent,
    )
    return tuple(problem.code for problem in problems(yes, row.person, at=NOW))


def page() -> str:
    """docs/reference/speaking.md."""
    lines = [
        "# Whose yes counts, as a table",
        "",
        "Drawn from `tests/spec/speaking.py`; a test fails when this page is not current.",
        "",
        "| who signed | rule | answer |",
        "|---|---|---|",
        *(f"| {row.says} | {row.rule} | {', '.join(row.against) or 'counts'} |" for row in TABLE),
    ]
    return "\n".join(lines) + "\n"
