"""Judging papers: which come into force, and why the others do not."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from django.db.models import Min

from common.days import begins, day_of, here
from consent import rules
from consent.actions import giving
from consent.actions.papers.reading import Line, Rejected
from consent.actions.subjects import find
from consent.models import Consent, Subject, Terms
from consent.queries import latest, speaking, texts
from consent.rules.speaking import PersonFact, SignedFact, problems
from consent.vocabulary import Channel, Signer
from governance.models import CategoryVersion, DataCategory, Organisation, Purpose, User
from governance.queries import people
from governance.vocabulary import UserKind

Key = tuple[int, int, int]  # slot, recipient, purpose
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Known:
    """What lines may refer to, by their codes."""

    holder: Organisation
    recipients: Mapping[str, Organisation]
    purposes: Mapping[str, Purpose]
    categories: Mapping[str, DataCategory]
    terms: Mapping[tuple[str, str], Terms]
    users: Mapping[str, User]
    slots: Mapping[bytes, int]
    wiped: Mapping[int, datetime]
    silent: Mapping[int, PersonFact]
    first_published: Mapping[int, datetime]


@dataclass(frozen=True)
class Yes:
    """One line that comes into force, ready to be written."""

    line: int
    slot: int
    recipient: Organisation
    purpose: Purpose
    categories: tuple[DataCategory, ...]
    terms: Terms
    channel: Channel
    signer: Signer
    authority: str
    signature: str
    signed_at: datetime
    starts: datetime
    ends: datetime
    record_until: date
    recorded_by: User

    @property
    def key(self) -> Key:
        return (self.slot, self.recipient.pk, self.purpose.pk)


def known_to(holder: Organisation, read: Sequence[Line], by: User) -> Known:
    """Everything these lines may refer to."""
    names = {line.cells["recorded_by"] for line in read} - {""}
    slots = find(holder, (line.digest for line in read))
    staff = User.objects.filter(kind=UserKind.STAFF)  # whether a survivor signs in is not told
    return Known(
        holder=holder,
        recipients={
            name: one for one in Organisation.objects.all() for name in (one.ref, one.name)
        },
        purposes={one.code: one for one in Purpose.objects.all()},
        categories={one.code: one for one in DataCategory.objects.all()},
        terms={(f"{one.code}/{one.version}", one.language): one for one in Terms.objects.all()},
        users={one.username: one for one in staff.filter(username__in=names)} | {"": by},
        slots=slots,
        wiped=latest.wiped(holder=holder.pk, slots=slots.values()),
        silent=speaking.silent(slots.values()),
        first_published=dict(
            CategoryVersion.objects.values_list("category").annotate(first=Min("published_at"))
        ),
    )


def judged(read: Sequence[Line], known: Known, *, at: datetime) -> tuple[list[Yes], list[Rejected]]:
    """The papers that come into force, and why each other one does not."""
    pairs = {(line.cells["recipient"], line.cells["purpose"]) for line in read}
    noes: dict[tuple[str, str], dict[int, datetime]] = {}
    running: dict[tuple[str, str], dict[int, datetime]] = {}
    slots = set(known.slots.values())
    for pair in pairs:
        recipient, purpose = known.recipients.get(pair[0]), known.purposes.get(pair[1])
        if recipient is not None and purpose is not None:
            noes[pair] = latest.noes(slots=slots, recipient=recipient, purpose=purpose)
            running[pair] = dict(
                Consent.objects.filter(
                    holder=known.holder,
                    recipient=recipient,
                    purpose=purpose,
                    ended_at__isnull=True,
                ).values_list("subject_id", "signed_at")
            )
    members = {
        (user.pk, recipient.pk): people.is_member(user, recipient)
        for user in known.users.values()
        for recipient in {known.recipients[p[0]] for p in pairs if p[0] in known.recipients}
    }
    replaced = set(texts.replaced_texts(at).values_list("pk", flat=True))
    yeses: list[Yes] = []
    rejected: list[Rejected] = []
    for line in read:
        pair = (line.cells["recipient"], line.cells["purpose"])
        said = (noes.get(pair, {}), running.get(pair, {}))
        found = _judge(line, known, *said, members, replaced, at)
        if isinstance(found, Yes):
            found = _cooled(found, at)
        if isinstance(found, Yes):
            yeses.append(found)
        else:
            rejected.extend(found)
    return yeses, rejected


@dataclass(frozen=True)
class Named:
    """What one line's codes and dates turned out to be; None where they are nothing we know."""

    slot: int | None
    recipient: Organisation | None
    purpose: Purpose | None
    terms: Terms | None
    recorder: User | None
    codes: tuple[str, ...]
    categories: tuple[DataCategory, ...]
    signed_at: datetime | None
    starts: datetime | None
    ends: datetime | None
    record_until: datetime | None


