"""Answers to askings, and each handing-over."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import one_of, ordered, together
from common.sensitivity import Sensitivity
from governance.models import (
    AccessRequest,
    DataCategory,
    Organisation,
    Purpose,
    RecipientKey,
    User,
)
from governance.vocabulary import PackageFormat
from release.models.versions import DatasetVersion
from release.vocabulary import (
    PEOPLES,
    SOMETHING_CHANGED,
    DownloadPart,
    Ground,
    ReleaseClass,
    ReleaseState,
    VoidGround,
)


class Release(models.Model):
    """One answer to one asking: what was prepared, what was withheld, why; a refusal is kept too."""

    ref = models.CharField(max_length=32, unique=True, default=ids.release_reference)
    release_class = models.CharField(max_length=16, choices=ReleaseClass.choices)
    request = models.ForeignKey(AccessRequest, on_delete=models.PROTECT, related_name="releases")
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    recipient = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="replaced_by"
    )
    state = models.CharField(
        max_length=16, choices=ReleaseState.choices, default=ReleaseState.WAITING
    )
    answered_at = models.DateTimeField(null=True)
    version = models.ForeignKey(
        DatasetVersion, on_delete=models.PROTECT, null=True, related_name="releases"
    )
    key = models.ForeignKey(RecipientKey, on_delete=models.PROTECT, null=True, related_name="+")
    format = models.CharField(max_length=8, choices=PackageFormat.choices)
    epoch_everyone = models.BigIntegerField(null=True)
    epoch_scope = models.BigIntegerField(null=True)
    good_until = models.DateTimeField(null=True)
    rows = models.BigIntegerField(default=0)
    rows_withheld = models.BigIntegerField(default=0)
    people = models.BigIntegerField(default=0)
    people_withheld = models.BigIntegerField(default=0)
    grounds = models.JSONField(default=dict)
    manifest = models.BinaryField(default=b"")
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, null=True, related_name="+")
    voided_at = models.DateTimeField(null=True)
    void_ground = models.CharField(max_length=24, choices=VoidGround.choices, null=True)  # noqa: DJ001 - empty together with voided_at
    wiped_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        **dict.fromkeys(
            [
                "id",
                "ref",
                "release_class",
                "request",
                "holder",
                "recipient",
                "purpose",
                "asked_by",
                "asked_at",
                "replaces",
                "state",
                "answered_at",
                "version",
                "key",
                "format",
                "epoch_everyone",
                "epoch_scope",
                "good_until",
                "manifest",
                "entry",
                "voided_at",
                "void_ground",
                "wiped_at",
            ],
            Sensitivity.INTERNAL,
        ),
        # Exact small numbers can tell on somebody: doors show bands.
        **dict.fromkeys(
            ["rows", "rows_withheld", "people", "people_withheld", "grounds"],
            Sensitivity.PSEUDONYM,
        ),
    }

    class Meta:
        constraints = [
            one_of("release_class", ReleaseClass, name="release_class_known"),
            one_of("state", ReleaseState, name="release_state_known"),
            one_of("format", PackageFormat, name="release_format_known"),
            models.CheckConstraint(
                condition=Q(void_ground__isnull=True) | Q(void_ground__in=VoidGround.values),
                name="release_void_ground_known",
            ),
            together("voided_at", "void_ground", name="release_void_has_a_ground"),
            models.CheckConstraint(
                condition=Q(
                    state=ReleaseState.WAITING, answered_at__isnull=True, entry__isnull=True
                )
                | Q(
                    state__in=[ReleaseState.PREPARED, ReleaseState.REFUSED],
                    answered_at__isnull=False,
                    entry__isnull=False,
                ),
                name="release_answer_has_an_entry",
            ),
            models.CheckConstraint(
                condition=~Q(state=ReleaseState.PREPARED)
                | Q(
                    version__isnull=False,
                    key__isnull=False,
                    epoch_everyone__isnull=False,
                    epoch_scope__isnull=False,
                    good_until__isnull=False,
                ),
                name="release_prepared_is_whole",
            ),
            ordered("answered_at", "good_until", name="release_good_after_answer"),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"], condition=Q(state=ReleaseState.WAITING), name="release_queue"
            )
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def void_told(self) -> str:
        """Why it is void, as it may be told: never that somebody in it stopped, or ran out."""
        if self.void_ground is None:
            return ""
        ground = VoidGround(self.void_ground)
        return str(SOMETHING_CHANGED if ground in PEOPLES else ground.label)


class Lease(models.Model):
    """Who is preparing a release at present, and until when nobody else may."""

    release = models.OneToOneField(Release, on_delete=models.CASCADE, related_name="lease")
    worker = models.CharField(max_length=64)
    until = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=1)

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "release", "worker", "until", "attempts"], Sensitivity.INTERNAL
    )

    def __str__(self) -> str:
        return f"lease {self.pk}"


class ReleasePart(models.Model):
    """One sealed file of one release's package, and who is in it."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="parts")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200, unique=True)
    source = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    # Sorted 32-bit slots, compressed: which part to stop when one of them says no.
    slots = models.BinaryField()
    # Over the tags of these people in the release's entry, which covers the parts' roots.
    root = models.BinaryField(max_length=32, null=True)

    sensitivity: ClassVar = {
        **dict.fromkeys(
            ["id", "release", "number", "name", "source", "rows", "size", "sha256", "root"],
            Sensitivity.INTERNAL,
        ),
        "slots": Sensitivity.PSEUDONYM,
    }

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["release", "number"], name="release_part_number_once")
        ]

    def __str__(self) -> str:
        return f"release part {self.pk}"


