"""A person's standing no."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import ordered
from common.sensitivity import Sensitivity
from consent.models.people import Subject
from governance.models import DataCategory, Organisation, Purpose, User
from governance.vocabulary import OrganisationKind


class Objection(models.Model):
    """One person's standing no to a recipient, a kind of recipient, a purpose, a category, or a mix.

    Nothing named is a no to everything (a freeze).
    """

    ref = models.CharField(max_length=32, unique=True, default=ids.objection_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="objections")
    recipient = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="+"
    )
    recipient_kind = models.CharField(max_length=32, choices=OrganisationKind.choices, blank=True)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, null=True, related_name="+")
    category = models.ForeignKey(
        DataCategory, on_delete=models.PROTECT, null=True, related_name="+"
    )
    made_at = models.DateTimeField()
    # Nobody only where the person was shredded: it may have been her own sign-in.
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "ref": Sensitivity.PSEUDONYM,
        "subject": Sensitivity.PSEUDONYM,
        "recipient": Sensitivity.PERSONAL,
        "recipient_kind": Sensitivity.PERSONAL,
        "purpose": Sensitivity.PERSONAL,
        "category": Sensitivity.PERSONAL,
        "made_at": Sensitivity.PERSONAL,
        "made_by": Sensitivity.PERSONAL,
        "lifted_at": Sensitivity.PERSONAL,
    }

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(recipient_kind="") | Q(recipient_kind__in=OrganisationKind.values),
                name="objection_kind_known",
            ),
            ordered("made_at", "lifted_at", name="objection_made_before_lifted"),
        ]
        indexes = [
            models.Index(
                fields=["subject"], condition=Q(lifted_at__isnull=True), name="objection_standing"
            )
        ]

    def __str__(self) -> str:
        return self.ref


class Lifting(models.Model):
    """One person takes a standing no back, or makes it smaller; it waits before it counts."""

    ref = models.CharField(max_length=32, unique=True, default=ids.lifting_reference)
    objection = models.ForeignKey(Objection, on_delete=models.PROTECT, related_name="liftings")
    # What the smaller no would name; nothing at all where it is taken back whole.
    recipient = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="+"
    )
    recipient_kind = models.CharField(max_length=32, choices=OrganisationKind.choices, blank=True)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, null=True, related_name="+")
    category = models.ForeignKey(
        DataCategory, on_delete=models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    due_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        **dict.fromkeys(["ref", "objection"], Sensitivity.PSEUDONYM),
        **dict.fromkeys(
            [
                *("recipient", "recipient_kind", "purpose", "category", "asked_at", "asked_by"),
                *("due_at", "cancelled_at", "done_at"),
            ],
            Sensitivity.PERSONAL,
        ),
    }

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(recipient_kind="") | Q(recipient_kind__in=OrganisationKind.values),
                name="lifting_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True) | Q(done_at__isnull=True),
                name="lifting_done_or_cancelled",
            ),
            models.UniqueConstraint(
                fields=["objection"],
                condition=Q(cancelled_at__isnull=True, done_at__isnull=True),
                name="lifting_one_open",
            ),
        ]

    def __str__(self) -> str:
        return self.ref