def _named(line: Line, known: Known, words: list[Rejected]) -> Named:
    cells = line.cells

    def day(column: str) -> datetime | None:
        text = cells.get(column, "")
        if not text:
            return None
        spelled = text if DAY.fullmatch(text) else ""  # Python reads more spellings than people do
        try:
            return begins(date.fromisoformat(spelled))
        except (ValueError, OverflowError):  # a first or last day of all has no beginning elsewhere
            words.append(
                Rejected(line.number, column, "not_a_date", "Write the day as 2026-11-22.")
            )
            return None

    codes = tuple(code.strip() for code in cells["categories"].split(";") if code.strip())
    signed_at, ends = day("signed_on"), day("ends_on")
    purpose = known.purposes.get(cells["purpose"])
    if not cells["ends_on"] and signed_at is not None and purpose is not None:
        ends = rules.default_end(signed_at, purpose.longest_days)
    return Named(
        slot=known.slots.get(line.digest),
        recipient=known.recipients.get(cells["recipient"]),
        purpose=purpose,
        terms=known.terms.get((cells["terms"], cells["language"])),
        recorder=known.users.get(cells["recorded_by"]),
        codes=codes,
        categories=tuple(known.categories[code] for code in codes if code in known.categories),
        signed_at=signed_at,
        starts=day("starts_on"),
        ends=ends,
        record_until=day("record_until"),
    )


def _foreign_words(line: Line, named: Named) -> list[Rejected]:
    """Codes that the catalogue or the vocabulary does not hold."""
    cells = line.cells
    wrong = {
        ("categories", "unknown_category", "Use the catalogue's codes."): len(named.categories)
        != len(named.codes)
        and not rules.speaks_of_all(named.codes),
        ("recorded_by", "unknown_user", "Name a sign-in, or nobody."): named.recorder is None,
        ("channel", "unknown_channel", "Write paper."): cells["channel"] not in Channel.values,
        ("signer", "unknown_signer", "Write self or guardian."): cells["signer"]
        not in Signer.values,
    }
    return [Rejected(line.number, *what) for what, there in wrong.items() if there]


def _draft(line: Line, named: Named, replaced: Collection[int]) -> rules.Draft:
    cells, terms = line.cells, named.terms
    return rules.Draft(
        person=named.slot is not None,
        holder=True,
        recipient=named.recipient is not None,
        purpose=named.purpose is not None,
        categories=named.codes,
        terms=terms is not None,
        terms_published_at=terms.published_at if terms else None,
        language=cells["language"],
        terms_language=terms.language if terms else "",
        answers=cells["answers"],
        signature=cells["signature"],
        signed_at=here(named.signed_at) if named.signed_at else None,
        starts=here(named.starts) if named.starts else None,
        ends=here(named.ends) if named.ends else None,
        record_until=day_of(named.record_until) if named.record_until else None,
        signer=cells["signer"],
        authority=cells["authority"],
        terms_replaced=terms is not None and terms.pk in replaced,
    )


def _judge(
    line: Line,
    known: Known,
    noes: Mapping[int, datetime],
    running: Mapping[int, datetime],
    members: Mapping[tuple[int, int], bool],
    replaced: Collection[int],
    at: datetime,
) -> Yes | list[Rejected]:
    words: list[Rejected] = []
    named = _named(line, known, words)
    words += _foreign_words(line, named)
    recipient, recorder = named.recipient, named.recorder
    wrong = rules.problems(
        _draft(line, named, replaced),
        at=at,
        longest_days=named.purpose.longest_days if named.purpose else rules.DEFAULT_PERIOD.days,
        latest_no=noes.get(named.slot) if named.slot is not None else None,
        latest_yes=running.get(named.slot) if named.slot is not None else None,
        from_recipient=recipient is not None
        and any(
            members[one.pk, recipient.pk] for one in (recorder, known.users[""]) if one is not None
        ),
        categories_later=_later(named, known),
        wiped_before=known.wiped.get(named.slot) if named.slot is not None else None,
    )
    words += [
        Rejected(line.number, COLUMN_OF.get(each.code, ""), each.code, each.message)
        for each in wrong
    ]
    if recipient is not None and recipient.pk == known.holder.pk:
        words.append(
            Rejected(line.number, "recipient", "holder_is_recipient", "A yes is to somebody else.")
        )
    return words or _by_her(line, named, known) or _yes(line, named)


