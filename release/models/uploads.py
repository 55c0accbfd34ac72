"""Files that came through the machines' door and wait to be loaded, and how that ended."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import one_of
from common.sensitivity import Sensitivity
from governance.models import Dataset, User
from release.models.versions import DatasetVersion
from release.vocabulary import UploadState


class Upload(models.Model):
    """One file that somebody sent for one dataset: sealed pieces that wait, then an answer."""

    ref = models.CharField(max_length=32, unique=True, default=ids.upload_reference)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="uploads")
    mapping = models.BinaryField()
    folder = models.CharField(max_length=80, unique=True)
    pieces = models.PositiveIntegerField()
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    sent_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField()
    state = models.CharField(
        max_length=16, choices=UploadState.choices, default=UploadState.WAITING
    )
    taken_until = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    version = models.ForeignKey(
        DatasetVersion, on_delete=models.PROTECT, null=True, related_name="+"
    )
    code = models.CharField(max_length=64, blank=True)
    told = models.TextField(blank=True)
    report = models.CharField(max_length=200, blank=True)

    sensitivity: ClassVar = dict.fromkeys(
        [
            "id",
            "ref",
            "dataset",
            "mapping",
            "folder",
            "pieces",
            "size",
            "sha256",
            "sent_by",
            "received_at",
            "state",
            "taken_until",
            "answered_at",
            "version",
            "code",
            "told",
            "report",
        ],
        Sensitivity.INTERNAL,
    )

    class Meta:
        constraints = [
            one_of("state", UploadState, name="upload_state_known"),
            models.CheckConstraint(
                condition=Q(state=UploadState.WAITING, answered_at__isnull=True)
                | (~Q(state=UploadState.WAITING) & Q(answered_at__isnull=False)),
                name="upload_answer_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state=UploadState.LOADED, version__isnull=False)
                | (~Q(state=UploadState.LOADED) & Q(version__isnull=True)),
                name="upload_loaded_is_a_version",
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at"], condition=Q(state=UploadState.WAITING), name="upload_queue"
            )
        ]

    def __str__(self) -> str:
        return self.ref
