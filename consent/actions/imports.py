"""Recording many yeses signed on paper, as one deed."""

import csv
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import islice

from audit.tlog.subjects import subjects_root
from audit.vocabulary import EntryType, Via
from common import ids
from common.errors import BadInput
from consent import rules
from consent.actions.consents import plain
from consent.actions.sets import category_set
from consent.actions.subjects import client_digest, digest_key, find
from consent.models import CategorySet, Consent, ConsentEvent, Terms
from consent.permissions import check_can_advise
from consent.queries import keys, latest
from consent.vocabulary import Channel, Ending, Happening, Signer
from governance.actions import scopes, trail
from governance.models import DataCategory, Organisation, Purpose, User
from governance.queries import people
from governance.vocabulary import Narrowing

COLUMNS = (
    "client_number",
    "recipient",
    "purpose",
    "categories",
    "terms",
    "language",
    "channel",
    "signed_on",
    "ends_on",
    "record_until",
    "signature",
    "signer",
    "authority",
    "answers",
    "recorded_by",
    "starts_on",
)
OPTIONAL = {"starts_on"}
LARGEST_FIELD = 2000
BATCH = 2000


@dataclass(frozen=True)
class Rejected:
    """One line that was not recorded: where, what was wrong, what to do; never a value."""

    line: int
    column: str
    code: str
    hint: str


@dataclass(frozen=True)
class Imported:
    """What one import did."""

    ref: str
    recorded: int
    superseded: int
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True)
class Line:
    """One line of the file after reading: shape is right, nothing is decided yet."""

    number: int
    cells: Mapping[str, str]
    digest: bytes


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
    def key(self) -> tuple[int, int, int]:
        return (self.slot, self.recipient.pk, self.purpose.pk)


def consents(
    *,
    holder: Organisation,
    lines: Iterable[str],
    by: User,
    at: datetime,
    via: Via,
    most_bad: float = 0.2,
    scope: str = "",
) -> Imported:
    """Record paper consents from CSV lines; one deed, one entry with everybody's tags.

    Lines that lack an element of R3 or R6, are older than a no, or were recorded by somebody of the
    recipient are rejected as `consents.give` would refuse them. `scope` names the dataset whose row
    numbers the client numbers are (`row:<dataset>`). Raises NotPermitted unless `by` is
    the holder's advocate; BadInput where the file cannot be read or more than `most_bad` of its
    lines are bad: then nothing is recorded.
    """
    check_can_advise(by, holder)
    read, rejected = _read(holder, lines, scope)
    known = _known(holder, read, by)
    yeses, refused = _judged(read, known, by=by, at=at)
    rejected = sorted([*rejected, *refused], key=lambda each: each.line)
    bad = len({each.line for each in rejected})
    if bad > most_bad * max(1, len(read) + bad - len({each.line for each in refused})):
        raise BadInput(
            "too_many_bad_lines",
            f"{bad} lines cannot be recorded, so nothing was. First: line {rejected[0].line}, "
            f"column {rejected[0].column}: {rejected[0].hint}",
        )
    ref = ids.import_reference()
    if not yeses:
        return Imported(ref=ref, recorded=0, superseded=0, rejected=tuple(rejected))
    superseded = _write(holder, yeses, ref, by=by, at=at, via=via)
    return Imported(ref, len(yeses), superseded, tuple(rejected))


def _read(
    holder: Organisation, lines: Iterable[str], scope: str
) -> tuple[list[Line], list[Rejected]]:
    key = digest_key(holder)
    reader = csv.reader(lines, strict=True)
    rows = _numbered(reader)
    try:
        _, header = next(rows)
    except StopIteration:
        raise BadInput("empty", "The file is empty. Its first line names the columns.") from None
    header = [name.strip().lstrip("\ufeff") for name in header]
    _check_header(header)
    read: list[Line] = []
    rejected: list[Rejected] = []
    for number, cells in rows:
        if len(cells) != len(header):
            rejected.append(
                Rejected(number, "", "ragged", f"This line needs {len(header)} cells.")
            )
        elif bad := next((n for n, c in zip(header, cells, strict=True) if _unreadable(c)), None):
            rejected.append(
                Rejected(number, bad, "unreadable", "The cell is too long or not plain text.")
            )
        else:
            found = {n: c.strip() for n, c in zip(header, cells, strict=True)}
            read.append(Line(number, found, client_digest(key, found["client_number"], scope)))
    return read, rejected


def _numbered(reader: "csv._reader") -> Iterator[tuple[int, list[str]]]:  # type: ignore[name-defined]
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadInput(
                "not_csv", f"Line {reader.line_num} is not CSV. Check its quotation marks."
            ) from error
        if cells:
            yield reader.line_num, cells


def _check_header(header: Sequence[str]) -> None:
    if len(set(header)) != len(header):
        raise BadInput("duplicate_column", "A column is named twice in the first line.")
    lacking = [name for name in COLUMNS if name not in header and name not in OPTIONAL]
    if lacking:
        raise BadInput("missing_column", f"These columns are missing: {', '.join(lacking)}.")
    foreign = [name for name in header if name not in COLUMNS]
    if foreign:
        places = ", ".join(str(header.index(name) + 1) for name in foreign)
        raise BadInput("unknown_column", f"The columns at place {places} are not known.")


