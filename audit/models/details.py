from typing import ClassVar

from django.db import models

from audit.models.entries import Entry
from audit.models.sizes import at_most
from audit.vocabulary import LARGEST_DETAIL
from common.sensitivity import Sensitivity


class Detail(models.Model):
    """What stands beside one entry: words that are gone with their key, or marks of what a row said."""

    entry = models.OneToOneField(
        Entry, on_delete=models.PROTECT, primary_key=True, related_name="detail"
    )
    # 12 random bytes, then AES-256-GCM; or a salt and marks under it (`audit.rules.committed`). The
    # entry's leaf holds the SHA-256 of all of it.
    sealed = models.BinaryField()

    sensitivity: ClassVar[dict[str, Sensitivity]] = {
        "entry": Sensitivity.INTERNAL,
        "sealed": Sensitivity.PERSONAL,
    }

    class Meta:
        constraints = [at_most("sealed", LARGEST_DETAIL, name="detail_at_most_8192_bytes")]

    def __str__(self) -> str:
        return f"detail {self.pk}"
