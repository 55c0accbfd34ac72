"""The decision about one person, from one statement: everything is read anew at every asking.

What `gather_facts` reads for everybody, this reads for one. No answer is kept and no permit is ever
cached: `_whole` and `_categories` remember only what the very same values, read once more, mean.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from django.db import connection

from common.planned import BIGINT, DECODERS, INTEGER, Decoders, Planned, Reading, Rows
from consent.rules import Ask, AuthorityFact, ConsentFact, ObjectionFact
from consent.vocabulary import Ending, Signer
from governance.models import AccessRequest, Field, User
from governance.queries import catalogue
from governance.queries.requests import Asked
from governance.vocabulary import (
    AgreementState,
    Care,
    DatasetState,
    OrganisationKind,
    PurposeKind,
    RequestState,
)
from release.rules.bits import block_of, place_of
from release.rules.decide import AgreementFact, FieldFact, Refusal, RequestFact, WholeFacts
from release.rules.person import Opening, PersonFacts, decide_person

# Each condition has its own test that takes it away and sees an answer come out wrong.
CONDITIONS: Mapping[str, str] = {
    "asked": "r.id = %(request)s",
    "as_known": (
        "r.dataset_id = %(dataset)s AND r.requester_id = %(requester)s"
        " AND r.purpose_id = %(purpose)s AND r.agreement_id = %(agreement)s"
    ),
    "its_agreement": "a.id = r.agreement_id",
    "its_dataset": "d.id = r.dataset_id",
    "its_purpose": "p.id = r.purpose_id",
    "its_requester": "o.id = r.requester_id",
    "datasets_of_agreement": "x.agreement_id = %(agreement)s",
    "covers_dataset": "x.dataset_id = %(dataset)s",
    "purposes_of_agreement": "x.agreement_id = %(agreement)s",
    "covers_purpose": "x.purpose_id = %(purpose)s",
    "categories_of_agreement": "x.agreement_id = %(agreement)s",
    "key_of_requester": "k.organisation_id = %(requester)s",
    "key_is_current": "k.ended_at IS NULL",
    "who_asks": "m.user_id = %(by)s",
    "account_of_who_asks": "u.id = m.user_id",
    "account_is_active": "u.is_active",
    "member_of_requester": "m.organisation_id = %(requester)s",
    "member_as_requester": "m.role = 'requester'",
    "member_still": "m.ended_at IS NULL",
    "version_of_dataset": "w.dataset_id = %(dataset)s",
    "newest_version": "ORDER BY w.number DESC",
    "field_was_asked": "q.request_id = %(request)s",
    "field_itself": "f.id = q.field_id",
    "category_of_field": "g.id = f.category_id",
    "field_is_held": "h.field_id = f.id",
    "held_by_newest": "h.version_id = (SELECT id FROM newest)",
    "present_in_newest": "x.version_id = (SELECT id FROM newest)",
    "present_in_block": "x.block = %(block)s",
    "objection_is_hers": "b.subject_id = %(slot)s",
    "objection_stands": "b.lifted_at IS NULL",
    "consent_is_hers": "c.subject_id = %(slot)s",
    "consent_to_holder": "c.holder_id = d.holder_id",
    "consent_to_recipient": "c.recipient_id = %(requester)s",
    "consent_for_purpose": "c.purpose_id = %(purpose)s",
    "spoken_of_consent": "s.consent_id = c.id",
    "speaker_of_spoken": "v.id = s.representative_id",
    "dispute_is_hers": "e.subject_id = %(slot)s",
    "dispute_is_open": "e.resolved_at IS NULL",
    "covered_by_consent": "i.set_id = c.category_set_id",
    "version_itself": "t.id = i.version_id",
}

# Lists come as text, for rows of their own would be the whole once more each. Nothing in them can be
# a comma or a colon: numbers, words of our own and names of fields (plain by constraint).
STATEMENT = """
WITH newest AS MATERIALIZED (
    SELECT w.id FROM release_datasetversion w WHERE {version_of_dataset} {newest_version} LIMIT 1
)
SELECT
    r.state, r.starts{plain}, r.ends{plain},
    a.holder_id = d.holder_id AND a.recipient_id = r.requester_id,
    a.state, a.starts{plain}, a.ends{plain},
    d.state, p.kind, p.paused_at IS NULL AND p.retired_at IS NULL,
    EXISTS (SELECT 1 FROM governance_agreementdataset x
        WHERE {datasets_of_agreement} AND {covers_dataset}),
    EXISTS (SELECT 1 FROM governance_agreementpurpose x
        WHERE {purposes_of_agreement} AND {covers_purpose}),
    (SELECT {list}(CAST(x.category_id AS text), ',') FROM governance_agreementcategory x
        WHERE {categories_of_agreement}),
    EXISTS (SELECT 1 FROM governance_recipientkey k WHERE {key_of_requester} AND {key_is_current}),
    EXISTS (SELECT 1 FROM governance_membership m CROSS JOIN governance_user u
        WHERE {who_asks} AND {account_of_who_asks} AND {account_is_active}
        AND {member_of_requester} AND {member_as_requester} AND {member_still}),
    (SELECT id FROM newest) IS NOT NULL,
    (SELECT {list}(f.position || ':' || f.id || ':' || f.name || ':' || f.category_id || ':'
            || CAST(f.narrative AS integer) || ':' || g.care, ',')
        FROM governance_requestfield q CROSS JOIN governance_field f
        CROSS JOIN governance_datacategory g CROSS JOIN release_versioncolumn h
        WHERE {field_was_asked} AND {field_itself} AND {category_of_field}
        AND {held_by_newest} AND {field_is_held}),
    (SELECT count(*) || ':' || COALESCE(max(x.id), 0) FROM governance_fieldclassification x),
    (SELECT count(*) || ':' || COALESCE(max(x.id), 0) FROM governance_categoryversion x),
    o.kind,
    (SELECT {byte} FROM release_presence x WHERE {present_in_newest} AND {present_in_block}),
    (SELECT {list}(COALESCE(CAST(b.recipient_id AS text), '') || ':' || b.recipient_kind || ':'
            || COALESCE(CAST(b.purpose_id AS text), '') || ':'
            || COALESCE(CAST(b.category_id AS text), ''), ',')
        FROM consent_objection b WHERE {objection_is_hers} AND {objection_stands}),
    c.starts{plain}, c.ends{plain}, c.record_until{plain},
    c.paused_at{plain}, c.paused_until{plain}, c.ended_at{plain}, c.ending,
    c.signer, v.ends{plain}, v.ended_at{plain},
    EXISTS (SELECT 1 FROM consent_dispute e WHERE {dispute_is_hers} AND {dispute_is_open}),
    (SELECT {list}(i.version_id || ':'
            || (SELECT t.category_id FROM governance_categoryversion t WHERE {version_itself}), ',')
        FROM consent_categorysetitem i WHERE {covered_by_consent})
