"""That one person joined her records at two organisations under one sign-in."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from common import ids
from common.constraints import ordered
from common.sensitivity import Sensitivity
from consent.models.people import Subject
from governance.models import User


class SubjectLink(models.Model):
    """One person sees her record at one more organisation with the sign-in she has, until she parts it.

    It says what she sees: a yes goes on hanging on its own record alone.
    """

    ref = models.CharField(max_length=32, unique=True, default=ids.link_reference)
    # The record that came to the account; those that were there before do not stand here.
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="links")
    account = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    # The sign-in she had for it before, to which it goes back; none: she had none.
    former = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    linked_at = models.DateTimeField()
    split_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        **dict.fromkeys(["ref", "subject"], Sensitivity.PSEUDONYM),
        **dict.fromkeys(["account", "former", "linked_at", "split_at"], Sensitivity.PERSONAL),
    }

    class Meta:
        constraints = [
            ordered("linked_at", "split_at", name="link_starts_before_end"),
            models.CheckConstraint(
                condition=Q(former__isnull=True) | ~Q(former=F("account")),
                name="link_from_another_sign_in",
            ),
            models.UniqueConstraint(
                fields=["subject"], condition=Q(split_at__isnull=True), name="link_one_stands"
            ),
        ]

    def __str__(self) -> str:
        return self.ref
