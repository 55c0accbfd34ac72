"""How a person comes to a sign-in of her own, and to it again when she has lost her words."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from common import ids
from common.constraints import one_of, ordered
from common.sensitivity import Sensitivity
from consent.models.people import Subject
from consent.vocabulary import CodeKind
from governance.models import User


class EnrolmentCode(models.Model):
    """One advocate gives one client a code, once, after they have talked about safe devices."""

    ref = models.CharField(max_length=32, unique=True, default=ids.code_reference)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="codes")
    kind = models.CharField(max_length=16, choices=CodeKind.choices)
    # Under a key that stands outside the database: the code alone is short.
    digest = models.CharField(max_length=64, unique=True)
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    # When the advocate said that they had talked about safe devices; no code without it.
    talked_at = models.DateTimeField()
    opens_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        **dict.fromkeys(["ref", "subject"], Sensitivity.PSEUDONYM),
        **dict.fromkeys(
            [
                *("kind", "issued_by", "issued_at", "talked_at", "opens_at", "expires_at"),
                *("used_at", "cancelled_at"),
            ],
            Sensitivity.PERSONAL,
        ),
        "digest": Sensitivity.SECRET,
    }

    class Meta:
        constraints = [
            one_of("kind", CodeKind, name="enrolment_code_kind_known"),
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="enrolment_code_digest_is_sha256"
            ),
            ordered("opens_at", "expires_at", name="enrolment_code_opens_before_end"),
            models.CheckConstraint(
                condition=Q(talked_at__lte=F("issued_at")), name="enrolment_code_after_the_talk"
            ),
            models.CheckConstraint(
                condition=Q(opens_at__gte=F("issued_at")), name="enrolment_code_opens_after_issue"
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(cancelled_at__isnull=True),
                name="enrolment_code_used_or_cancelled",
            ),
            models.UniqueConstraint(
                fields=["subject"],
                condition=Q(used_at__isnull=True, cancelled_at__isnull=True),
                name="enrolment_code_one_open",
            ),
        ]

    def __str__(self) -> str:
        return self.ref
