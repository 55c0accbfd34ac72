"""The texts a person said yes to."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common.constraints import one_of
from common.sensitivity import Sensitivity
from consent.vocabulary import Part
from governance.models import Organisation


class Terms(models.Model):
    """One immutable version of a consent text in one language."""

    code = models.SlugField(max_length=40)
    version = models.PositiveIntegerField()
    language = models.CharField(max_length=8)
    title = models.CharField(max_length=120)
    text = models.TextField()
    digest = models.CharField(max_length=64)
    # Whose text it is: the next version is theirs too. Nothing where that was not kept yet.
    publisher = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # Whether it lets more go than the version before it: then whoever said yes to that one is asked
    # afresh. Nothing where there was none, or nobody was asked.
    widens = models.BooleanField(null=True)
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
            "publisher",
            "widens",
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


class TermsPart(models.Model):
    """One part of one consent text in one language, and how hard it is to read."""

    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="parts")
    part = models.CharField(max_length=16, choices=Part.choices)
    text = models.TextField()
    # English: the grade by Flesch and Kincaid; Spanish: the ease by Fernández Huerta; else nothing.
    measure = models.DecimalField(max_digits=5, decimal_places=1, null=True)

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "terms", "part", "text", "measure"], Sensitivity.PUBLIC
    )

    class Meta:
        constraints = [
            one_of("part", Part, name="terms_part_known"),
            models.UniqueConstraint(fields=["terms", "part"], name="terms_part_once"),
            models.CheckConstraint(condition=~Q(text=""), name="terms_part_says_something"),
        ]

    def __str__(self) -> str:
        return f"terms part {self.pk}"
