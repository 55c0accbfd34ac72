"""Making ready, before any lock is held, everything that an import writes."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.tlog.subjects import subjects_root
from common import ids
from common.rows import Columns, reserved
from consent import rules
from consent.actions.papers.judging import Key, Yes
from consent.actions.sets import CategorySets, category_sets
from consent.models import Consent, ConsentEvent
from consent.queries import keys, words
from consent.vocabulary import Ending, Happening
from governance.models import Organisation, User

# What is known of a consent before the locks are held, and what only under them.
BEFORE = Columns(
    Consent,
    *("ref", "subject", "holder", "recipient", "purpose", "terms", "channel", "signer"),
    *("authority", "signature", "answers", "signed_at", "recorded_by", "starts", "ends"),
    "record_until",
)
UNDER = Columns(Consent, "category_set", "recorded_at", "ended_at", "ending")
WHOLE = Columns(Consent, "id", *BEFORE.names, *UNDER.names)
EVENT = Columns(ConsentEvent, "happening", "at", "by", "entry", "consent")


@dataclass(frozen=True)
class Row:
    """One consent as it will stand: its cells, the digest of its categories, whether it runs."""

    cells: tuple[Any, ...]
    digest: str
    current: bool


@dataclass(frozen=True)
class Ready:
    """An import in full, but for the instant at which it happens."""

    newest: Mapping[Key, Yes]
    slots: tuple[int, ...]
    nonce: bytes
    root: bytes
    beside: bytes
    sets: CategorySets
    rows: tuple[Row, ...]

    @property
    def replaced_inside(self) -> int:
        """How many of the yeses another one in the same file replaces."""
        return sum(not row.current for row in self.rows)


def made_ready(holder: Organisation, yeses: Sequence[Yes]) -> Ready:
    """What these yeses are written as. Raises NotReady where the holder's key is missing."""
    newest: dict[Key, Yes] = {}
    for yes in sorted(yeses, key=lambda each: (each.signed_at, each.line)):
        newest[yes.key] = yes
    slots = sorted({yes.slot for yes in yeses})
    nonce = secrets.token_bytes(16)
    sets = category_sets(
        {(yes.signed_at, frozenset(c.pk for c in yes.categories)) for yes in yeses}
    )
    return Ready(
        newest=newest,
        slots=tuple(slots),
        nonce=nonce,
        root=subjects_root(keys.tags_of(holder.ref, slots, nonce)),
        beside=words.together(_said(holder, yeses, sets)),
        sets=sets,
        rows=tuple(_row(holder, yes, sets, current=newest[yes.key] is yes) for yes in yeses),
    )


def _said(
    holder: Organisation, yeses: Sequence[Yes], sets: CategorySets
) -> Iterator[dict[str, str]]:
    """What each of them will say, for their entry commits to it."""
    categories = words.of_versions(sets.versions)
    texts = {terms.pk: words.text(terms) for terms in {yes.terms for yes in yeses}}
    for yes in yeses:
        yield words.yes(
            slot=yes.slot,
            holder=holder.ref,
            recipient=yes.recipient.ref,
            purpose=yes.purpose.code,
            categories=categories[_digest(yes, sets)],
            terms=texts[yes.terms.pk],
            manner=(yes.channel, yes.signer, "y" * rules.QUESTIONS),
            signed_at=yes.signed_at,
            starts=yes.starts,
            ends=yes.ends,
            record_until=yes.record_until,
        )


def _digest(yes: Yes, sets: CategorySets) -> str:
    return sets.digest_of(yes.signed_at, frozenset(c.pk for c in yes.categories))


def _row(holder: Organisation, yes: Yes, sets: CategorySets, *, current: bool) -> Row:
    cells = BEFORE.adapted(
        *(ids.consent_reference(), yes.slot, holder.pk, yes.recipient.pk, yes.purpose.pk),
        *(yes.terms.pk, yes.channel, yes.signer, yes.authority, yes.signature),
        *("y" * rules.QUESTIONS, yes.signed_at, yes.recorded_by.pk, yes.starts, yes.ends),
        yes.record_until,
    )
    return Row(cells, _digest(yes, sets), current)


def write(ready: Ready, older: Sequence[int], *, by: User, at: datetime, entry: int) -> None:
    """The consents and their events, within the deed's transaction. `older`: whom they replace."""
    numbers = reserved(Consent, len(ready.rows))
    under = {
        (digest, current): UNDER.adapted(
            pk, at, None if current else at, None if current else Ending.SUPERSEDED
        )
        for digest, pk in ready.sets.stored().items()
        for current in (True, False)
    }
    WHOLE.insert(
        (number, *row.cells, *under[row.digest, row.current])
        for number, row in zip(numbers, ready.rows, strict=True)
    )
    given, superseded = (
        EVENT.adapted(what, at, by.pk, entry, None)[:-1]
        for what in (Happening.GIVEN, Happening.SUPERSEDED)
    )
    replaced = [pk for pk, row in zip(numbers, ready.rows, strict=True) if not row.current]
    EVENT.insert(
        (*what, pk)
        for what, which in ((given, numbers), (superseded, [*older, *replaced]))
        for pk in which
    )
