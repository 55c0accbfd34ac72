"""One sharing, and one sending, as a page shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never

from django.utils import timezone
from django.utils.translation import gettext as _

from consent.queries.keeping import until
from consent.queries.proposals import Asked
from consent.queries.sharing import Sharing
from consent.queries.speaking import Hers
from consent.vocabulary import Ending, Standing
from portal import words
from portal.places import Place, Places
from release.queries.inquiries import AskedAbout
from release.queries.recalls import Standing as Recalled
from release.queries.uses import WhereItWent
from release.rules.timing import DELETE_WITHIN, delete_by
from release.vocabulary import Ground, VoidGround


@dataclass(frozen=True)
class Card:
    """`look` picks shape and colour beside the word: on, paused or ended."""

    sharing: Sharing
    place: Place
    look: str
    word: str

    @property
    def ref(self) -> str:
        return self.sharing.consent.ref

    @property
    def running(self) -> bool:
        """Whether there is something to stop: not ended, whether or not anything goes out today."""
        return self.sharing.standing not in {
            Standing.WITHDRAWN,
            Standing.EXPIRED,
            Standing.NO_CONSENT,
        }

    @property
    def can_pause(self) -> bool:
        return self.sharing.standing in {Standing.IN_FORCE, Standing.NOT_STARTED}

    @property
    def can_resume(self) -> bool:
        return self.sharing.standing == Standing.PAUSED and not self.sharing.disputed

    @property
    def on_hold(self) -> bool:
        """Whether it waits, and not by her word: it is being settled who may speak for her."""
        return self.sharing.standing == Standing.PAUSED and self.sharing.disputed

    @property
    def speaker(self) -> str:
        """Who said yes for her; empty where she did."""
        spoken = self.sharing.spoken
        return "" if spoken is None else words.speaker(spoken.representative.kind)

    @property
    def assent(self) -> str:
        """What she herself said to it."""
        return "" if self.sharing.spoken is None else words.assent(self.sharing.spoken.assent)

    @property
    def replaced(self) -> bool:
        return self.sharing.consent.ending == Ending.SUPERSEDED

    @property
    def ended_at(self) -> datetime:
        return self.sharing.consent.ended_at or self.sharing.until

    @property
    def delete_by(self) -> datetime:
        """By when they must have deleted it, if nothing ends it sooner."""
        return delete_by(self.sharing.until, self.sharing.kept_until)


@dataclass(frozen=True)
class Ask:
    """One ask for a yes, as a page shows it."""

    asked: Asked
    place: Place

    @property
    def ref(self) -> str:
        return self.asked.ref

    @property
    def delete_days(self) -> int:
        """Days after its end within which they must delete it."""
        return DELETE_WITHIN.days

    @property
    def kept_until(self) -> datetime | None:
        """Until when they may keep what they got, where the text names a day."""
        return until(self.asked.proposal.terms.keep_until)


def ask(asked: Asked, places: Places) -> Ask:
    return Ask(asked=asked, place=places.of(asked.recipient))


def card(sharing: Sharing, places: Places) -> Card:
    look, word = _state(sharing)
    return Card(sharing=sharing, place=places.of(sharing.recipient), look=look, word=word)


def _state(sharing: Sharing) -> tuple[str, str]:
    match sharing.standing:
        case Standing.IN_FORCE:
            return "on", _("Sharing")
        case Standing.PAUSED:
            return "paused", _("On hold") if sharing.disputed else _("Paused")
        case Standing.NOT_STARTED:
            return "paused", _("Not started yet")
        case Standing.OBJECTED:
            return "ended", _("Not shared: you said no")
        case Standing.EXPIRED | Standing.NO_CONSENT:
            return "ended", _("Ended")
        case Standing.WITHDRAWN:
            return _how_ended(sharing)
        case never:
            assert_never(never)


def _how_ended(sharing: Sharing) -> tuple[str, str]:
    ending = sharing.consent.ending
    if sharing.reworded:
        return "ended", _("Ended: there is a newer text")
    if ending == Ending.SUPERSEDED:
        return "ended", _("Replaced by a newer yes")
    if ending == Ending.INVALIDATED:
        return "ended", _("Was not valid")
    return "ended", _("Stopped")


@dataclass(frozen=True)
class Others:
    """Who may speak for her at one place, as her page shows it: what they are, and until when."""

    hers: Hers
    speakers: Sequence[tuple[str, datetime]]


def others(hers: Hers) -> Others:
    return Others(hers, [(words.speaker(each.kind), each.ends) for each in hers.speakers])


@dataclass(frozen=True)
class Sent:
    """One answer in which her record was looked at, as her history shows it.

    `blocked`: why what is not yet picked up may not be picked up any more; empty where it may.
    `recalls`: what they were asked to delete of it, oldest first.
    """

    use: WhereItWent
    place: Place
    look: str
    word: str
    blocked: str
    recalls: Sequence[Recalled] = ()

    @property
    def month(self) -> date:
        return timezone.localtime(self.use.at).date().replace(day=1)

    @property
    def picked_up_on(self) -> list[date]:
        """The days on which they fetched it; a package is fetched in many pieces."""
        return sorted({timezone.localtime(at).date() for at in self.use.picked_up_at})


def sent(
    use: WhereItWent,
    places: Places,
    standings: Mapping[str, Standing],
    at: datetime,
    recalls: Sequence[Recalled] = (),
) -> Sent:
    """`standings`: how each of her yeses stands now, by its reference."""
    blocked = _blocked(use, standings, at) if use.sent else ""
    look, word = _how_it_went(use, blocked)
    return Sent(use, places.of(use.recipient), look, word, blocked, recalls)


@dataclass(frozen=True)
class Question:
    """One time that somebody asked whether they may send what is hers, and was answered."""

    asked: AskedAbout
    place: Place

    @property
    def month(self) -> date:
        return timezone.localtime(self.asked.at).date().replace(day=1)

    @property
    def look(self) -> str:
        return "on" if self.asked.permitted else "ended"

    @property
    def word(self) -> str:
        return _("Answer: yes") if self.asked.permitted else _("Answer: no")


def question(asked: AskedAbout, places: Places) -> Question:
    return Question(asked=asked, place=places.of(asked.recipient))


def _how_it_went(use: WhereItWent, blocked: str) -> tuple[str, str]:
    if not use.sent:
        return "ended", _("Kept back")
    if use.picked_up_at:
        return "on", _("Picked up")
    if blocked:
        return "ended", _("Blocked")
    return "paused", _("Ready, not picked up")


def _blocked(use: WhereItWent, standings: Mapping[str, Standing], at: datetime) -> str:
    """The gate asks again at every hand-over; this says what it would answer about her word."""
    standing = standings.get(use.consent.ref, Standing.NO_CONSENT) if use.consent else None
    if standing is not None and standing != Standing.IN_FORCE:
        return Ground(standing.value).value
    if use.void:
        return use.release.void_ground or ""
    if use.release.good_until is not None and use.release.good_until <= at:
        return VoidGround.CONSENT_ENDED.value
    return ""
