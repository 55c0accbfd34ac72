"""What a yes needs, how it stands at an instant, and which categories it opens. Pure.

Source: architecture, "The decision, exactly"; R1 (default no), R3 and R6 (elements), R4 (period),
R5 (end − 1 s permits, end denies).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from common.words import joined
from common.words import sentence as _
from consent.vocabulary import (
    LONGEST_AUTHORITY,
    LONGEST_SIGNATURE,
    Element,
    Ending,
    Signer,
    Standing,
)

Slots = NDArray[np.int32]
BLOCK = 8192  # neighbouring slots that belong to one holder

DEFAULT_PERIOD = timedelta(days=90)  # R4: with no date given a yes ends 90 days after signature
QUESTIONS = 7
ALL_WORDS = frozenset({"all", "all information", "everything", "*"})
# The gate asks the database's clock, a yes is stamped by the door's: they may differ by this much.
SKEW = timedelta(minutes=1)
FUTURE_SLACK = timedelta(minutes=5)  # a signature's clock may run a little ahead of ours


@dataclass(frozen=True)
class AuthorityFact:
    """By what somebody else spoke for the person: nothing is in force without its end (R6, R7).

    `disputed`: it is being disputed who may speak for her.
    """

    ends: datetime | None
    ended_at: datetime | None = None
    disputed: bool = False


@dataclass(frozen=True)
class ConsentFact:
    """One consent as it is stored. `versions` are the category versions it covers; `authority` is
    None where she spoke herself."""

    starts: datetime
    ends: datetime
    record_until: date
    versions: frozenset[int]
    paused_at: datetime | None = None
    paused_until: datetime | None = None
    ended_at: datetime | None = None
    ending: Ending | None = None
    authority: AuthorityFact | None = None

    @property
    def lasts_until(self) -> datetime:
        """When it ends by itself: at its end, or at that of the authority of who gave it."""
        if self.authority is None or self.authority.ends is None:
            return self.ends
        return min(self.ends, self.authority.ends)


@dataclass(frozen=True)
class ObjectionFact:
    """One standing no; a field that is None matches anything."""

    recipient: int | None = None
    recipient_kind: str | None = None
    purpose: int | None = None
    category: int | None = None


@dataclass(frozen=True)
class Ask:
    """Who would receive, of which kind, and for what."""

    recipient: int
    recipient_kind: str
    purpose: int


@dataclass(frozen=True)
class Word:
    """One person's whole word on one ask: how it stands, the open versions, up to which record."""

    standing: Standing
    versions: frozenset[int]
    record_until: date | None


@dataclass(frozen=True)
class Yeses:
    """Everybody whose yes in force covers exactly one set of category versions.

    `slots` and `record_until` (days since 1970) are arrays of one length.
    """

    versions: frozenset[int]
    slots: Slots
    record_until: NDArray[np.int32]


@dataclass(frozen=True)
class ConsentSets:
    """Everybody's word to one holder on one ask, in columns.

    Equal, person by person, to `word`. `others`: who has no yes in force, by standing.
    `objected`: who objects to the whole ask; `objected_categories`: to one category of it.
    """

    yeses: tuple[Yeses, ...]
    others: Mapping[Standing, Slots]
    objected: Slots
    objected_categories: Mapping[int, Slots]
    earliest_end: datetime | None


def standing(consent: ConsentFact, since: datetime, until: datetime) -> Standing:
    """How a consent stands for the whole of [since, until]; with since == until, at that instant.

    In force means at every instant of it, so whoever relies on it may act until `until`.
    """
    if consent.ended_at is not None:
        match consent.ending:
            case Ending.WITHDRAWN | Ending.INVALIDATED | Ending.SUPERSEDED | None:
                return Standing.WITHDRAWN
            case never:
                assert_never(never)
    if consent.paused_at is not None and (
        consent.paused_until is None or consent.paused_until > since
    ):
        return Standing.PAUSED
    if consent.authority is not None and consent.authority.disputed:
        return Standing.PAUSED
    if consent.starts > since:
        return Standing.NOT_STARTED
    if consent.ends <= since or consent.ends < until:
        return Standing.EXPIRED
    if consent.authority is not None and not _entitled(consent.authority, since, until):
        return Standing.EXPIRED
    return Standing.IN_FORCE


