"""The end of what leads to a person, and what holds it up."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from common import ids
from common.constraints import one_of, ordered, together
from common.sensitivity import Sensitivity
from consent.models.people import Subject
from consent.vocabulary import HoldGround
from governance.models import User


class Shredding(models.Model):
    """Two people of a holder agree that nothing shall lead to one of its clients any more."""

    ref = models.CharField(max_length=32, unique=True, default=ids.shredding_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="shreddings")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    # Why stands sealed beside this entry.
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")
    agreed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    agreed_at = models.DateTimeField(null=True)
    called_off_at = models.DateTimeField(null=True)
    # Nobody: she herself did. Her sign-in would lead from here to her.
    called_off_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    shredded_at = models.DateTimeField(null=True)
    # Her client number is out of the file of noes as well.
    cleaned_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        **dict.fromkeys(["ref", "subject"], Sensitivity.PSEUDONYM),
        **dict.fromkeys(
            [
                *("asked_by", "asked_at", "entry", "agreed_by", "agreed_at", "called_off_at"),
                *("called_off_by", "shredded_at", "cleaned_at"),
            ],
            Sensitivity.PERSONAL,
        ),
    }

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(agreed_by__isnull=True) | ~Q(agreed_by=F("asked_by")),
                name="shredding_by_two",
            ),
            together("agreed_at", "agreed_by", name="shredding_agreed_by_somebody"),
            models.CheckConstraint(
                condition=Q(shredded_at__isnull=True)
                | Q(agreed_at__isnull=False, called_off_at__isnull=True),
                name="shredding_done_was_agreed",
            ),
            models.CheckConstraint(
                condition=Q(called_off_by__isnull=True) | Q(called_off_at__isnull=False),
                name="shredding_called_off_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(cleaned_at__isnull=True) | Q(shredded_at__isnull=False),
                name="shredding_cleaned_after",
            ),
            models.UniqueConstraint(
                fields=["subject"],
                condition=Q(called_off_at__isnull=True),
                name="shredding_one_open",
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class LegalHold(models.Model):
    """The law keeps one person's record: until it ends nothing of it is wiped."""

    ref = models.CharField(max_length=32, unique=True, default=ids.hold_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="holds")
    ground = models.CharField(max_length=16, choices=HoldGround.choices)
    # The digest of the paper it rests on stands sealed beside this entry: it would lead to her.
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    ends = models.DateTimeField()
    lifted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        **dict.fromkeys(["ref", "subject"], Sensitivity.PSEUDONYM),
        **dict.fromkeys(
            ["ground", "entry", "placed_by", "placed_at", "ends", "lifted_by", "lifted_at"],
            Sensitivity.PERSONAL,
        ),
    }

    class Meta:
        constraints = [
            one_of("ground", HoldGround, name="hold_ground_known"),
            ordered("placed_at", "ends", name="hold_placed_before_end"),
            together("lifted_at", "lifted_by", name="hold_lifted_by_somebody"),
        ]

    def __str__(self) -> str:
        return self.ref
