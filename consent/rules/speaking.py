"""Whose yes counts: her own, or that of one who may speak for her. Pure.

Source: R6 (signer's authority), R7 (minors), R8 (guardians), R9 (who may never), R31 (after death).
"""

from dataclasses import dataclass
from datetime import datetime

from common.words import Sentence, joined
from common.words import sentence as _
from consent.rules import Problem
from consent.vocabulary import Assent, Speaker

HERSELF = (Assent.SIGNED, Assent.SPOKEN)
"""What counts as her own assent."""


@dataclass(frozen=True)
class PersonFact:
    """What is known of the person: until when she is a minor, whether she may decide alone all the
    same, since when she is dead, and whether it is disputed who speaks for her."""

    minor_until: datetime | None = None
    alone: bool = False
    died_at: datetime | None = None
    disputed: bool = False


@dataclass(frozen=True)
class SpeakerFact:
    """One who may speak for her, and by which authority."""

    kind: Speaker
    starts: datetime
    ends: datetime
    ended_at: datetime | None = None
    flagged: bool = False
    works_for: int | None = None


@dataclass(frozen=True)
class SignedFact:
    """The yes as it was signed: by her (`speaker` None) or for her, and what she said to it."""

    recipient: int
    signed_at: datetime
    ends: datetime
    speaker: SpeakerFact | None = None
    assent: Assent | None = None


SENTENCES: dict[str, Sentence] = {
    "died": _("She has died. Only who settles what she left may say yes, after that day."),
    "not_died": _("The estate speaks only after a death that is recorded here."),
    "minor_not_alone": _("She is a minor. One parent or guardian has to say yes too."),
    "decides_alone": _("She may decide this alone, so nobody says yes for her."),
    "not_a_minor": _("A parent speaks only for somebody who is recorded as a minor."),
    "may_not_speak": _("This person cannot say yes here."),
    "authority_over": _("The authority of who signed was not in force when this was signed."),
    "longer_than_authority": _("This would last longer than the authority of who signed."),
    "signer_from_recipient": _("Nobody of the recipient may say yes to it for her."),
    "disputed": _("It is disputed who may speak for her. Wait until that is settled."),
    "assent_missing": _("Ask her too, and say what she answered."),
}


def problems(yes: SignedFact, person: PersonFact, *, at: datetime) -> tuple[Problem, ...]:
    """Everything that stands against this yes because of who gave it; none: nothing does."""
    codes = _alone(yes, person) if yes.speaker is None else _spoken(yes, yes.speaker, person, at)
    return tuple(Problem(code, joined([SENTENCES[code]])) for code in codes)


def _alone(yes: SignedFact, person: PersonFact) -> list[str]:
    codes = []
    if person.died_at is not None:
        codes.append("died")
    if is_minor(person, yes.signed_at) and not person.alone:
        codes.append("minor_not_alone")
    return codes


def _spoken(yes: SignedFact, speaker: SpeakerFact, person: PersonFact, at: datetime) -> list[str]:
    minor = is_minor(person, yes.signed_at)
    dead = person.died_at is not None
    after = person.died_at is not None and yes.signed_at > person.died_at
    estate = speaker.kind is Speaker.ESTATE
    stands = {
        "may_not_speak": speaker.flagged,
        "authority_over": speaker.ended_at is not None
        or not speaker.starts <= yes.signed_at < speaker.ends
        or speaker.ends <= at,
        "longer_than_authority": yes.ends > speaker.ends,
        "signer_from_recipient": speaker.works_for == yes.recipient,
        "disputed": person.disputed,
        "died": dead and not (estate and after),
        "not_died": estate and not dead,
        "decides_alone": not dead and minor and person.alone,
        "not_a_minor": not dead and speaker.kind is Speaker.PARENT and not minor,
        "assent_missing": yes.assent not in _enough(speaker.kind, minor=minor),
    }
    return [code for code, there in stands.items() if there]


def _enough(kind: Speaker, *, minor: bool) -> tuple[Assent, ...]:
    """Which answers of hers are enough: a minor's own yes is never done without."""
    if kind is Speaker.ESTATE:
        return (Assent.DIED,)
    if kind is Speaker.GUARDIAN and not minor:
        return (*HERSELF, Assent.UNABLE)
    return HERSELF


def is_minor(person: PersonFact, at: datetime) -> bool:
    """A second before the day she is; from its beginning on she is not."""
    return person.minor_until is not None and at < person.minor_until


def authority_ends(until: datetime, person: PersonFact, at: datetime) -> datetime:
    """When an authority ends: by its own paper, and at majority at the latest (R7)."""
    if person.minor_until is None or not is_minor(person, at):
        return until
    return min(until, person.minor_until)


def cannot_begin(kind: Speaker, person: PersonFact, at: datetime) -> Problem | None:
    """Why nobody of this kind can speak for her now; None where one can."""
    minor, dead = is_minor(person, at), person.died_at is not None
    stands = {
        "died": dead and kind is not Speaker.ESTATE,
        "not_died": not dead and kind is Speaker.ESTATE,
        "not_a_minor": not dead and kind is Speaker.PARENT and not minor,
        "decides_alone": not dead and minor and person.alone,
    }
    found = next((code for code, there in stands.items() if there), None)
    return None if found is None else Problem(found, joined([SENTENCES[found]]))
