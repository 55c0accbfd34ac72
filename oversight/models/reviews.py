"""What auditors thought of who may do what."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common.constraints import one_of
from common.sensitivity import Sensitivity
from governance.models import Membership, User
from oversight.models.cases import AuditCase
from oversight.vocabulary import Verdict


class MembershipReview(models.Model):
    """An auditor looked at one role of one person or machine, and said whether it should go on."""

    case = models.ForeignKey(AuditCase, on_delete=models.PROTECT, related_name="reviews")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=8, choices=Verdict)
    reason = models.CharField(max_length=1000)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "case", "membership", "verdict", "reason", "by", "at", "entry"],
        Sensitivity.INTERNAL,
    )

    class Meta:
        constraints = [
            one_of("verdict", Verdict, name="review_verdict_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="review_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"membership review {self.pk}"
