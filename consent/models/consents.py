"""A person's yes and everything that happened to it."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from common import ids
from common.constraints import one_of, ordered, together
from common.sensitivity import Sensitivity
from consent.models.people import Subject
from consent.models.terms import Terms
from consent.vocabulary import (
    LONGEST_AUTHORITY,
    LONGEST_SIGNATURE,
    Channel,
    Ending,
    Happening,
    Invalidity,
    Signer,
)
from governance.models import CategoryVersion, Organisation, Purpose, User


class CategorySet(models.Model):
    """Exactly the category versions that some yeses cover; written once, shared by many."""

    digest = models.CharField(max_length=64, unique=True)

    sensitivity: ClassVar = dict.fromkeys(["id", "digest"], Sensitivity.INTERNAL)

    def __str__(self) -> str:
        return f"category set {self.pk}"


class CategorySetItem(models.Model):
    """One category version in one set."""

    set = models.ForeignKey(CategorySet, on_delete=models.PROTECT, related_name="items")
    version = models.ForeignKey(CategoryVersion, on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(["id", "set", "version"], Sensitivity.INTERNAL)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["set", "version"], name="category_set_item_once")
        ]

    def __str__(self) -> str:
        return f"category set item {self.pk}"


class Consent(models.Model):
    """One person's yes to one holder disclosing to one recipient for one purpose some categories."""

    ref = models.CharField(max_length=32, unique=True, default=ids.consent_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="consents")
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    recipient = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+")
    category_set = models.ForeignKey(CategorySet, on_delete=models.PROTECT, related_name="+")
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=16, choices=Channel.choices)
    signer = models.CharField(max_length=16, choices=Signer.choices)
    authority = models.CharField(max_length=LONGEST_AUTHORITY, blank=True)
    signature = models.CharField(max_length=LONGEST_SIGNATURE)
    answers = models.CharField(max_length=7)
    signed_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    # Nobody only where the person was shredded: it may have been her own sign-in.
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    # What was recorded about the person up to this day is covered (default: the day of the yes).
    record_until = models.DateField()
    paused_at = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    # When the clock wrote down that its time was over; it permits nothing from `ends` on without it.
    expired_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=16, choices=Ending.choices, null=True)  # noqa: DJ001 - empty together with ended_at

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "ref": Sensitivity.PSEUDONYM,
        "subject": Sensitivity.PSEUDONYM,
        "holder": Sensitivity.PERSONAL,
        "recipient": Sensitivity.PERSONAL,
        "purpose": Sensitivity.PERSONAL,
        "category_set": Sensitivity.PERSONAL,
        "terms": Sensitivity.PERSONAL,
        "channel": Sensitivity.PERSONAL,
        "signer": Sensitivity.PERSONAL,
        "authority": Sensitivity.PERSONAL,
        "signature": Sensitivity.PERSONAL,
        "answers": Sensitivity.PERSONAL,
        "signed_at": Sensitivity.PERSONAL,
        "recorded_at": Sensitivity.PERSONAL,
        "recorded_by": Sensitivity.PERSONAL,
        "starts": Sensitivity.PERSONAL,
        "ends": Sensitivity.PERSONAL,
        "record_until": Sensitivity.PERSONAL,
        "paused_at": Sensitivity.PERSONAL,
        "paused_until": Sensitivity.PERSONAL,
        "expired_at": Sensitivity.PERSONAL,
        "ended_at": Sensitivity.PERSONAL,
        "ending": Sensitivity.PERSONAL,
    }

    class Meta:
        constraints = [
            one_of("channel", Channel, name="consent_channel_known"),
            one_of("signer", Signer, name="consent_signer_known"),
            models.CheckConstraint(
                condition=Q(ending__isnull=True) | Q(ending__in=Ending.values),
                name="consent_ending_known",
            ),
            together("ended_at", "ending", name="consent_end_has_a_how"),
            ordered("starts", "ends", name="consent_starts_before_end"),
            models.CheckConstraint(
                condition=Q(paused_until__isnull=True) | Q(paused_at__isnull=False),
                name="consent_pause_has_a_start",
            ),
            # One that she gave herself has no other end than its own.
            models.CheckConstraint(
                condition=Q(expired_at__isnull=True)
                | Q(expired_at__gte=F("ends"))
                | Q(signer=Signer.GUARDIAN),
                name="consent_expired_past_its_end",
            ),
            models.CheckConstraint(
                condition=Q(answers__regex=r"^y{7}$"), name="consent_seven_answers_yes"
            ),
            models.CheckConstraint(condition=~Q(signature=""), name="consent_is_signed"),
            models.CheckConstraint(
                condition=Q(signer=Signer.SELF) | ~Q(authority=""), name="consent_signer_authority"
            ),
            models.CheckConstraint(
                condition=~Q(holder=F("recipient")), name="consent_holder_is_not_recipient"
            ),
            models.UniqueConstraint(
                fields=["subject", "holder", "recipient", "purpose"],
                condition=Q(ended_at__isnull=True),
                name="consent_one_in_force",
            ),
        ]
        indexes = [
            # Everybody's word on one ask in index-only scans (bench/consent_set.py). All columns are
            # keys: SQLite knows no others, and the server passes over who has run out in the index.
            models.Index(
                fields=[
                    "recipient",
                    "purpose",
                    "holder",
                    "subject",
                    "category_set",
                    "starts",
                    "ends",
                    "record_until",
                    "paused_at",
                    "paused_until",
                ],
                condition=Q(ended_at__isnull=True),
                name="consent_set",
            ),
            models.Index(
                fields=["recipient", "purpose", "holder", "subject"],
                condition=Q(ended_at__isnull=False),
                name="consent_ended",
            ),
            # Those whose end the clock has yet to write down, asked for every half minute: of 3 million
            # rows, half of them marked, 0.7 s without it on PostgreSQL and 4 ms with it (3.6 MB).
            models.Index(
                fields=["ends"],
                condition=Q(ended_at__isnull=True, expired_at__isnull=True),
                name="consent_to_expire",
            ),
            # Whose yes is to a text that was replaced: asked for every half minute, and mostly nobody's.
            models.Index(
                fields=["terms"],
                condition=Q(ended_at__isnull=True, expired_at__isnull=True),
                name="consent_of_a_text",
            ),
            # Those that somebody else gave: few, and asked for beside all the others.
            models.Index(
                fields=["recipient", "purpose", "holder", "subject"],
                condition=Q(signer=Signer.GUARDIAN, ended_at__isnull=True),
                name="consent_spoken_for",
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class ConsentEvent(models.Model):
    """One thing that happened to a consent."""

    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="events")
    happening = models.CharField(max_length=16, choices=Happening.choices)
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "consent", "happening", "at", "by", "entry"], Sensitivity.PERSONAL
    )

    class Meta:
        constraints = [one_of("happening", Happening, name="consent_event_known")]

    def __str__(self) -> str:
        return f"consent event {self.pk}"


class Invalidation(models.Model):
    """One consent was found never to have counted."""

    consent = models.OneToOneField(Consent, on_delete=models.PROTECT, related_name="invalidation")
    reason = models.CharField(max_length=16, choices=Invalidity.choices)

    sensitivity: ClassVar = dict.fromkeys(["id", "consent", "reason"], Sensitivity.PERSONAL)

    class Meta:
        constraints = [one_of("reason", Invalidity, name="invalidation_reason_known")]

    def __str__(self) -> str:
        return f"invalidation {self.pk}"
