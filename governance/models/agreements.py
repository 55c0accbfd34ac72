"""Data-sharing agreements between organisations."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from common import ids
from common.constraints import one_of, ordered
from common.sensitivity import Sensitivity
from governance.models.catalogue import DataCategory, Dataset, Purpose
from governance.models.people import Organisation, User
from governance.vocabulary import AgreementState


class Agreement(models.Model):
    """What one holder and one recipient have signed: datasets, purposes, categories, a period."""

    ref = models.CharField(max_length=32, unique=True, default=ids.agreement_reference)
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    recipient = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    obligations = models.JSONField(default=list)
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    state = models.CharField(
        max_length=16, choices=AgreementState.choices, default=AgreementState.DRAFT
    )
    created_at = models.DateTimeField()

    sensitivity: ClassVar = dict.fromkeys(
        [
            "id",
            "ref",
            "holder",
            "recipient",
            "title",
            "obligations",
            "starts",
            "ends",
            "state",
            "created_at",
        ],
        Sensitivity.PUBLIC,
    )

    class Meta:
        constraints = [
            one_of("state", AgreementState, name="agreement_state_known"),
            ordered("starts", "ends", name="agreement_starts_before_end"),
            models.CheckConstraint(
                condition=~Q(holder=F("recipient")), name="agreement_between_two"
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class AgreementDataset(models.Model):
    """One dataset that one agreement covers."""

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="datasets")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(["id", "agreement", "dataset"], Sensitivity.PUBLIC)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "dataset"], name="agreement_dataset_once")
        ]

    def __str__(self) -> str:
        return f"agreement dataset {self.pk}"


class AgreementPurpose(models.Model):
    """One purpose that one agreement allows."""

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="purposes")
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(["id", "agreement", "purpose"], Sensitivity.PUBLIC)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "purpose"], name="agreement_purpose_once")
        ]

    def __str__(self) -> str:
        return f"agreement purpose {self.pk}"


class AgreementCategory(models.Model):
    """One data category that one agreement covers."""

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="categories")
    category = models.ForeignKey(DataCategory, on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = dict.fromkeys(["id", "agreement", "category"], Sensitivity.PUBLIC)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "category"], name="agreement_category_once"
            )
        ]

    def __str__(self) -> str:
        return f"agreement category {self.pk}"


class AgreementSignature(models.Model):
    """One party signed exactly the text with this digest."""

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="signatures")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()
    digest = models.CharField(max_length=64)

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "agreement", "organisation", "signed_by", "signed_at", "digest"],
        Sensitivity.INTERNAL,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "organisation"], name="agreement_signed_once_each"
            )
        ]

    def __str__(self) -> str:
        return f"agreement signature {self.pk}"
