"""What a person was asked to say yes to, and what she answered until her yes counts."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import one_of, ordered, together
from common.sensitivity import Sensitivity
from consent.models.consents import CategorySet, Consent
from consent.models.people import Subject
from consent.models.terms import Terms
from consent.vocabulary import (
    ANSWERABLE,
    LONGEST_SIGNATURE,
    UNSETTLED,
    Channel,
    ProposalState,
    Turn,
)
from governance.models import DataCategory, Organisation, Purpose, User


class Proposal(models.Model):
    """One person is asked for one yes; signed, it may have to wait before it counts."""

    ref = models.CharField(max_length=32, unique=True, default=ids.proposal_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="proposals")
    recipient = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+")
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="+")
    # The longest she is asked for, in days from her signing.
    days = models.PositiveIntegerField()
    # The yes that it would go on from; nobody is asked twice whether one shall go on.
    renews = models.ForeignKey(Consent, on_delete=models.PROTECT, null=True, related_name="+")
    # Nobody: the clock asked, or the person was shredded.
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    answer_by = models.DateTimeField()
    state = models.CharField(
        max_length=16, choices=ProposalState.choices, default=ProposalState.OPEN
    )
    channel = models.CharField(max_length=16, choices=Channel.choices, blank=True)
    chosen = models.ForeignKey(CategorySet, on_delete=models.PROTECT, null=True, related_name="+")
    signature = models.CharField(max_length=LONGEST_SIGNATURE, blank=True)
    answers = models.CharField(max_length=7, blank=True)
    lawyer_offered = models.BooleanField(default=False)
    signed_at = models.DateTimeField(null=True)
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    ends = models.DateTimeField(null=True)
    record_until = models.DateField(null=True)
    takes_effect_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, null=True, related_name="+")

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        **dict.fromkeys(["ref", "subject"], Sensitivity.PSEUDONYM),
        **dict.fromkeys(
            [
                *("recipient", "purpose", "terms", "days", "renews", "asked_by", "asked_at"),
                *("answer_by", "state", "channel", "chosen", "signature", "answers"),
                *("lawyer_offered", "signed_at", "signed_by", "ends", "record_until"),
                *("takes_effect_at", "closed_at", "consent"),
            ],
            Sensitivity.PERSONAL,
        ),
    }

    class Meta:
        constraints = [
            one_of("state", ProposalState, name="proposal_state_known"),
            models.CheckConstraint(
                condition=Q(channel="") | Q(channel__in=Channel.values),
                name="proposal_channel_known",
            ),
            models.CheckConstraint(condition=Q(days__gte=1), name="proposal_lasts_a_day"),
            ordered("asked_at", "answer_by", name="proposal_asked_before_its_end"),
            together(
                *("signed_at", "chosen", "ends", "record_until", "takes_effect_at"),
                name="proposal_signed_whole",
            ),
            models.CheckConstraint(
                condition=Q(signed_at__isnull=True)
                | (Q(answers__regex=r"^y{7}$") & ~Q(signature="") & ~Q(channel="")),
                name="proposal_is_signed",
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNSETTLED, closed_at__isnull=True)
                | (~Q(state__in=UNSETTLED) & Q(closed_at__isnull=False)),
                name="proposal_settled_at_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=ANSWERABLE) | Q(signed_at__isnull=True),
                name="proposal_unanswered_is_unsigned",
            ),
            models.CheckConstraint(
                condition=Q(state=ProposalState.GIVEN, consent__isnull=False)
                | (~Q(state=ProposalState.GIVEN) & Q(consent__isnull=True)),
                name="proposal_given_is_a_consent",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[ProposalState.WAITING, ProposalState.GIVEN])
                | Q(signed_at__isnull=False),
                name="proposal_waiting_is_signed",
            ),
            models.UniqueConstraint(
                fields=["subject", "recipient", "purpose"],
                condition=Q(closed_at__isnull=True),
                name="proposal_one_unsettled",
            ),
            models.UniqueConstraint(fields=["renews"], name="proposal_renewed_once"),
        ]
        indexes = [
            # What the clock looks for at every tick: few rows.
            models.Index(
                fields=["state", "takes_effect_at", "answer_by"],
                condition=Q(closed_at__isnull=True),
                name="proposal_unsettled",
            )
        ]

    def __str__(self) -> str:
        return self.ref


class ProposalItem(models.Model):
    """One kind of information that she is asked about."""

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="items")
    category = models.ForeignKey(DataCategory, on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(["id", "proposal", "category"], Sensitivity.PERSONAL)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["proposal", "category"], name="proposal_item_once")
        ]

    def __str__(self) -> str:
        return f"proposal item {self.pk}"


class ProposalStep(models.Model):
    """One thing that happened to an ask for a yes."""

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="steps")
    turn = models.CharField(max_length=16, choices=Turn.choices)
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "proposal", "turn", "at", "entry"], Sensitivity.PERSONAL
    )

    class Meta:
        constraints = [one_of("turn", Turn, name="proposal_turn_known")]

    def __str__(self) -> str:
        return f"proposal step {self.pk}"
