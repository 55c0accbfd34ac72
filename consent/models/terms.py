"""The texts a person said yes to."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common.sensitivity import Sensitivity


class Terms(models.Model):
    """One immutable version of a consent text in one language."""

    code = models.SlugField(max_length=40)
    version = models.PositiveIntegerField()
    language = models.CharField(max_length=8)
    title = models.CharField(max_length=120)
    text = models.TextField()
    digest = models.CharField(max_length=64)
    # Until the beginning of this day a recipient may keep what it got, whatever ends before it.
    keep_until = models.DateField(null=True)
    published_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = dict.fromkeys(
        [
            "id",
            "code",
            "version",
            "language",
            "title",
            "text",
            "digest",
            "keep_until",
            "published_at",
            "retired_at",
        ],
        Sensitivity.PUBLIC,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code", "version", "language"], name="terms_version_once_a_language"
            ),
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="terms_digest_is_sha256"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code}/{self.version}/{self.language}"
