"""What a person's words come to in every column that counts, and what is kept of it beside their entry.

An entry of the log says of a consent neither to whom, nor what, nor until when. What the row says is
committed to when it is written (ADR 21), so that nobody makes it say more afterwards.
"""

import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256

from audit.rules import SALT_SIZE, committed, committed_together, spelled_time
from consent.models import (
    CategorySetItem,
    Consent,
    Contest,
    Lifting,
    Objection,
    Proposal,
    ProposalItem,
    Spoken,
    Terms,
)
from consent.vocabulary import Happening, Signer
from governance.models import CategoryVersion

Said = dict[str, str]
_instant = lru_cache(4096)(spelled_time)  # many papers of a file bear the same days
UNTIL = "until"  # of a pause, and committed to with that pause alone


def yes(
    *,
    slot: int,
    holder: str,
    recipient: str,
    purpose: str,
    categories: str,
    terms: str,
    manner: Iterable[str],
    signed_at: datetime,
    starts: datetime,
    ends: datetime,
    record_until: date,
) -> Said:
    """One consent, by codes and references; `manner`: through what, by whom, the seven answers.

    Neither the signature nor who had which authority: those go when the person is shredded.
    """
    return {
        "person": str(slot),
        "holder": holder,
        "recipient": recipient,
        "purpose": purpose,
        "categories": categories,
        "terms": terms,
        "manner": " ".join(manner),
        "signed": _instant(signed_at),
        "starts": _instant(starts),
        "ends": _instant(ends),
        "record_until": record_until.isoformat(),
    }


def consents(pks: Collection[int]) -> dict[int, Said]:
    """What these consents say now, by their keys."""
    rows = list(
        Consent.objects.filter(pk__in=pks)
        .order_by()
        .values_list(
            *("pk", "subject_id", "holder__ref", "recipient__ref", "purpose__code"),
            *("category_set_id", "terms_id", "channel", "signer", "answers"),
            *("signed_at", "starts", "ends", "record_until"),
        )
    )
    categories = in_sets({row[5] for row in rows})
    terms = texts({row[6] for row in rows})
    given = _given({row[0] for row in rows if row[8] != Signer.SELF})
    return {
        pk: given.get(pk, {})
        | yes(
            slot=slot,
            holder=holder,
            recipient=recipient,
            purpose=purpose,
            categories=categories.get(held, ""),
            terms=terms[text],
            manner=manner,
            signed_at=signed_at,
            starts=starts,
            ends=ends,
            record_until=record_until,
        )
        for pk, slot, holder, recipient, purpose, held, text, *manner, signed_at, starts, ends, record_until in rows
    }


def _given(pks: Collection[int]) -> dict[int, Said]:
    """Of the yeses that somebody else gave: by which authority, and what she said to it."""
    rows = Spoken.objects.filter(consent__in=pks) if pks else Spoken.objects.none()
    return {
        pk: {"given": f"{ref} {assent}"}
        for pk, ref, assent in rows.values_list("consent_id", "representative__ref", "assent")
    }


def paused(pks: Collection[int]) -> dict[int, tuple[datetime, str]]:
    """Of these consents those with a pause: since when, and until when (empty: until it is resumed)."""
    rows = Consent.objects.filter(pk__in=pks, paused_at__isnull=False)
    return {
        pk: (at, _time(until)) for pk, at, until in rows.values_list("pk", "paused_at", "paused_until") if at
    }  # fmt: skip


def objections(pks: Collection[int]) -> dict[int, Said]:
    """What these standing noes say now, by their keys."""
    rows = Objection.objects.filter(pk__in=pks).values_list(
        *("pk", "subject_id", "recipient__ref", "recipient_kind", "purpose__code"),
        *("category__code", "made_at"),
    )
    return {
        pk: {
            "person": str(slot),
            "recipient": recipient or "",
            "kind": kind,
            "purpose": purpose or "",
            "category": category or "",
            "made": _instant(made_at),
        }
        for pk, slot, recipient, kind, purpose, category, made_at in rows
    }


def asks(pks: Collection[int]) -> dict[int, Said]:
    """What these asks for a yes say now, by their keys: what was asked and, once signed, the answer.

    Neither who asked nor the signature: those go when the person is shredded.
    """
    rows = list(
        Proposal.objects.filter(pk__in=pks)
        .order_by()
        .values_list(
            *("pk", "subject_id", "subject__holder__ref", "recipient__ref", "purpose__code"),
            *("terms_id", "days", "renews__ref", "asked_at", "answer_by", "signed_at", "chosen_id"),
            *("channel", "answers", "lawyer_offered", "ends", "record_until", "takes_effect_at"),
        )
    )
    shown = texts({row[5] for row in rows})
    chosen = in_sets({row[11] for row in rows if row[11] is not None})
    offered: dict[int, list[str]] = {}
    items = ProposalItem.objects.filter(proposal__in=pks)
    for pk, code in items.values_list("proposal_id", "category__code"):
        offered.setdefault(pk, []).append(code)
    found = {}
    for (
        pk,
        slot,
        holder,
        recipient,
        purpose,
        terms,
        days,
        renews,
        asked,
        answer_by,
        signed,
        *rest,
    ) in rows:
        found[pk] = {
            "person": str(slot),
            "holder": holder,
            "recipient": recipient,
            "purpose": purpose,
            "offered": _spelled(offered.get(pk, [])),
            "terms": shown[terms],
            "days": str(days),
            "renews": renews or "",
            "asked": _instant(asked),
            "answer_by": _instant(answer_by),
        }
        if signed is not None:
            picked, channel, answers, lawyer, ends, record_until, effect = rest
            found[pk] |= {
                "signed": _instant(signed),
                "categories": chosen.get(picked, ""),
                "manner": f"{channel} {answers} {'lawyer' if lawyer else ''}",
                "ends": _instant(ends),
                "record_until": record_until.isoformat(),
                "effect": _instant(effect),
            }
    return found