def _unreadable(cell: str) -> bool:
    return (
        len(cell) > LARGEST_FIELD
        or "\x00" in cell
        or any("\ud800" <= sign <= "\udfff" for sign in cell)
    )


def _known(holder: Organisation, read: Sequence[Line], by: User) -> Known:
    names = {line.cells["recorded_by"] for line in read} - {""}
    return Known(
        holder=holder,
        recipients={
            name: one for one in Organisation.objects.all() for name in (one.ref, one.name)
        },
        purposes={one.code: one for one in Purpose.objects.all()},
        categories={one.code: one for one in DataCategory.objects.all()},
        terms={(f"{one.code}/{one.version}", one.language): one for one in Terms.objects.all()},
        users={one.username: one for one in User.objects.filter(username__in=names)}
        | {"": by},
        slots=find(holder, (line.digest for line in read)),
    )


def _judged(
    read: Sequence[Line], known: Known, *, by: User, at: datetime
) -> tuple[list[Yes], list[Rejected]]:
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
    yeses: list[Yes] = []
    rejected: list[Rejected] = []
    for line in read:
        pair = (line.cells["recipient"], line.cells["purpose"])
        found = _judge(line, known, noes.get(pair, {}), running.get(pair, {}), members, at)
        if isinstance(found, Yes):
            yeses.append(found)
        else:
            rejected.extend(found)
    return yeses, rejected


def _judge(
    line: Line,
    known: Known,
    noes: Mapping[int, datetime],
    running: Mapping[int, datetime],
    members: Mapping[tuple[int, int], bool],
    at: datetime,
) -> Yes | list[Rejected]:
    cells = line.cells
    words: list[Rejected] = []

    def day(column: str) -> datetime | None:
        text = cells.get(column, "")
        if not text:
            return None
        try:
            return datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC)
        except ValueError:
            words.append(
                Rejected(line.number, column, "not_a_date", "Write the day as 2026-11-22.")
            )
            return None

    slot = known.slots.get(line.digest)
    recipient = known.recipients.get(cells["recipient"])
    purpose = known.purposes.get(cells["purpose"])
    terms = known.terms.get((cells["terms"], cells["language"]))
    recorder = known.users.get(cells["recorded_by"])
    codes = tuple(code.strip() for code in cells["categories"].split(";") if code.strip())
    categories = tuple(known.categories[code] for code in codes if code in known.categories)
    signed_at, ends, starts = day("signed_on"), day("ends_on"), day("starts_on")
    record_until = day("record_until")
    if len(categories) != len(codes) and "all" not in cells["categories"].lower():
        words.append(
            Rejected(line.number, "categories", "unknown_category", "Use the catalogue's codes.")
        )
    if recorder is None:
        words.append(
            Rejected(line.number, "recorded_by", "unknown_user", "Name a sign-in, or nobody.")
        )
    if cells["channel"] not in Channel.values:
        words.append(Rejected(line.number, "channel", "unknown_channel", "Write paper."))
    if cells["signer"] not in Signer.values:
        words.append(Rejected(line.number, "signer", "unknown_signer", "Write self or guardian."))
    draft = rules.Draft(
        person=slot is not None,
        holder=True,
        recipient=recipient is not None,
        purpose=purpose is not None,
        categories=codes,
        terms=terms is not None,
        terms_published_at=terms.published_at if terms else None,
        language=cells["language"],
        terms_language=terms.language if terms else "",
        answers=cells["answers"],
        signature=cells["signature"],
        signed_at=signed_at,
        starts=starts,
        ends=ends,
        record_until=record_until.date() if record_until else None,
        signer=cells["signer"],
        authority=cells["authority"],
    )
    from_recipient = (
        recipient is not None
        and recorder is not None
        and members.get((recorder.pk, recipient.pk), False)
    )
    wrong = rules.problems(
        draft,
        at=at,
        longest_days=purpose.longest_days if purpose else rules.DEFAULT_PERIOD.days,
        latest_no=noes.get(slot) if slot is not None else None,
        from_recipient=from_recipient,
    )
    words.extend(
        Rejected(line.number, COLUMN_OF.get(each.code, ""), each.code, each.message)
        for each in wrong
    )
    if recipient is not None and recipient.pk == known.holder.pk:
        words.append(
            Rejected(line.number, "recipient", "holder_is_recipient", "A yes is to somebody else.")
        )
    if slot is not None and signed_at is not None and signed_at < running.get(slot, signed_at):
        words.append(
            Rejected(
                line.number, "signed_on", "older_than_yes", "A newer yes is on record already."
            )
        )
    if words:
        return words
    assert slot is not None and recipient is not None and purpose is not None  # noqa: S101, PT018
    assert terms is not None and recorder is not None  # noqa: S101, PT018 - problems() said so
    assert signed_at is not None and ends is not None  # noqa: S101, PT018
    return Yes(
        line=line.number,
        slot=slot,
        recipient=recipient,
        purpose=purpose,
        categories=categories,
        terms=terms,
        channel=Channel(cells["channel"]),
        signer=Signer(cells["signer"]),
        authority=cells["authority"],
        signature=cells["signature"],
        signed_at=signed_at,
        starts=starts or signed_at,
        ends=ends,
        record_until=(record_until or signed_at).date(),
        recorded_by=recorder,
    )


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
    "all_information": "categories",
    "recorded_by_recipient": "recorded_by",
    "signed_in_future": "signed_on",
    "starts_before_signature": "starts_on",
    "ends_before_start": "ends_on",
    "too_long": "ends_on",
    "terms_later": "terms",
    "terms_language": "language",
    "record_after_end": "record_until",
    "older_than_no": "signed_on",
}


