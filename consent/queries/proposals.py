"""What a person is asked for, and what of it waits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from consent.models import CategorySetItem, Consent, Proposal, Subject, Terms
from consent.queries import speaking, texts
from consent.rules.waiting import CAUTIOUS, SOONEST, renewal_from
from consent.vocabulary import ANSWERABLE, UNSETTLED, ProposalState, Signer
from governance.models import DataCategory, Organisation, Purpose, User


@dataclass(frozen=True)
class Asked:
    """One ask as she sees it: who, what, why, how long, and what became of it."""

    proposal: Proposal
    holder: Organisation
    recipient: Organisation
    purpose: Purpose
    categories: tuple[DataCategory, ...]
    chosen: tuple[DataCategory, ...]

    @property
    def ref(self) -> str:
        return self.proposal.ref

    @property
    def waits(self) -> bool:
        return self.proposal.state == ProposalState.WAITING

    @property
    def later(self) -> bool:
        return self.proposal.state == ProposalState.DEFERRED

    @property
    def cautious(self) -> bool:
        """Whether it is one of those that stand on a page of their own."""
        return self.recipient.kind in CAUTIOUS


@dataclass(frozen=True)
class Askable:
    """Whom and what a person can be asked about now."""

    recipients: tuple[Organisation, ...]
    purposes: tuple[Purpose, ...]
    categories: tuple[DataCategory, ...]
    terms: tuple[Terms, ...]


def askable(at: datetime) -> Askable:
    """Verified organisations, purposes and texts in use, and every kind of information."""
    running = Purpose.objects.filter(retired_at__isnull=True, paused_at__isnull=True)
    return Askable(
        recipients=tuple(
            Organisation.objects.filter(verified_at__isnull=False).order_by("name", "pk")
        ),
        purposes=tuple(running),
        categories=tuple(DataCategory.objects.order_by("code")),
        terms=tuple(texts.in_use(at)),
    )


def of(account: User, at: datetime) -> list[Asked]:
    """What this sign-in is asked for and may still answer, and what waits: oldest first."""
    rows = _hers(account).filter(state__in=UNSETTLED)
    open_now = rows.filter(Q(state=ProposalState.WAITING) | Q(answer_by__gt=at))
    return [_asked(each) for each in open_now.order_by("asked_at", "pk")]


def one(account: User, ref: str) -> Asked | None:
    """One of this account's own asks, answered or not; None for anybody else's."""
    found = _hers(account).filter(ref=ref).first()
    return None if found is None else _asked(found)


def recipients(account: User) -> list[Organisation]:
    """Everybody to whom this sign-in was ever asked to let something go, in the order of asking."""
    return [each.recipient for each in _hers(account).order_by("pk")]


def _hers(account: User) -> QuerySet[Proposal]:
    return _whole().filter(subject__account=account)


def _whole() -> QuerySet[Proposal]:
    return Proposal.objects.select_related(
        *("subject__holder", "recipient", "purpose", "terms", "signed_by", "renews", "consent")
    )


def _asked(proposal: Proposal) -> Asked:
    items = DataCategory.objects.filter(pk__in=proposal.items.values("category"))
    chosen = categories_of(proposal.chosen_id) if proposal.chosen_id is not None else []
    return Asked(
        proposal=proposal,
        holder=proposal.subject.holder,
        recipient=proposal.recipient,
        purpose=proposal.purpose,
        categories=tuple(items.order_by("code")),
        chosen=tuple(chosen),
    )


def categories_of(category_set: int) -> Sequence[DataCategory]:
    """The kinds of information in one set, by code."""
    items = CategorySetItem.objects.filter(set=category_set)
    wanted = items.values("version__category")
    return list(DataCategory.objects.filter(pk__in=wanted).order_by("code"))


def asked_lately(subject: Subject, recipient: Organisation, purpose: Purpose, at: datetime) -> bool:
    """Whether she is being asked for this, or was and the time to answer is not over yet.

    A no counts as one that was not answered: whoever asks again is told the same of both.
    """
    same = Proposal.objects.filter(subject=subject, recipient=recipient, purpose=purpose)
    quiet = Q(state=ProposalState.REFUSED, answer_by__gt=at)
    return same.filter(Q(state__in=UNSETTLED) | quiet).exists()


def unanswered(at: datetime) -> QuerySet[Proposal]:
    """What nobody answered in time."""
    rows = _whole().filter(closed_at__isnull=True, state__in=ANSWERABLE, answer_by__lte=at)
    return rows.order_by("answer_by", "pk")


def waited(at: datetime) -> QuerySet[Proposal]:
    """What was signed and has waited long enough."""
    rows = _whole().filter(
        closed_at__isnull=True, state=ProposalState.WAITING, takes_effect_at__lte=at
    )
    return rows.order_by("takes_effect_at", "pk")


def ending_soon(at: datetime) -> list[tuple[Consent, Terms]]:
    """Yeses of people who sign in here that end soon and were never asked to go on, each with the
    text that is used now in its language; where none is, nobody is asked."""
    consents = (
        Consent.objects.filter(
            Q(paused_at__isnull=True) | Q(paused_until__lte=at),
            ended_at__isnull=True,
            signer=Signer.SELF,
            starts__lte=at,
            ends__gt=at,
            ends__lte=at + SOONEST,
            subject__account__isnull=False,
            purpose__retired_at__isnull=True,
        )
        .exclude(Exists(Proposal.objects.filter(renews=OuterRef("pk"))))
        .select_related("subject__holder", "recipient", "purpose", "terms")
        .order_by("ends", "pk")
    )
    return _with_texts(
        [each for each in consents if renewal_from(each.starts, each.ends) <= at], at
    )


def come_of_age(at: datetime) -> list[tuple[Consent, Terms]]:
    """What others said yes to for people who are of age by now and sign in here: it has ended, and
    they were never asked themselves."""
    consents = speaking.grown_up(at).filter(subject__account__isnull=False)
    return _with_texts(consents.exclude(Exists(Proposal.objects.filter(renews=OuterRef("pk")))), at)


def _with_texts(consents: Iterable[Consent], at: datetime) -> list[tuple[Consent, Terms]]:
    found = []
    for consent in consents:
        terms = (
            Terms.objects.filter(
                code=consent.terms.code,
                language=consent.terms.language,
                retired_at__isnull=True,
                published_at__lte=at,
            )
            .order_by(F("version").desc())
            .first()
        )
        if terms is not None:
            found.append((consent, terms))
    return found
