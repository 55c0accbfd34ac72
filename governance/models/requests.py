"""Access requests."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common import ids
from common.constraints import one_of, ordered
from common.sensitivity import Sensitivity
from governance.models.agreements import Agreement
from governance.models.catalogue import Dataset, Field, Purpose
from governance.models.people import Organisation, User
from governance.vocabulary import PackageFormat, RequestState


class AccessRequest(models.Model):
    """One organisation asks for one dataset, some fields, one purpose, for a time."""

    ref = models.CharField(max_length=32, unique=True, default=ids.request_reference)
    requester = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="requests")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="requests")
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+")
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="requests")
    reason = models.CharField(max_length=2000)
    benefit = models.CharField(max_length=2000)
    format = models.CharField(
        max_length=8, choices=PackageFormat.choices, default=PackageFormat.PARQUET
    )
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    state = models.CharField(
        max_length=16, choices=RequestState.choices, default=RequestState.DRAFT
    )
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    answer_by = models.DateTimeField(null=True)

    sensitivity: ClassVar = dict.fromkeys(
        [
            "id",
            "ref",
            "requester",
            "dataset",
            "purpose",
            "agreement",
            "reason",
            "benefit",
            "format",
            "starts",
            "ends",
            "state",
            "created_by",
            "created_at",
            "submitted_at",
            "answer_by",
        ],
        Sensitivity.INTERNAL,
    )

    class Meta:
        constraints = [
            one_of("state", RequestState, name="request_state_known"),
            one_of("format", PackageFormat, name="request_format_known"),
            ordered("starts", "ends", name="request_starts_before_end"),
            models.CheckConstraint(
                condition=Q(state=RequestState.DRAFT) | Q(submitted_at__isnull=False),
                name="request_submitted_has_time",
            ),
        ]
        indexes = [models.Index(fields=["state", "answer_by"], name="request_queue")]

    def __str__(self) -> str:
        return self.ref


class RequestField(models.Model):
    """One field that one request asks for."""

    request = models.ForeignKey(AccessRequest, on_delete=models.PROTECT, related_name="fields")
    field = models.ForeignKey(Field, on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(["id", "request", "field"], Sensitivity.INTERNAL)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "field"], name="request_field_once")
        ]

    def __str__(self) -> str:
        return f"request field {self.pk}"