FROM governance_accessrequest r
    JOIN governance_agreement a ON {its_agreement}
    JOIN governance_dataset d ON {its_dataset}
    JOIN governance_purpose p ON {its_purpose}
    JOIN governance_organisation o ON {its_requester}
    LEFT JOIN consent_consent c ON {consent_is_hers} AND {consent_to_holder}
        AND {consent_to_recipient} AND {consent_for_purpose}
    LEFT JOIN consent_spoken s ON {spoken_of_consent}
    LEFT JOIN consent_representative v ON {speaker_of_spoken}
WHERE {asked} AND {as_known}
"""
DIALECTS: Mapping[str, Mapping[str, str]] = {
    "postgresql": {
        "list": "string_agg",
        "byte": "get_byte(x.bits, %(byte)s)",
        "plain": "",
    },
    "sqlite": {
        "list": "group_concat",
        "byte": "substr(x.bits, %(byte)s + 1, 1)",
        # An expression comes as it is stored: Django's converters cost more than the reading.
        "plain": " || ''",
    },
}
VALUES: Mapping[str, int] = {
    "request": BIGINT,
    "dataset": BIGINT,
    "requester": BIGINT,
    "purpose": BIGINT,
    "agreement": BIGINT,
    "by": BIGINT,
    "slot": INTEGER,
    "block": INTEGER,
    "byte": INTEGER,
}
WHOLE = 20  # so many columns of the statement are about the whole; the last is the recipient's kind


def planned(conditions: Mapping[str, str]) -> Planned:
    words = {vendor: {**dialect, **conditions} for vendor, dialect in DIALECTS.items()}
    return Planned(STATEMENT, words, VALUES)


THE_STATEMENT = planned(CONDITIONS)
# The holder asks: it is enough that somebody of the requester may still ask.
FOR_HOLDER = planned({**CONDITIONS, "who_asks": "TRUE"})
NOBODYS = -1
"""A slot that nobody has."""


def answer(
    *,
    request: AccessRequest,
    slot: int,
    by: User,
    since: datetime,
    until: datetime | None = None,
    statement: Planned = THE_STATEMENT,
) -> Opening | Refusal:
    """What `by` would receive of one person's record for `request`, at every instant of
    [since, until] (default: at `since`): which columns, or why none.

    The same as a whole release would send of hers. A reading only: nothing leaves, nothing is
    logged, and the answer holds for no later moment. Raises AccessRequest.DoesNotExist where there
    is no such request, or it no longer asks for what `request` says.
    """
    facts = gather_person(request=request, slot=slot, by=by, statement=statement)
    return decide_person(facts, since, until or since)


def gather_person(
    *, request: AccessRequest, slot: int, by: User, statement: Planned = THE_STATEMENT
) -> PersonFacts:
    """Everything the decision about one person looks at, in one statement."""
    # What a transaction has seen of itself may be taken back, and its numbers given out again.
    meaning = _whole.__wrapped__ if connection.in_atomic_block else _whole
    return _asking(request, slot, by.pk, statement, meaning).now()


def asking_for_holder(
    *, request: Asked, slot: int, statement: Planned = FOR_HOLDER
) -> Reading[PersonFacts]:
    """The same where the holder asks; `slot` may be NOBODYS. To be asked before anything is written
    in a transaction, for what has been committed is remembered."""
    return _asking(request, slot, 0, statement, _whole)


def _asking(
    request: AccessRequest | Asked,
    slot: int,
    by: int,
    statement: Planned,
    meaning: Callable[[str, tuple[Any, ...]], WholeFacts],
) -> Reading[PersonFacts]:
    byte, mask = place_of(slot)
    requester, purpose = request.requester_id, request.purpose_id
    whose = (request.pk, request.dataset_id, requester, purpose, request.agreement_id, by)
    return Reading(
        statement,
        (*whose, slot, block_of(slot), byte),
        lambda vendor, rows: _gathered(vendor, rows, requester, purpose, mask, meaning),
    )


def _gathered(
    vendor: str,
    rows: Rows,
    requester: int,
    purpose: int,
    mask: int,
    meaning: Callable[[str, tuple[Any, ...]], WholeFacts],
) -> PersonFacts:
    if not rows:
        raise AccessRequest.DoesNotExist("There is no such request.")
    kind, present, noes = rows[0][WHOLE - 1 : WHOLE + 2]
    said = [row[WHOLE + 2 :] for row in rows if row[WHOLE + 2] is not None]
    covered = tuple([row[-1] for row in said])
    read = DECODERS[vendor]
    return PersonFacts(
        whole=meaning(vendor, rows[0][:WHOLE]),
        ask=Ask(requester, read.text(kind), purpose),
        consents=tuple([_consent(vendor, row) for row in said]),
        objections=() if noes is None else _objections(read.text(noes)),
        categories=_categories(vendor, covered),
        present=present is not None and (read.byte(present) & mask) != 0,
    )


@lru_cache(maxsize=1024)
def _whole(vendor: str, values: tuple[Any, ...]) -> WholeFacts:
    """What the values mean.

    In which versions of its category a field counts is a matter of the catalogue's whole history,
    whose tables only grow: their sizes and newest rows stand among the values, so that what was
    made of them is remembered exactly as long as they are the same.
    """
    read = DECODERS[vendor]
    (
        state,
        starts,
        ends,
        between_the_two,
        agreement_state,
        agreement_starts,
        agreement_ends,
        dataset_state,
        purpose_kind,
        purpose_active,
        covers_dataset,
        covers_purpose,
        categories,
        has_key,
        has_member,
        has_version,
        fields,
        *_catalogue,
        recipient_kind,
    ) = values
    agreement = AgreementFact(
        state=AgreementState(read.text(agreement_state)),
        starts=read.moment(agreement_starts),
        ends=read.moment(agreement_ends),
        covers_dataset=read.flag(covers_dataset),
        covers_purpose=read.flag(covers_purpose),
        categories=frozenset(int(each) for (each,) in _list(read, categories)),
    )
    return WholeFacts(
        request=RequestFact(RequestState(read.text(state)), read.moment(starts), read.moment(ends)),
        agreement=agreement if read.flag(between_the_two) else None,
        dataset=DatasetState(read.text(dataset_state)),
        purpose_kind=PurposeKind(read.text(purpose_kind)),
        purpose_active=read.flag(purpose_active),
        recipient_kind=OrganisationKind(read.text(recipient_kind)),
        has_key=read.flag(has_key),
        has_member=read.flag(has_member),
        has_version=read.flag(has_version),
        fields=_fields(_list(read, fields)),
    )


def _fields(asked: list[list[str]]) -> tuple[FieldFact, ...]:
    """The approved fields that the newest version holds, in the dataset's order."""
    rows = sorted(asked, key=lambda row: int(row[0]))
    fields = [
        Field(pk=int(number), name=name, category_id=int(category), narrative=told == "1")
        for _, number, name, category, told, _ in rows
    ]
    versions = catalogue.covering_versions(fields)
    return tuple(
        FieldFact(
            name=field.name,
            category=field.category_id,
            versions=versions[field.pk],
            narrative=field.narrative,
            care=Care(care),
        )
        for field, (*_, care) in zip(fields, rows, strict=True)
    )


