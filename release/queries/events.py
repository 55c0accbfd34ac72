"""What one line of a person's own list holds, and which entries of the log are hers."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from audit.queries import facts as log
from audit.queries.facts import EntryFacts
from audit.rules import tag
from consent.models import Consent, Subject
from consent.queries import keys, tags
from governance.models import DataCategory, Organisation, Purpose, User
from release.queries.uses import What
from release.vocabulary import Deed, Ground


@dataclass(frozen=True)
class Event:
    """One thing that happened, and the entry that says so.

    `word`: what she said, as the log's entries of it are called. `release`: the one it was in, by
    primary key. `request`: under which asking, by reference. `later`: the entry that bears her tag
    where `entry` bears none, for her key was away. No `entry`: nobody can tell which one is hers.
    `worker`: who helps, looked or is kept away. `kind`: what the word alone does not say, as the
    vocabulary has it.
    """

    deed: Deed
    at: datetime
    subject: Subject
    entry: int | None
    recipient: Organisation | None = None
    purpose: Purpose | None = None
    what: tuple[What, ...] = ()
    ground: Ground | None = None
    consent: Consent | None = None
    permitted: bool | None = None
    request: str = ""
    word: str = ""
    release: int | None = None
    later: int | None = None
    worker: User | None = None
    kind: str = ""

    @property
    def categories(self) -> tuple[DataCategory, ...]:
        return tuple(each.category for each in self.what)


def hers(
    subject: Subject, types: Collection[str], times: Collection[datetime]
) -> Iterator[tuple[EntryFacts, int | None]]:
    """The entries of these instants that are about her: they bear her tag, or wait for it, or a later
    one bears it."""
    yield from _borne(subject, log.at_time(types, times))


def within(
    subject: Subject, type_: str, actor: str, since: datetime, until: datetime
) -> Iterator[tuple[EntryFacts, int | None]]:
    """The same of one type by one actor, from one instant up to another."""
    yield from _borne(subject, log.within(type_, actor, since, until))


def _borne(
    subject: Subject, entries: Collection[EntryFacts]
) -> Iterator[tuple[EntryFacts, int | None]]:
    late = tags.of(subject)
    own = keys.own_key(subject)
    for entry in entries:
        if entry.pk in late or tag(own, entry.nonce).hex() == entry.resource:
            yield entry, late.get(entry.pk)