def _entitled(authority: AuthorityFact, since: datetime, until: datetime) -> bool:
    """Whether an authority is in force at every instant of [since, until]."""
    return (
        authority.ended_at is None
        and authority.ends is not None
        and authority.ends > since
        and authority.ends >= until
    )


def matches(objection: ObjectionFact, ask: Ask) -> bool:
    """Whether a standing no speaks about this ask at all (its category apart)."""
    return (
        objection.recipient in {None, ask.recipient}
        and objection.recipient_kind in {None, ask.recipient_kind}
        and objection.purpose in {None, ask.purpose}
    )


def objects_to_all(objections: Iterable[ObjectionFact], ask: Ask) -> bool:
    """Whether a standing no closes the whole of this ask, whatever the category."""
    return any(each.category is None and matches(each, ask) for each in objections)


def word(
    *,
    consents: Iterable[ConsentFact],
    objections: Iterable[ObjectionFact],
    ask: Ask,
    categories: Mapping[int, int],
    since: datetime,
    until: datetime,
) -> Word:
    """One person's word on one ask.

    `consents`: all of hers to this holder, recipient and purpose. `categories`: the category of
    each category version.
    """
    found = list(consents)
    standings = {standing(consent, since, until) for consent in found} or {Standing.NO_CONSENT}
    if Standing.IN_FORCE not in standings:
        return Word(min(standings, key=list(Standing).index), frozenset(), None)
    against = list(objections)
    if objects_to_all(against, ask):
        return Word(Standing.OBJECTED, frozenset(), None)
    closed = {objection.category for objection in against if matches(objection, ask)}
    (consent,) = (one for one in found if standing(one, since, until) is Standing.IN_FORCE)
    versions = frozenset(
        version for version in consent.versions if categories[version] not in closed
    )
    if not versions:
        return Word(Standing.OBJECTED, frozenset(), None)
    return Word(Standing.IN_FORCE, versions, consent.record_until)


@dataclass(frozen=True)
class Draft:
    """A yes as somebody would like to record it, element by element (R6). Moments as the clocks of the
    place show them, so that a period in days is as long across a change of the clocks."""

    person: bool
    holder: bool
    recipient: bool
    purpose: bool
    categories: tuple[str, ...]
    terms: bool
    terms_published_at: datetime | None
    language: str
    terms_language: str
    answers: str
    signature: str
    signed_at: datetime | None
    starts: datetime | None
    ends: datetime | None
    record_until: date | None
    signer: str
    authority: str
    terms_replaced: bool = False


@dataclass(frozen=True)
class Problem:
    """Why a yes does not come into force: a stable code and a sentence that says what to do."""

    code: str
    message: str


def default_end(signed_at: datetime, longest_days: int) -> datetime:
    """R4: no date given means 90 days after signature, or the purpose's longest if shorter."""
    return signed_at + min(DEFAULT_PERIOD, timedelta(days=longest_days))


def missing(draft: Draft) -> tuple[Element, ...]:
    """The elements of R3 and R6 that are not there, in their order."""
    there: dict[Element, bool] = {
        Element.PERSON: draft.person,
        Element.HOLDER: draft.holder,
        Element.RECIPIENT: draft.recipient,
        Element.PURPOSE: draft.purpose,
        Element.CATEGORIES: bool(draft.categories),
        Element.TERMS: draft.terms,
        Element.LANGUAGE: bool(draft.language),
        Element.ANSWERS: draft.answers == "y" * QUESTIONS,
        Element.SIGNATURE: bool(draft.signature.strip()),
        Element.SIGNED_AT: draft.signed_at is not None,
        Element.ENDS: draft.ends is not None,
        Element.AUTHORITY: draft.signer == Signer.SELF or bool(draft.authority.strip()),
    }
    return tuple(element for element in Element if not there[element])


def speaks_of_all(categories: Iterable[str]) -> bool:
    """R6: whether this is a yes to all information, which is no yes."""
    return not ALL_WORDS.isdisjoint(each.strip().lower() for each in categories)


