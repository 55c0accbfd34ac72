"""The texts people say yes to: which are in use, and whose yes was to one that is used no more."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, Max, OuterRef, QuerySet

from consent.models import Consent, Proposal, Terms
from consent.vocabulary import UNSETTLED
from governance.models import Organisation


def in_use(at: datetime) -> QuerySet[Terms]:
    """The newest version of each text, in each language it was published in."""
    newer = _newer(at)
    rows = Terms.objects.filter(retired_at__isnull=True, published_at__lte=at)
    return rows.exclude(Exists(newer)).order_by("code", "language")


def _newer(at: datetime) -> QuerySet[Terms]:
    return Terms.objects.filter(
        code=OuterRef("code"), version__gt=OuterRef("version"), published_at__lte=at
    )


def published_by(organisations: Collection[Organisation], at: datetime) -> list[Terms]:
    """What these organisations publish now, in every language."""
    return list(in_use(at).filter(publisher__in=organisations))


def newest(code: str) -> list[Terms]:
    """The newest version of one text, in every language; empty where there is none."""
    rows = Terms.objects.filter(code=code)
    last = rows.aggregate(last=Max("version"))["last"]
    return list(rows.filter(version=last).order_by("language").prefetch_related("parts"))


def older(terms: Terms, at: datetime) -> bool:
    """Whether there is a newer version, so that nobody is asked with this one any more."""
    newer = Terms.objects.filter(code=terms.code, version__gt=terms.version, published_at__lte=at)
    return newer.exists()


def replaced(terms: Terms, at: datetime) -> bool:
    """Whether a newer version lets more go, so that no yes to this one comes into force any more."""
    return replaced_texts(at).filter(pk=terms.pk).exists()


def replaced_texts(at: datetime) -> QuerySet[Terms]:
    """Those whose yeses end, because a newer version lets more go."""
    return Terms.objects.filter(Exists(_newer(at).filter(widens=True)))


def instead(terms: Terms, at: datetime) -> Terms | None:
    """The text that is used now in the place of this one: in its language, or else in English."""
    rows = {each.language: each for each in in_use(at).filter(code=terms.code)}
    return rows.get(terms.language) or rows.get("en")


def holders(at: datetime) -> list[int]:
    """At whom a yes or an ask is still under a text that was replaced, by primary key."""
    found = _running(at).values_list("holder", flat=True).distinct()
    asked = _asked(at).values_list("subject__holder", flat=True).distinct()
    return sorted({*found.order_by(), *asked.order_by()})


def to_end(holder: int, at: datetime, most: int) -> list[tuple[int, int, int]]:
    """So many yeses at this holder to texts that were replaced: each with its recipient and its
    person's slot."""
    rows = _running(at).filter(holder=holder).order_by("pk")
    return list(rows.values_list("pk", "recipient_id", "subject_id")[: max(most, 0)])


def to_ask_anew(holder: int, at: datetime, most: int) -> list[tuple[int, int, int]]:
    """So many asks of it under such texts that are not over, in the same way."""
    rows = _asked(at).filter(subject__holder=holder).order_by("pk")
    return list(rows.values_list("pk", "recipient_id", "subject_id")[: max(most, 0)])


def _running(at: datetime) -> QuerySet[Consent]:
    return Consent.objects.filter(
        terms__in=_replaced_keys(at), ended_at__isnull=True, expired_at__isnull=True, ends__gt=at
    )


def _asked(at: datetime) -> QuerySet[Proposal]:
    return Proposal.objects.filter(
        terms__in=_replaced_keys(at), state__in=UNSETTLED, closed_at__isnull=True
    )


def _replaced_keys(at: datetime) -> list[int]:
    """Read first: few, and with them the small index is used."""
    return list(replaced_texts(at).values_list("pk", flat=True))
