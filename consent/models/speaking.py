"""Who may speak for a person who cannot do so alone, and who may never."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from common import ids
from common.constraints import one_of, ordered, together
from common.sensitivity import Sensitivity
from consent.models.consents import Consent
from consent.models.people import Subject
from consent.vocabulary import Assent, Paper, Speaker, Threat
from governance.models import Organisation, User


def _personal(*names: str) -> dict[str, Sensitivity]:
    return {
        "id": Sensitivity.INTERNAL,
        **dict.fromkeys(["ref", "subject"], Sensitivity.PSEUDONYM),
        **dict.fromkeys(names, Sensitivity.PERSONAL),
    }


class Representative(models.Model):
    """One other person may speak for a person, by a paper that says so, until it ends."""

    ref = models.CharField(max_length=32, unique=True, default=ids.representative_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="speakers")
    kind = models.CharField(max_length=16, choices=Speaker.choices)
    # Who it is, under the person's own key: it tells the same one again and leads to nobody.
    who = models.CharField(max_length=64)
    paper = models.CharField(max_length=16, choices=Paper.choices)
    # The paper's digest stands sealed beside this entry: it would lead to her.
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")
    # An organisation that this person works for may get nothing by this person's yes.
    works_for = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="+"
    )
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        **_personal(
            *("kind", "paper", "entry", "works_for", "starts", "ends"),
            *("recorded_by", "recorded_at", "ended_by", "ended_at"),
        ),
        "who": Sensitivity.PSEUDONYM,
    }

    class Meta:
        constraints = [
            one_of("kind", Speaker, name="speaker_kind_known"),
            one_of("paper", Paper, name="speaker_paper_known"),
            models.CheckConstraint(
                condition=Q(who__regex=r"^[0-9a-f]{64}$"), name="speaker_who_is_a_digest"
            ),
            models.CheckConstraint(
                condition=~Q(kind=Speaker.GUARDIAN) | Q(paper=Paper.ORDER),
                name="speaker_guardian_by_order",
            ),
            ordered("starts", "ends", name="speaker_starts_before_end"),
            together("ended_at", "ended_by", name="speaker_ended_by_somebody"),
            models.UniqueConstraint(
                fields=["subject", "who"],
                condition=Q(ended_at__isnull=True),
                name="speaker_once",
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class Spoken(models.Model):
    """One yes was given by one who may speak for the person, and she was asked too."""

    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, related_name="spoken")
    representative = models.ForeignKey(
        Representative, on_delete=models.PROTECT, related_name="yeses"
    )
    assent = models.CharField(max_length=16, choices=Assent.choices)

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "consent", "representative", "assent"], Sensitivity.PERSONAL
    )

    class Meta:
        constraints = [one_of("assent", Assent, name="spoken_assent_known")]

    def __str__(self) -> str:
        return f"spoken {self.pk}"


class Minority(models.Model):
    """One person is a minor until a day; nothing more of her age is known here."""

    ref = models.CharField(max_length=32, unique=True, default=ids.minority_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="minorities")
    majority = models.DateField()
    # She may lawfully receive this service alone, and so says yes alone.
    alone = models.BooleanField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = _personal(
        *("majority", "alone", "entry", "recorded_by", "recorded_at", "ended_by", "ended_at")
    )

    class Meta:
        constraints = [
            together("ended_at", "ended_by", name="minority_ended_by_somebody"),
            models.UniqueConstraint(
                fields=["subject"], condition=Q(ended_at__isnull=True), name="minority_one_stands"
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class Flag(models.Model):
    """One other person may never speak for a person."""

    ref = models.CharField(max_length=32, unique=True, default=ids.flag_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="flags")
    who = models.CharField(max_length=64)
    threat = models.CharField(max_length=16, choices=Threat.choices)
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    sensitivity: ClassVar = {
        **_personal("threat", "entry", "made_by", "made_at"),
        "who": Sensitivity.PSEUDONYM,
    }

    class Meta:
        constraints = [
            one_of("threat", Threat, name="flag_threat_known"),
            models.CheckConstraint(
                condition=Q(who__regex=r"^[0-9a-f]{64}$"), name="flag_who_is_a_digest"
            ),
            models.UniqueConstraint(fields=["subject", "who"], name="flag_once"),
        ]

    def __str__(self) -> str:
        return self.ref


class Dispute(models.Model):
    """It is disputed who may speak for one person: until it is settled nobody's yes for her counts."""

    ref = models.CharField(max_length=32, unique=True, default=ids.dispute_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="disputes")
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")
    reported_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField()
    resolved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    resolved_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = _personal(
        *("entry", "reported_by", "reported_at", "resolved_by", "resolved_at")
    )

    class Meta:
        constraints = [
            together("resolved_at", "resolved_by", name="dispute_resolved_by_somebody"),
            models.UniqueConstraint(
                fields=["subject"], condition=Q(resolved_at__isnull=True), name="dispute_one_open"
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class Death(models.Model):
    """One person has died, as two people of her holder say, or one who saw the paper."""

    ref = models.CharField(max_length=32, unique=True, default=ids.death_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="deaths")
    reported_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField()
    # The digest of the paper stands sealed beside the entry of the report.
    documented = models.BooleanField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")
    agreed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    agreed_at = models.DateTimeField(null=True)
    # From then on nothing goes without a yes that was given after it.
    counts_at = models.DateTimeField(null=True)
    taken_back_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    taken_back_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = _personal(
        *("reported_by", "reported_at", "documented", "entry", "agreed_by", "agreed_at"),
        *("counts_at", "taken_back_by", "taken_back_at"),
    )

    class Meta:
        constraints = [
            together("agreed_at", "agreed_by", name="death_agreed_by_somebody"),
            together("taken_back_at", "taken_back_by", name="death_taken_back_by_somebody"),
            models.CheckConstraint(
                condition=Q(agreed_by__isnull=True) | ~Q(agreed_by=F("reported_by")),
                name="death_by_two",
            ),
            models.CheckConstraint(
                condition=Q(counts_at__isnull=True)
                | Q(documented=True)
                | Q(agreed_at__isnull=False),
                name="death_by_two_or_a_paper",
            ),
            models.UniqueConstraint(
                fields=["subject"],
                condition=Q(taken_back_at__isnull=True),
                name="death_one_stands",
            ),
        ]

    def __str__(self) -> str:
        return self.ref
