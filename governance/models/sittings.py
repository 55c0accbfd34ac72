"""Where somebody is signed in, and the paper with which a survivor gets back in or shuts the way."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import one_of, ordered
from common.sensitivity import Sensitivity
from governance.models.arrivals import SHA256
from governance.models.people import User
from governance.vocabulary import Device, PaperUse


class Sitting(models.Model):
    """One person is signed in on one device; the row goes when that ends."""

    ref = models.CharField(max_length=32, unique=True, default=ids.sitting_reference)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="sittings")
    device = models.CharField(max_length=16, choices=Device.choices)
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        **dict.fromkeys(["ref", "user", "device", "began_at", "seen_at"], Sensitivity.PERSONAL),
    }

    class Meta:
        constraints = [
            one_of("device", Device, name="sitting_device_known"),
            models.CheckConstraint(
                condition=Q(seen_at__gte=models.F("began_at")), name="sitting_seen_after_it_began"
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class PaperCode(models.Model):
    """One code that a survivor keeps on paper: it gets her back in once, or shuts the way in."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="paper_codes")
    use = models.CharField(max_length=16, choices=PaperUse.choices)
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        **dict.fromkeys(["user", "use", "made_at", "used_at"], Sensitivity.PERSONAL),
        "digest": Sensitivity.SECRET,
    }

    class Meta:
        constraints = [
            one_of("use", PaperUse, name="paper_code_use_known"),
            models.CheckConstraint(
                condition=Q(digest__regex=SHA256), name="paper_code_digest_is_sha256"
            ),
            ordered("made_at", "used_at", name="paper_code_made_before_used"),
        ]

    def __str__(self) -> str:
        return f"paper code {self.pk}"
