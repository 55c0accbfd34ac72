"""Who of a holder's advocates helps whom, who looked, whom a person keeps away, and stops said aloud."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import ordered
from common.sensitivity import Sensitivity
from consent.models.people import Subject
from consent.vocabulary import Checked
from governance.models import Membership, Organisation, User


class Assignment(models.Model):
    """One advocate helps one client, as long as she has that very role at the holder."""

    ref = models.CharField(max_length=32, unique=True, default=ids.assignment_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="assignments")
    # The role, not the person: it ends with the role, and does not come back with a new one.
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="assignments")
    begun_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "ref": Sensitivity.INTERNAL,
        "subject": Sensitivity.PSEUDONYM,
        "membership": Sensitivity.PERSONAL,
        "begun_by": Sensitivity.INTERNAL,
        "started_at": Sensitivity.PERSONAL,
        "ended_at": Sensitivity.PERSONAL,
    }

    class Meta:
        constraints = [
            ordered("started_at", "ended_at", name="assignment_starts_before_end"),
            models.UniqueConstraint(
                fields=["subject", "membership"],
                condition=Q(ended_at__isnull=True),
                name="assignment_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class Look(models.Model):
    """One worker read one person's page, within one hour; how often in it is not kept."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="looks")
    worker = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    hour = models.DateTimeField()

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "subject": Sensitivity.PSEUDONYM,
        "worker": Sensitivity.PERSONAL,
        "hour": Sensitivity.PERSONAL,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "worker", "hour"], name="look_once_an_hour")
        ]

    def __str__(self) -> str:
        return f"look {self.pk}"


class Block(models.Model):
    """One person keeps one worker from her page, until she lets that worker see it again."""

    ref = models.CharField(max_length=32, unique=True, default=ids.block_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="blocks")
    worker = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    blocked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    blocked_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "ref": Sensitivity.INTERNAL,
        "subject": Sensitivity.PSEUDONYM,
        "worker": Sensitivity.PERSONAL,
        "blocked_by": Sensitivity.PERSONAL,
        "blocked_at": Sensitivity.PERSONAL,
        "lifted_at": Sensitivity.PERSONAL,
    }

    class Meta:
        constraints = [
            ordered("blocked_at", "lifted_at", name="block_starts_before_end"),
            models.UniqueConstraint(
                fields=["subject", "worker"],
                condition=Q(lifted_at__isnull=True),
                name="block_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class SpokenStop(models.Model):
    """One stop that a worker recorded because it was said aloud; she is asked about it later."""

    ref = models.CharField(max_length=32, unique=True, default=ids.spoken_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="spoken_stops")
    # Nobody named: it was to everyone.
    recipient = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="+"
    )
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    said_at = models.DateTimeField()
    checked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    checked_at = models.DateTimeField(null=True)
    checked = models.CharField(max_length=16, choices=Checked.choices, blank=True, default="")

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "ref": Sensitivity.INTERNAL,
        "subject": Sensitivity.PSEUDONYM,
        "recipient": Sensitivity.PERSONAL,
        "recorded_by": Sensitivity.PERSONAL,
        "said_at": Sensitivity.PERSONAL,
        "checked_by": Sensitivity.PERSONAL,
        "checked_at": Sensitivity.PERSONAL,
        "checked": Sensitivity.PERSONAL,
    }

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(checked="") | Q(checked__in=Checked.values),
                name="spoken_stop_checked_known",
            ),
            models.CheckConstraint(
                condition=Q(checked="", checked_at__isnull=True, checked_by__isnull=True)
                | (~Q(checked="") & Q(checked_at__isnull=False, checked_by__isnull=False)),
                name="spoken_stop_checked_whole",
            ),
            ordered("said_at", "checked_at", name="spoken_stop_said_before_checked"),
        ]

    def __str__(self) -> str:
        return self.ref
