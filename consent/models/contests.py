"""What a person says is wrong, or is not to be shared for now, until it is decided."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import one_of, ordered, together
from common.sensitivity import Sensitivity
from consent.models.objections import Objection
from consent.models.people import Subject
from consent.vocabulary import Contested, Decided
from governance.models import DataCategory, User

FIT = {
    Contested.CORRECTION: [Decided.CORRECTED, Decided.UNCHANGED],
    Contested.RESTRICTION: [Decided.KEPT, Decided.ENDED],
}


class Contest(models.Model):
    """One person says that one kind of information about her is wrong, or not to be shared for now.

    Until it is decided a standing no of its own holds that kind back, at that holder.
    """

    ref = models.CharField(max_length=32, unique=True, default=ids.contest_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="contests")
    category = models.ForeignKey(DataCategory, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Contested.choices)
    objection = models.OneToOneField(Objection, on_delete=models.PROTECT, related_name="contest")
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decision = models.CharField(max_length=16, choices=Decided.choices, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_entry = models.ForeignKey(
        "audit.Entry", on_delete=models.PROTECT, null=True, related_name="+"
    )

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        **dict.fromkeys(["ref", "subject", "objection"], Sensitivity.PSEUDONYM),
        **dict.fromkeys(
            [
                *("category", "kind", "entry", "asked_at"),
                *("decision", "decided_at", "decided_by", "decided_entry"),
            ],
            Sensitivity.PERSONAL,
        ),
    }

    class Meta:
        constraints = [
            one_of("kind", Contested, name="contest_kind_known"),
            models.CheckConstraint(
                condition=Q(decision="") | Q(decision__in=Decided.values),
                name="contest_decision_known",
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_at__isnull=True)
                | Q(
                    kind=Contested.CORRECTION,
                    decision__in=FIT[Contested.CORRECTION],
                    decided_at__isnull=False,
                )
                | Q(
                    kind=Contested.RESTRICTION,
                    decision__in=FIT[Contested.RESTRICTION],
                    decided_at__isnull=False,
                ),
                name="contest_decision_fits",
            ),
            together("decided_at", "decided_by", "decided_entry", name="contest_decided_whole"),
            ordered("asked_at", "decided_at", name="contest_asked_before_decided"),
            models.UniqueConstraint(
                fields=["subject", "category", "kind"],
                condition=Q(decided_at__isnull=True),
                name="contest_one_open",
            ),
        ]

    def __str__(self) -> str:
        return self.ref