class Use(models.Model):
    """That people's records were in one release, by category: 8,192 neighbouring slots as bits.

    Whose yes is to an older version of the category has fewer of its columns in it: `columns` names
    those that left for the people of this row; none named means all of the category's.
    """

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="uses")
    category = models.ForeignKey(DataCategory, on_delete=models.PROTECT, related_name="+")
    group = models.PositiveSmallIntegerField(default=0)
    columns = models.JSONField(default=list)
    block = models.IntegerField()
    bits = models.BinaryField(max_length=1024)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "release": Sensitivity.INTERNAL,
        "category": Sensitivity.INTERNAL,
        "group": Sensitivity.INTERNAL,
        "columns": Sensitivity.INTERNAL,
        "block": Sensitivity.INTERNAL,
        "bits": Sensitivity.PSEUDONYM,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["release", "category", "group", "block"], name="use_chunk_once"
            )
        ]
        indexes = [models.Index(fields=["block", "release"], name="use_by_block")]

    def __str__(self) -> str:
        return f"use {self.pk}"


class Withheld(models.Model):
    """That people's records were kept back from one release, by ground, as bits."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="withheld")
    ground = models.CharField(max_length=24, choices=Ground.choices)
    block = models.IntegerField()
    bits = models.BinaryField(max_length=1024)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "release": Sensitivity.INTERNAL,
        "ground": Sensitivity.INTERNAL,
        "block": Sensitivity.INTERNAL,
        "bits": Sensitivity.PSEUDONYM,
    }

    class Meta:
        constraints = [
            one_of("ground", Ground, name="withheld_ground_known"),
            models.UniqueConstraint(
                fields=["release", "ground", "block"], name="withheld_chunk_once"
            ),
        ]
        indexes = [models.Index(fields=["block", "release"], name="withheld_by_block")]

    def __str__(self) -> str:
        return f"withheld {self.pk}"


class Download(models.Model):
    """One handing-over of a release's package or of one piece of it."""

    ref = models.CharField(max_length=32, unique=True, default=ids.download_reference)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="downloads")
    part = models.CharField(max_length=16, choices=DownloadPart.choices)
    number = models.PositiveIntegerField(null=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    epoch_everyone = models.BigIntegerField()
    epoch_scope = models.BigIntegerField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(
        [
            "id",
            "ref",
            "release",
            "part",
            "number",
            "by",
            "at",
            "epoch_everyone",
            "epoch_scope",
            "entry",
        ],
        Sensitivity.INTERNAL,
    )

    class Meta:
        constraints = [
            one_of("part", DownloadPart, name="download_part_known"),
            models.CheckConstraint(
                condition=Q(part=DownloadPart.PART, number__isnull=False)
                | (~Q(part=DownloadPart.PART) & Q(number__isnull=True)),
                name="download_part_has_number",
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class Sending(models.Model):
    """The first byte of rows of one handing-over was sent; without it nobody picked anything up."""

    download = models.OneToOneField(Download, on_delete=models.PROTECT, related_name="sending")
    at = models.DateTimeField()

    sensitivity: ClassVar = dict.fromkeys(["id", "download", "at"], Sensitivity.INTERNAL)

    def __str__(self) -> str:
        return f"sending {self.pk}"