@lru_cache(maxsize=1024)
def _categories(vendor: str, covered: tuple[Any, ...]) -> Mapping[int, int]:
    """The category of each version that is covered."""
    read = DECODERS[vendor]
    found = {
        int(version): int(category) for text in covered for version, category in _list(read, text)
    }
    return MappingProxyType(found)


def _consent(vendor: str, values: tuple[Any, ...]) -> ConsentFact:
    read = DECODERS[vendor]
    starts, ends, day, paused_at, paused_until, ended_at, ending, *spoken, covered = values
    return ConsentFact(
        starts=read.moment(starts),
        ends=read.moment(ends),
        record_until=read.day(day),
        versions=frozenset(_categories(vendor, (covered,))),
        paused_at=None if paused_at is None else read.moment(paused_at),
        paused_until=None if paused_until is None else read.moment(paused_until),
        ended_at=None if ended_at is None else read.moment(ended_at),
        ending=None if ending is None else Ending(read.text(ending)),
        authority=_authority(read, *spoken),
    )


def _authority(
    read: Decoders, signer: Any, ends: Any, ended_at: Any, disputed: Any
) -> AuthorityFact | None:
    if read.text(signer) == Signer.SELF:
        return None
    return AuthorityFact(
        ends=None if ends is None else read.moment(ends),
        ended_at=None if ended_at is None else read.moment(ended_at),
        disputed=read.flag(disputed),
    )


def _objections(noes: str) -> tuple[ObjectionFact, ...]:
    found = [each.split(":") for each in noes.split(",")]
    return tuple(
        ObjectionFact(_number(recipient), kind or None, _number(purpose), _number(category))
        for recipient, kind, purpose, category in found
    )


def _list(read: Decoders, value: Any) -> list[list[str]]:
    return [] if value is None else [each.split(":") for each in read.text(value).split(",")]


def _number(text: str) -> int | None:
    return int(text) if text else None