REMEDIES = {
    Element.PERSON: _("Name the person by the client number under which she is known here."),
    Element.HOLDER: _("Name the organisation that shares."),
    Element.RECIPIENT: _("Name one recipient that Sayso knows; one yes is to one recipient."),
    Element.PURPOSE: _("Name one purpose from the catalogue."),
    Element.CATEGORIES: _("Name the kinds of information one by one."),
    Element.TERMS: _("Name the text that was shown, with its version."),
    Element.LANGUAGE: _("Say in which language the text was shown."),
    Element.ANSWERS: _("All seven questions of informed consent need a yes (yyyyyyy)."),
    Element.SIGNATURE: _("Say where the signed paper lies, or have it signed."),
    Element.SIGNED_AT: _("Say on which day it was signed."),
    Element.ENDS: _("Say on which day sharing ends."),
    Element.AUTHORITY: _("Say which document lets this person sign for her."),
}


def problems(  # noqa: C901 - one line for each reason, read top to bottom
    draft: Draft,
    *,
    at: datetime,
    longest_days: int,
    latest_no: datetime | None,
    latest_yes: datetime | None,
    from_recipient: bool,
    categories_later: bool = False,
    wiped_before: datetime | None = None,
) -> tuple[Problem, ...]:
    """Every reason why this yes cannot come into force; none means it does."""
    found = [
        Problem(
            f"missing_{element}",
            joined([_("%(what)s is missing.", what=element.label), REMEDIES[element]]),
        )
        for element in missing(draft)
    ]
    if speaks_of_all(draft.categories):
        found.append(
            Problem("all_information", _("A yes to all information is no yes. Name each kind."))
        )
    if len(draft.signature) > LONGEST_SIGNATURE:
        found.append(
            Problem(
                "signature_too_long",
                _("Write the signature in %(most)s signs at most.", most=LONGEST_SIGNATURE),
            )
        )
    if len(draft.authority) > LONGEST_AUTHORITY:
        found.append(
            Problem(
                "authority_too_long",
                _("Write the authority in %(most)s signs at most.", most=LONGEST_AUTHORITY),
            )
        )
    if draft.terms_replaced:
        found.append(
            Problem(
                "terms_replaced",
                _("This text is not used any more. A newer one has to be read first."),
            )
        )
    if categories_later:
        found.append(
            Problem("categories_later", _("A kind of information was added after the signing."))
        )
    if from_recipient:
        found.append(
            Problem("recorded_by_recipient", _("Nobody of the recipient may record a yes to it."))
        )
    if draft.signed_at is None or draft.ends is None:
        return tuple(found)
    starts = draft.starts or draft.signed_at
    if draft.signed_at > at + FUTURE_SLACK:
        found.append(Problem("signed_in_future", _("The day of signing lies in the future.")))
    if starts < draft.signed_at:
        found.append(
            Problem("starts_before_signature", _("Sharing cannot start before the signing."))
        )
    if draft.ends <= starts:
        found.append(Problem("ends_before_start", _("The end lies before the start.")))
    if draft.ends - draft.signed_at > timedelta(days=longest_days):
        found.append(
            Problem(
                "too_long",
                _(
                    "For this purpose sharing ends after %(days)s days at most.",
                    days=longest_days,
                ),
            )
        )
    if draft.terms_published_at is not None and draft.terms_published_at > draft.signed_at:
        found.append(Problem("terms_later", _("The text was published after the day of signing.")))
    if draft.terms and draft.language and draft.terms_language != draft.language:
        found.append(
            Problem("terms_language", _("The text was not in the language that was noted."))
        )
    if draft.record_until is not None and draft.record_until > draft.ends.date():
        found.append(Problem("record_after_end", _("The record's last day lies after the end.")))
    if wiped_before is not None and min(draft.signed_at, at) <= wiped_before:
        found.append(
            Problem(
                "older_than_wiping",
                _(
                    "A record was wiped here after this was signed, and this client came later. Ask again."
                ),
            )
        )
    if latest_no is not None and min(draft.signed_at, at) <= latest_no:
        found.append(
            Problem("older_than_no", _("She said no after this was signed. Ask her again."))
        )
    if latest_yes is not None and draft.signed_at < latest_yes:
        found.append(Problem("older_than_yes", _("A newer yes is on record already.")))
    return tuple(found)