def _by_her(line: Line, named: Named, known: Known) -> list[Rejected]:
    """Whether it is her own yes, and she may give it alone."""
    if line.cells["signer"] != Signer.SELF:
        hint = "Record what somebody else signed for her by itself, at the desk."
        return [Rejected(line.number, "signer", "signer_not_her", hint)]
    person = known.silent.get(named.slot) if named.slot is not None else None
    if person is None or named.recipient is None or named.signed_at is None or named.ends is None:
        return []
    yes = SignedFact(named.recipient.pk, named.signed_at, named.ends)
    return [
        Rejected(line.number, "signer", each.code, each.message)
        for each in problems(yes, person, at=named.signed_at)
    ]


def _later(named: Named, known: Known) -> bool:
    """Whether a category was not in the catalogue yet on the day of signing."""
    signed_at = named.signed_at
    return signed_at is not None and any(
        known.first_published.get(category.pk, datetime.max.replace(tzinfo=UTC)) > signed_at
        for category in named.categories
    )


def _yes(line: Line, named: Named) -> Yes:
    """The line as it will be written; `_judge` has found nothing missing."""
    cells = line.cells
    if (
        named.slot is None
        or named.recipient is None
        or named.purpose is None
        or named.terms is None
        or named.recorder is None
        or named.signed_at is None
        or named.ends is None
    ):
        raise ValueError("A paper without a problem has every element.")
    return Yes(
        line=line.number,
        slot=named.slot,
        recipient=named.recipient,
        purpose=named.purpose,
        categories=named.categories,
        terms=named.terms,
        channel=Channel(cells["channel"]),
        signer=Signer(cells["signer"]),
        authority=cells["authority"],
        signature=cells["signature"],
        signed_at=named.signed_at,
        starts=named.starts or named.signed_at,
        ends=named.ends,
        record_until=day_of(named.record_until or named.signed_at),
        recorded_by=named.recorder,
    )


def _cooled(yes: Yes, at: datetime) -> Yes | list[Rejected]:
    """The same yes, starting when it has waited; a paper that widens what runs waits unrecorded."""
    if yes.signed_at + giving.wait() <= at:
        return yes
    signed = giving.Signed(
        subject=Subject.objects.select_related("holder").get(pk=yes.slot),
        recipient=yes.recipient,
        purpose=yes.purpose,
        categories=yes.categories,
        terms=yes.terms,
        channel=yes.channel,
        signer=yes.signer,
        signature=yes.signature,
        answers="",
        signed_at=yes.signed_at,
        ends=yes.ends,
        starts=yes.starts,
        record_until=yes.record_until,
        authority=yes.authority,
    )
    try:
        starts = giving.cooled(signed, at)
    except giving.Refused as refused:
        return [
            Rejected(yes.line, "signed_on", each.code, each.message) for each in refused.problems
        ]
    if starts >= yes.ends:
        words = "It would end before it starts: it has to wait first."
        return [Rejected(yes.line, "ends_on", "ends_before_start", words)]
    return replace(yes, starts=starts)


COLUMN_OF = {
    "missing_person": "client_number",
    "missing_recipient": "recipient",
    "missing_purpose": "purpose",
    "missing_categories": "categories",
    "missing_terms": "terms",
    "missing_language": "language",
    "missing_answers": "answers",
    "missing_signature": "signature",
    "missing_signed_at": "signed_on",
    "missing_ends": "ends_on",
    "missing_authority": "authority",
    "signature_too_long": "signature",
    "authority_too_long": "authority",
    "all_information": "categories",
    "categories_later": "categories",
    "recorded_by_recipient": "recorded_by",
    "signed_in_future": "signed_on",
    "starts_before_signature": "starts_on",
    "ends_before_start": "ends_on",
    "too_long": "ends_on",
    "terms_later": "terms",
    "terms_replaced": "terms",
    "terms_language": "language",
    "record_after_end": "record_until",
    "older_than_no": "signed_on",
    "older_than_yes": "signed_on",
    "older_than_wiping": "signed_on",
}