def contests(pks: Collection[int]) -> dict[int, Said]:
    """What these say is wrong, or is not to be shared for now, and what was decided; by their keys."""
    rows = Contest.objects.filter(pk__in=pks).select_related("category")
    return {row.pk: contest(row) for row in rows}


def contest(row: Contest) -> Said:
    """The same of one, written or about to be."""
    said = {
        "person": str(row.subject_id),
        "contested": str(row.kind),
        "category": row.category.code,
        "asked": _instant(row.asked_at),
    }
    return said | ({"decided": str(row.decision)} if row.decision else {})


def liftings(pks: Collection[int]) -> dict[int, Said]:
    """Of which no these say that it is to be taken back, or how much of it is to stay; by their keys."""
    rows = Lifting.objects.filter(pk__in=pks).values_list(
        *("pk", "objection__subject_id", "objection__made_at", "recipient__ref", "recipient_kind"),
        *("purpose__code", "category__code", "asked_at", "due_at"),
    )
    return {
        pk: {
            "person": str(slot),
            "made": _instant(made_at),
            "recipient": recipient or "",
            "kind": kind,
            "purpose": purpose or "",
            "category": category or "",
            "asked": _instant(asked_at),
            "effect": _instant(due_at),
        }
        for pk, slot, made_at, recipient, kind, purpose, category, asked_at, due_at in rows
    }


def in_sets(sets: Collection[int]) -> dict[int, str]:
    """The category versions of these sets, spelled."""
    found: dict[int, list[str]] = {}
    rows = CategorySetItem.objects.filter(set__in=sets)
    for pk, code, number in rows.values_list(
        "set_id", "version__category__code", "version__number"
    ):
        found.setdefault(pk, []).append(f"{code}/{number}")
    return {pk: _spelled(several) for pk, several in found.items()}


def of_versions(versions: Mapping[str, Collection[int]]) -> dict[str, str]:
    """The same of these category versions, by whatever stands for each choice of them."""
    wanted = {pk for several in versions.values() for pk in several}
    rows = CategoryVersion.objects.filter(pk__in=wanted)
    named = {
        pk: f"{code}/{number}"
        for pk, code, number in rows.values_list("pk", "category__code", "number")
    }
    return {key: _spelled(named[pk] for pk in several) for key, several in versions.items()}


def texts(terms: Collection[int]) -> dict[int, str]:
    """Which text each of these terms is, to the letter."""
    return {each.pk: text(each) for each in Terms.objects.filter(pk__in=terms)}


def text(terms: Terms) -> str:
    return f"{terms} {sha256(terms.text.encode()).hexdigest()}"


def beside_consents(pks: Collection[int], happening: Happening) -> bytes:
    """What is kept beside the entry of what just happened to these consents."""
    said = consents(pks)
    if len(said) != 1:
        return together(said.values())
    ((pk, one),) = said.items()
    if happening == Happening.PAUSED:
        one[UNTIL] = paused([pk])[pk][1]
    return committed(secrets.token_bytes(SALT_SIZE), one)


def beside_objections(pks: Collection[int]) -> bytes:
    """What is kept beside the entry of these standing noes."""
    said = objections(pks)
    if len(said) != 1:
        return together(said.values())
    (one,) = said.values()
    return committed(secrets.token_bytes(SALT_SIZE), one)


def beside_ask(pk: int) -> bytes:
    """What is kept beside the entry of what just happened to this ask, as it stands after it."""
    return committed(secrets.token_bytes(SALT_SIZE), asks([pk])[pk])


def beside_lifting(pk: int) -> bytes:
    """What is kept beside the entry of this lifting."""
    return committed(secrets.token_bytes(SALT_SIZE), liftings([pk])[pk])


def beside_contest(row: Contest) -> bytes:
    """What is kept beside the entry of what was just asked or decided."""
    return committed(secrets.token_bytes(SALT_SIZE), contest(row))


def together(said: Iterable[Said]) -> bytes:
    """What is kept beside one entry about many rows."""
    return committed_together(secrets.token_bytes(SALT_SIZE), said)


def _spelled(versions: Iterable[str]) -> str:
    return " ".join(sorted(versions))


def _time(at: datetime | None) -> str:
    return _instant(at) if at is not None else ""
