"""What is audited, by whom, about whom in particular, and everything that was read for it."""

from secrets import token_bytes
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact

from common import ids
from common.constraints import one_of, ordered
from common.sensitivity import Sensitivity
from consent.models import Subject
from governance.models import Organisation, User
from oversight.vocabulary import Look

NONCE = 16


def case_nonce() -> bytes:
    return token_bytes(NONCE)


class AuditCase(models.Model):
    """The auditors of one organisation look into something, until they are done with it."""

    ref = models.CharField(max_length=32, unique=True, default=ids.case_reference)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    # Whom it is about, where it is about one holder alone: no other holder issues handles for it.
    holder = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    title = models.CharField(max_length=200)
    reason = models.CharField(max_length=1000)
    # What a person's handle is made of, together with her own key.
    nonce = models.BinaryField(default=case_nonce)
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        **dict.fromkeys(
            [
                "id", "ref", "organisation", "holder", "title", "reason", "opened_by", "opened_at",
                "closed_at",
            ],
            Sensitivity.INTERNAL,
        ),
        "nonce": Sensitivity.SECRET,
    }  # fmt: skip

    class Meta:
        constraints = [
            ordered("opened_at", "closed_at", name="case_opened_before_closed"),
            models.CheckConstraint(condition=~Q(title=""), name="case_has_a_title"),
            models.CheckConstraint(condition=~Q(reason=""), name="case_has_a_reason"),
            models.CheckConstraint(
                condition=Q(Exact(Length("nonce"), NONCE)), name="case_nonce_16_bytes"
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class CaseHandle(models.Model):
    """A holder told the auditors of one case a word for one of its clients, and nobody else's."""

    case = models.ForeignKey(AuditCase, on_delete=models.PROTECT, related_name="handles")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="+")
    word = models.CharField(max_length=32)
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = {
        **dict.fromkeys(["id", "case", "issued_by", "issued_at", "entry"], Sensitivity.INTERNAL),
        **dict.fromkeys(["subject", "word"], Sensitivity.PSEUDONYM),
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "word"], name="case_handle_word_once"),
            models.UniqueConstraint(fields=["case", "subject"], name="case_handle_person_once"),
        ]

    def __str__(self) -> str:
        return f"case handle {self.pk}"


class Reading(models.Model):
    """An auditor looked at something in the log, for one case, and those who govern can see it."""

    case = models.ForeignKey(AuditCase, on_delete=models.PROTECT, related_name="readings")
    look = models.CharField(max_length=16, choices=Look)
    # What was asked for: words of the vocabularies, references, days; never a text of one's own.
    asked = models.JSONField(default=dict)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    entry = models.ForeignKey("audit.Entry", on_delete=models.PROTECT, related_name="+")

    sensitivity: ClassVar = {
        **dict.fromkeys(["id", "case", "look", "by", "at", "entry"], Sensitivity.INTERNAL),
        "asked": Sensitivity.PSEUDONYM,
    }

    class Meta:
        constraints = [one_of("look", Look, name="reading_look_known")]
        indexes = [
            # The board's page and the case's own, newest first.
            models.Index(fields=["case", "-id"], name="reading_of_case"),
        ]

    def __str__(self) -> str:
        return f"reading {self.pk}"


class SavedSearch(models.Model):
    """A question to the log that the auditors of one case will ask again."""

    case = models.ForeignKey(AuditCase, on_delete=models.PROTECT, related_name="searches")
    name = models.CharField(max_length=80)
    asked = models.JSONField(default=dict)
    saved_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()

    sensitivity: ClassVar = {
        **dict.fromkeys(["id", "case", "name", "saved_by", "saved_at"], Sensitivity.INTERNAL),
        "asked": Sensitivity.PSEUDONYM,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "name"], name="saved_search_name_once"),
            models.CheckConstraint(condition=~Q(name=""), name="saved_search_has_a_name"),
        ]

    def __str__(self) -> str:
        return f"saved search {self.pk}"
