"""Everybody's word on one ask, read in columns; the meaning stands in `consent.rules.word`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
from django.db.models import Min

from consent.models import CategorySetItem, SlotBlock, Spoken
from consent.queries.columns import NOBODY, Reading, among, moment, read
from consent.rules import BLOCK, Ask, ConsentSets, Slots, Yeses
from consent.vocabulary import Signer, Standing

# Each clause has its own test that removes it and sees the set come out wrong. None may ever be
# NULL: whoever is not in force is asked for with NOT, and NOT NULL is nobody.
ASKED: Mapping[str, str] = {
    "holder": "holder_id = %(holder)s",
    "recipient": "recipient_id = %(recipient)s",
    "purpose": "purpose_id = %(purpose)s",
}
RUNNING: Mapping[str, str] = {"not_ended": "ended_at IS NULL"}
ENDED: Mapping[str, str] = {"ended": "ended_at IS NOT NULL"}
IN_FORCE: Mapping[str, str] = {
    "started": "starts <= %(since)s",
    "not_over": "ends > %(since)s",
    "lasts": "ends >= %(until)s",
    "not_paused": (
        "(paused_at IS NULL OR (paused_until IS NOT NULL AND paused_until <= %(since)s))"
    ),
}
# Why a running yes is not in force; what is left has run out.
NOT_YET: Mapping[Standing, str] = {
    Standing.PAUSED: (
        "paused_at IS NOT NULL AND (paused_until IS NULL OR paused_until > %(since)s)"
    ),
    Standing.NOT_STARTED: "starts > %(since)s",
}
# Yeses that somebody else gave, by a small index of their own (bench/consent_set.py): whoever of these
# is not entitled is out. What is not known of an authority is none.
SPOKEN = (
    "g.signer = 'guardian' AND g.ended_at IS NULL AND g.recipient_id = %(recipient)s"
    " AND g.purpose_id = %(purpose)s AND g.holder_id = %(holder)s"
)
SPEAKING: Mapping[str, str] = {
    "speaker_not_ended": "r.ended_at IS NULL",
    "speaker_not_over": "r.ends > %(since)s",
    "speaker_lasts": "r.ends >= %(until)s",
}
DISPUTED: Mapping[str, str] = {
    "dispute_of_hers": "d.subject_id = g.subject_id",
    "dispute_open": "d.resolved_at IS NULL",
}
OBJECTING: Mapping[str, str] = {
    "objection_stands": "lifted_at IS NULL",
    "objection_recipient": "(recipient_id IS NULL OR recipient_id = %(recipient)s)",
    "objection_kind": "(recipient_kind = '' OR recipient_kind = %(kind)s)",
    "objection_purpose": "(purpose_id IS NULL OR purpose_id = %(purpose)s)",
}
CODES: Mapping[Standing, int] = {each: code for code, each in enumerate(Standing)}
STANDINGS = tuple(Standing)
PARTS = 3  # PostgreSQL's own default: two processes beside the one that leads
SMALL = 8  # blocks of slots: below, one process is as fast


@dataclass(frozen=True)
class Clauses:
    """The WHERE clauses by name, so that a test can take one away."""

    asked: Mapping[str, str]
    running: Mapping[str, str]
    ended: Mapping[str, str]
    in_force: Mapping[str, str]
    not_yet: Mapping[Standing, str]
    speaking: Mapping[str, str]
    disputed: Mapping[str, str]
    objecting: Mapping[str, str]


CLAUSES = Clauses(
    asked=ASKED,
    running=RUNNING,
    ended=ENDED,
    in_force=IN_FORCE,
    not_yet=NOT_YET,
    speaking=SPEAKING,
    disputed=DISPUTED,
    objecting=OBJECTING,
)


def consent_sets(
    *,
    holder: int,
    ask: Ask,
    since: datetime,
    until: datetime,
    slots: Collection[int] | None = None,
    clauses: Clauses = CLAUSES,
) -> ConsentSets:
    """Everybody's word to `holder` on `ask`, for the whole of [since, until].

    With `slots`, only these people's.
    """
    asked = _asked(holder, ask, since, until, slots, clauses)
    opened = _opened(asked)
    others = _others(asked)
    return _of_theirs(replace(opened, others=others))


def open_sets(
    *,
    holder: int,
    ask: Ask,
    since: datetime,
    until: datetime,
    slots: Collection[int] | None = None,
    clauses: Clauses = CLAUSES,
) -> ConsentSets:
    """The same without `others`: enough to know who may, not why the rest may not."""
    return _of_theirs(_opened(_asked(holder, ask, since, until, slots, clauses)))


# Neither stopped, replaced nor run out: also who paused, and whose yes has not begun.
LASTING: Mapping[str, str] = {"not_over": IN_FORCE["not_over"]}
PAUSES_APART: Mapping[str, str] = {"none": "1 = 0"}


def lasting_sets(
    *,
    holder: int,
    ask: Ask,
    since: datetime,
    until: datetime,
    slots: Collection[int] | None = None,
    clauses: Clauses = CLAUSES,
) -> ConsentSets:
    """Whose yes has not come to an end at `since`, whether or not anything may go out by it now."""
    asked = _asked(holder, ask, since, until, slots, _lasting(clauses))
    return _of_theirs(_opened(asked))


def _lasting(clauses: Clauses) -> Clauses:
    return replace(clauses, in_force=LASTING, disputed=PAUSES_APART)


@dataclass(frozen=True)
class _Asked:
    """One ask in SQL: its clauses, joined, the values they name, and the parts to read it in."""

    clauses: Clauses
    values: Mapping[str, Any]
    parts: Sequence[str]
    until: datetime
    slots: Collection[int] | None = None

    @property
    def quarrelled(self) -> str:
        """Whose yes another one gave, while it is disputed who may give it."""
        disputed = " AND ".join(self.clauses.disputed.values())
        return (
            f"subject_id IN (SELECT g.subject_id FROM consent_consent g WHERE {SPOKEN}"  # noqa: S608 - our own clauses
            f" AND EXISTS (SELECT 1 FROM consent_dispute d WHERE {disputed}))"
        )

    @property
    def unheard(self) -> str:
        """Whose yes another one gave, who may not give it for all of this time."""
        heard = " AND ".join(self.clauses.speaking.values())
        return (
            "subject_id IN (SELECT g.subject_id FROM consent_consent g"  # noqa: S608 - our own clauses
            " LEFT JOIN consent_spoken s ON s.consent_id = g.id"
            " LEFT JOIN consent_representative r ON r.id = s.representative_id"
            f" WHERE {SPOKEN} AND NOT COALESCE({heard}, 1 = 0))"
        )

    @property
    def in_force(self) -> Mapping[str, str]:
        """What a running yes needs, whoever gave it."""
        return {
            **self.clauses.in_force,
            "heard": f"NOT ({self.unheard})",
            "undisputed": f"NOT ({self.quarrelled})",
        }

    def consents(self, *conditions: Mapping[Any, str], but: str = "") -> str:
        found = [sql for each in (self.clauses.asked, *conditions) for sql in each.values()]
        return " AND ".join([*found, *([but] if but else [])]) or "1 = 1"


def _asked(
    holder: int,
    ask: Ask,
    since: datetime,
    until: datetime,
    slots: Collection[int] | None,
    clauses: Clauses,
) -> _Asked:
    values = {
        "holder": holder,
        "recipient": ask.recipient,
        "kind": ask.recipient_kind,
        "purpose": ask.purpose,
        "since": moment(since),
        "until": moment(until),
    }
    if slots is None:
        return _Asked(clauses, values, _parts(holder), until)
    theirs, values["slots"] = among("subject_id", list(slots))
    return _Asked(
        replace(
            clauses,
            asked={**clauses.asked, "slots": theirs},
            objecting={**clauses.objecting, "slots": theirs},  # others' fall out anyway, later
        ),
        values,
        ("1 = 1",),
        until,
        slots,
    )


def _parts(holder: int) -> Sequence[str]:
    """Conditions that cut the holder's people into parts of like size, by whole blocks of slots."""
    blocks = list(
        SlotBlock.objects.filter(holder=holder).order_by("pk").values_list("pk", flat=True)
    )
    if len(blocks) < SMALL:
        return ("1 = 1",)
    cuts = [blocks[len(blocks) * part // PARTS] * BLOCK for part in range(1, PARTS)]
    inner = [f"subject_id >= {low} AND subject_id < {high}" for low, high in pairwise(cuts)]
    return (f"subject_id < {cuts[0]}", *inner, f"subject_id >= {cuts[-1]}")


def _opened(asked: _Asked) -> ConsentSets:
    """Yeses in force and objections, as they are stored."""
    clauses = asked.clauses
    yeses = read(
        [
            Reading(
                table="consent_consent",
                slot="subject_id",
                key="category_set_id",
                day="record_until",
                least="ends",
                where=asked.consents(clauses.running, asked.in_force),
                parts=asked.parts,
            )
        ],
        asked.values,
    )
    objections = read(
        [
            Reading(
                table="consent_objection",
                slot="subject_id",
                key="COALESCE(category_id, 0)",
                where=" AND ".join(clauses.objecting.values()) or "1 = 1",
            )
        ],
        asked.values,
    )
    versions = _versions(yeses.slots)
    return ConsentSets(
        yeses=tuple(
            Yeses(versions=versions[each], slots=slots, record_until=yeses.days[each])
            for each, slots in yeses.slots.items()
        ),
        others={},
        objected=objections.slots.get(0, NOBODY),
        objected_categories={key: slots for key, slots in objections.slots.items() if key},
        earliest_end=min(
            [each for each in (yeses.least, _authority_ends(asked)) if each is not None],
            default=None,
        ),
    )


def _authority_ends(asked: _Asked) -> datetime | None:
    """When the first authority ends of those by which somebody else's yes is in force."""
    spoken = Spoken.objects.filter(
        consent__signer=Signer.GUARDIAN,
        consent__ended_at__isnull=True,
        consent__recipient=asked.values["recipient"],
        consent__purpose=asked.values["purpose"],
        consent__holder=asked.values["holder"],
        representative__ended_at__isnull=True,
    )
    ends = spoken.filter(representative__ends__gte=asked.until)
    if asked.slots is not None:
        ends = ends.filter(consent__subject__in=asked.slots)
    first: datetime | None = ends.aggregate(first=Min("representative__ends"))["first"]
    return first


def _others(asked: _Asked) -> dict[Standing, Slots]:
    """Who has a yes that is not in force, by how it stands."""
    clauses = asked.clauses
    in_force = " AND ".join(asked.in_force.values())
    whens = [
        f"WHEN {asked.quarrelled} THEN {CODES[Standing.PAUSED]}",
        *(f"WHEN {when} THEN {CODES[each]}" for each, when in clauses.not_yet.items()),
    ]
    found = read(
        [
            Reading(
                table="consent_consent",
                slot="subject_id",
                key=f"CASE {' '.join(whens)} ELSE {CODES[Standing.EXPIRED]} END",
                where=asked.consents(clauses.running, but=f"NOT ({in_force})"),
                parts=asked.parts,
            ),
            Reading(
                table="consent_consent",
                slot="subject_id",
                key=str(CODES[Standing.WITHDRAWN]),
                where=asked.consents(clauses.ended),
            ),
        ],
        asked.values,
    )
    return {STANDINGS[code]: _once(slots) for code, slots in found.slots.items()}


def _of_theirs(sets: ConsentSets) -> ConsentSets:
    """Objections only of people who ever said a yes to this ask: another holder's stay out."""
    known = np.concatenate([NOBODY, *(yes.slots for yes in sets.yeses), *sets.others.values()])
    return replace(
        sets,
        objected=_among(sets.objected, known),
        objected_categories={
            category: theirs
            for category, slots in sets.objected_categories.items()
            if len(theirs := _among(slots, known))
        },
    )


def _among(slots: Slots, known: Slots) -> Slots:
    return _once(slots[np.isin(slots, known)])


def _once(slots: Slots) -> Slots:
    """Sorted, each once; the indexes give them nearly sorted, which numpy's `unique` cannot use."""
    ordered = np.sort(slots, kind="stable")
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)]
    once: Slots = ordered[first]
    return once


def _versions(sets: Collection[int]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {each: set() for each in sets}
    for each, version in CategorySetItem.objects.filter(set_id__in=sets).values_list(
        "set_id", "version_id"
    ):
        found[each].add(version)
    return {each: frozenset(items) for each, items in found.items()}
