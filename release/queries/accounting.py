"""One person's own list, an event at a time: what was done with what is hers, and what she said.

`uses` tells the same of each release at once, as a page shows it; here every line has its entry.
"""

from collections.abc import Iterator
from datetime import datetime

from audit.vocabulary import EntryType
from consent.models import (
    ConsentEvent,
    Contest,
    Lifting,
    Objection,
    ProposalStep,
    Shredding,
    Subject,
)
from consent.queries import sharing, tags
from consent.vocabulary import Decided, Happening, Turn
from governance.models import DataCategory, User
from release.models import Inquiry, Recall
from release.queries import around, recalls, uses
from release.queries.events import Event, hers
from release.queries.uses import What, WhereItWent
from release.vocabulary import Deed, Ground, Step

OBJECTIONS = {
    EntryType.OBJECTION_MADE,
    EntryType.OBJECTION_NARROWED,
    EntryType.OBJECTION_LIFTED,
}
LIFTINGS = {EntryType.OBJECTION_LIFTING, EntryType.OBJECTION_KEPT}
WIPING = {
    EntryType.SHREDDING_ASKED,
    EntryType.SHREDDING_AGREED,
    EntryType.SHREDDING_CALLED_OFF,
}


TEXT_REPLACED = "terms:replaced"
"""The word of a yes that ended because a newer text took the place of its own."""


def of(account: User) -> list[Event]:
    """Everything about all whom this sign-in is, newest first."""
    found = [event for subject in sharing.subjects(account) for event in uses_of(subject)]
    return sorted(found, key=lambda each: (each.at, each.entry or 0), reverse=True)


def uses_of(subject: Subject) -> list[Event]:
    """Everything about one person as one holder knows her, newest first.

    Raises NotReady where the holder's key is not there: her standing noes are found by her tag.
    """
    found = [
        *(event for went in uses.of_subject(subject) for event in _went(went)),
        *_asked(subject),
        *_said(subject),
        *_proposed(subject),
        *_objected(subject),
        *_lifting(subject),
        *_contested(subject),
        *_wiping(subject),
        *_recalled(subject),
        *around.of_subject(subject),
    ]
    return sorted(found, key=lambda each: (each.at, each.entry or 0), reverse=True)


def _went(went: WhereItWent) -> Iterator[Event]:
    def event(deed: Deed, at: datetime, entry: int | None) -> Event:
        return Event(
            deed=deed,
            at=at,
            subject=went.subject,
            entry=entry,
            recipient=went.recipient,
            purpose=went.purpose,
            what=went.what,
            ground=went.ground,
            consent=went.consent,
            request=went.release.request.ref,
            release=went.release.pk,
        )

    yield event(Deed.READY if went.sent else Deed.KEPT_BACK, went.at, went.release.entry_id)
    for each in went.pick_ups:
        yield event(Deed.PICKED_UP, each.at, each.entry)


def _asked(subject: Subject) -> Iterator[Event]:
    rows = list(
        Inquiry.objects.filter(subject=subject).select_related(
            "request__requester", "request__purpose"
        )
    )
    codes = {code for row in rows for code in row.columns}
    categories = {each.code: each for each in DataCategory.objects.filter(code__in=codes)}
    for row in rows:
        yield Event(
            deed=Deed.ASKED,
            at=row.at,
            subject=subject,
            entry=row.entry_id,
            recipient=row.request.requester,
            purpose=row.request.purpose,
            what=tuple(What(categories[code], tuple(row.columns[code])) for code in row.columns),
            ground=Ground(row.grounds.split(",")[0]) if row.grounds else None,
            permitted=row.permitted,
            request=row.request.ref,
        )


def _recalled(subject: Subject) -> Iterator[Event]:
    """What was asked back of recipients for her, and what they said of it."""
    for row in recalls.of_subject(subject):

        def event(at: datetime, entry: int, word: str, row: Recall = row) -> Event:
            return Event(
                deed=Deed.RECALLED,
                at=at,
                subject=subject,
                entry=entry,
                recipient=row.release.recipient,
                purpose=row.release.purpose,
                request=row.release.request.ref,
                word=word,
                release=row.release_id,
            )

        yield event(row.opened_at, row.entry_id, "recall:opened")
        for step in row.steps.all():
            word = step.reported if step.step == Step.REPORTED else step.step
            yield event(step.at, step.entry_id, f"recall:{word}")


def _said(subject: Subject) -> Iterator[Event]:
    rows = ConsentEvent.objects.filter(consent__subject=subject).select_related(
        "consent__recipient", "consent__purpose"
    )
    late = tags.of(subject)
    for row in rows:
        yield Event(
            deed=Deed.SAID,
            at=_when(row),
            subject=subject,
            entry=row.entry_id,
            recipient=row.consent.recipient,
            purpose=row.consent.purpose,
            consent=row.consent,
            word=_word(row),
            later=late.get(row.entry_id),
        )