def _write(
    holder: Organisation,
    yeses: Sequence[Yes],
    ref: str,
    *,
    by: User,
    at: datetime,
    via: Via,
) -> int:
    newest: dict[tuple[int, int, int], Yes] = {}
    for yes in sorted(yeses, key=lambda each: (each.signed_at, each.line)):
        newest[yes.key] = yes
    recipients = {yes.recipient.pk for yes in yeses}
    replaced = _running(holder, newest)
    with _opened(recipients, {slot for slot, *_ in replaced}) as moment:
        now = moment.at if moment else at
        still = _running(holder, newest)
        if set(still) != set(replaced):
            raise BadInput("changed_meanwhile", "Yeses were recorded meanwhile. Import again.")
        older = list(Consent.objects.select_for_update().filter(pk__in=still.values()))
        for consent in older:
            consent.ended_at, consent.ending = now, Ending.SUPERSEDED
        Consent.objects.bulk_update(older, ["ended_at", "ending"], batch_size=BATCH)
        nonce = secrets.token_bytes(16)
        slots = sorted({yes.slot for yes in yeses})
        entry = trail.record(
            type=EntryType.CONSENT_IMPORTED,
            by=by,
            at=now,
            via=via,
            resource=ref,
            subjects=len(slots),
            subjects_root=subjects_root(keys.tags_of(holder.ref, slots, nonce)),
            nonce=nonce,
            epoch_everyone=moment.everyone if moment else None,
        )
        made = _created(holder, yeses, newest, by=by, at=now)
        events = [
            ConsentEvent(consent=each, happening=Happening.GIVEN, at=now, by=by, entry=entry)
            for each in made
        ] + [
            ConsentEvent(consent=each, happening=Happening.SUPERSEDED, at=now, by=by, entry=entry)
            for each in [*older, *(one for one in made if one.ended_at is not None)]
        ]
        ConsentEvent.objects.bulk_create(events, batch_size=BATCH)
    return len(older) + sum(1 for one in made if one.ended_at is not None)


def _created(
    holder: Organisation,
    yeses: Sequence[Yes],
    newest: Mapping[tuple[int, int, int], Yes],
    *,
    by: User,
    at: datetime,
) -> list[Consent]:
    sets: dict[tuple[int, ...], CategorySet] = {}
    made: list[Consent] = []
    for yes in yeses:
        chosen = tuple(sorted(category.pk for category in yes.categories))
        if chosen not in sets:
            sets[chosen] = category_set(yes.categories)
        current = newest[yes.key] is yes
        made.append(
            Consent(
                subject_id=yes.slot,
                holder=holder,
                recipient=yes.recipient,
                purpose=yes.purpose,
                category_set=sets[chosen],
                terms=yes.terms,
                channel=yes.channel,
                signer=yes.signer,
                authority=yes.authority,
                signature=yes.signature,
                answers="y" * rules.QUESTIONS,
                signed_at=yes.signed_at,
                recorded_at=at,
                recorded_by=yes.recorded_by,
                starts=yes.starts,
                ends=yes.ends,
                record_until=yes.record_until,
                ended_at=None if current else at,
                ending=None if current else Ending.SUPERSEDED,
            )
        )
    Consent.objects.bulk_create(made, batch_size=BATCH)
    return made


def _running(
    holder: Organisation, newest: Mapping[tuple[int, int, int], Yes]
) -> dict[tuple[int, int, int], int]:
    """The consents in force (or paused, or to come) that these yeses replace."""
    found: dict[tuple[int, int, int], int] = {}
    slots = iter({slot for slot, *_ in newest})
    while chunk := list(islice(slots, 5000)):
        rows = Consent.objects.filter(
            holder=holder, subject__in=chunk, ended_at__isnull=True
        ).values_list("subject_id", "recipient_id", "purpose_id", "pk")
        found.update(
            ((slot, recipient, purpose), pk)
            for slot, recipient, purpose, pk in rows
            if (slot, recipient, purpose) in newest
        )
    return found


def _opened(
    recipients: set[int], replaced: set[int]
) -> AbstractContextManager[scopes.Moment | None]:
    if not replaced:
        return plain()
    return scopes.narrowing(
        act=Narrowing.CONSENT_SUPERSEDED, recipients=recipients, slots=replaced
    )