def _word(row: ConsentEvent) -> str:
    if row.happening == Happening.SUPERSEDED and row.by_id is None:
        return TEXT_REPLACED  # nobody said yes to anything new
    return f"consent:{row.happening}"


def _when(row: ConsentEvent) -> datetime:
    """What ended by its date did so then, whenever the clock came to write it down."""
    if row.happening != Happening.EXPIRED:
        return row.at
    return sharing.fact(row.consent).lasts_until


def _proposed(subject: Subject) -> Iterator[Event]:
    """What she was asked for, and what she answered; a yes that counts is told as such."""
    rows = (
        ProposalStep.objects.filter(proposal__subject=subject)
        .exclude(turn__in=[Turn.GIVEN, Turn.WAIVED])
        .select_related("proposal__recipient", "proposal__purpose", "entry")
    )
    late = tags.of(subject)
    for row in rows:
        if row.turn == Turn.SIGNED and row.entry.type != EntryType.CONSENT_SIGNED:
            continue  # it counted at once
        yield Event(
            deed=Deed.SAID,
            at=row.at,
            subject=subject,
            entry=row.entry_id,
            recipient=row.proposal.recipient,
            purpose=row.proposal.purpose,
            word=row.entry.type,
            later=late.get(row.entry_id),
        )


def _objected(subject: Subject) -> Iterator[Event]:
    """Her standing noes name no entry: theirs stand at the same instant and are hers."""
    rows = list(
        Objection.objects.filter(subject=subject)
        .select_related("recipient", "purpose", "contest")
        .order_by("-pk")
    )
    # What belongs to something contested is told there, unless it became a no of her own.
    said = [row for row in rows if not hasattr(row, "contest")]
    if not rows:
        return
    made = {row.made_at: row for row in said}  # a narrowed no and the larger one: the first
    lifted = {row.lifted_at: row for row in rows if row.lifted_at and not _decided(row)}
    for entry, later in hers(subject, OBJECTIONS, [*made, *lifted]):
        taken = entry.type == EntryType.OBJECTION_MADE
        row = made.pop(entry.time, None) if taken else lifted.get(entry.time)
        if row is not None:
            yield _no(subject, row, entry.time, entry.type, entry.pk, later)
    for at, row in made.items():
        yield _no(subject, row, at, EntryType.OBJECTION_MADE, None, None)


def _decided(row: Objection) -> bool:
    """Whether a steward's decision ended it."""
    return hasattr(row, "contest") and row.contest.decision != Decided.KEPT


def _contested(subject: Subject) -> Iterator[Event]:
    """What she said is wrong, or is not to be shared for now, and what was decided."""
    late = tags.of(subject)
    for row in Contest.objects.filter(subject=subject).select_related("category"):
        told = [(row.asked_at, row.entry_id, EntryType.CORRECTION_ASKED.value)]
        if row.decided_at is not None and row.decided_entry_id is not None:
            entry = row.decided_entry_id
            told.append((row.decided_at, entry, EntryType.CORRECTION_DECIDED.value))
        for at, entry, word in told:
            yield Event(
                deed=Deed.SAID,
                at=at,
                subject=subject,
                entry=entry,
                what=(What(row.category, ()),),
                word=word,
                later=late.get(entry),
            )


def _lifting(subject: Subject) -> Iterator[Event]:
    """That a no of hers was to be taken back, and that it stayed after all."""
    rows = list(
        Lifting.objects.filter(objection__subject=subject).select_related(
            "objection__recipient", "objection__purpose"
        )
    )
    asked = {row.asked_at: row for row in rows}
    kept = {row.cancelled_at: row for row in rows if row.cancelled_at is not None}
    if not rows:
        return
    for entry, later in hers(subject, LIFTINGS, [*asked, *kept]):
        row = (asked if entry.type == EntryType.OBJECTION_LIFTING else kept).get(entry.time)
        if row is not None:
            yield _no(subject, row.objection, entry.time, entry.type, entry.pk, later)


def _no(
    subject: Subject, row: Objection, at: datetime, word: str, entry: int | None, later: int | None
) -> Event:
    return Event(
        deed=Deed.SAID,
        at=at,
        subject=subject,
        entry=entry,
        recipient=row.recipient,
        purpose=row.purpose,
        word=word,
        later=later,
    )


def _wiping(subject: Subject) -> Iterator[Event]:
    """That it was asked to cut her record from her, agreed to, called off: until it is carried out,
    for then nothing leads from her to any of it."""
    rows = Shredding.objects.filter(subject=subject).values_list(
        "asked_at", "agreed_at", "called_off_at"
    )
    times = {at for row in rows for at in row if at is not None}
    if not times:
        return
    for entry, later in hers(subject, WIPING, times):
        yield Event(
            deed=Deed.WIPING,
            at=entry.time,
            subject=subject,
            entry=entry.pk,
            word=entry.type,
            later=later,
        )
