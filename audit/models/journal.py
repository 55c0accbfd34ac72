from typing import Any, ClassVar

from auditlog.models import AbstractLogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from audit.models.entries import Entry
from audit.models.sizes import exactly
from audit.vocabulary import PERSON
from common.sensitivity import Sensitivity


class ActorField(models.CharField):
    """Keeps an opaque reference of whoever is set as actor, and `person` for a survivor."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        actor = getattr(model_instance, self.attname)
        if actor is not None and not isinstance(actor, str):
            survivor = getattr(actor, "kind", "") == "survivor"
            actor = PERSON if survivor else str(getattr(actor, "ref", actor.pk))
            setattr(model_instance, self.attname, actor)
        return actor


class LogEntry(AbstractLogEntry):  # type: ignore[misc]  # the library has no types
    """One registered row was changed, and this is how."""

    id = models.BigAutoField(primary_key=True)
    content_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="+")
    actor = ActorField(max_length=80, null=True, blank=True)
    # What would tell on a person beyond the opaque actor is not kept at all.
    actor_email = None
    remote_addr = None
    remote_port = None

    sensitivity: ClassVar[dict[str, Sensitivity]] = {
        "id": Sensitivity.INTERNAL,
        "content_type": Sensitivity.INTERNAL,
        "object_pk": Sensitivity.PSEUDONYM,
        "object_id": Sensitivity.PSEUDONYM,
        "object_repr": Sensitivity.PSEUDONYM,
        "serialized_data": Sensitivity.PSEUDONYM,
        "action": Sensitivity.INTERNAL,
        "changes_text": Sensitivity.PSEUDONYM,
        "changes": Sensitivity.PSEUDONYM,
        "actor": Sensitivity.PSEUDONYM,
        "cid": Sensitivity.INTERNAL,
        "timestamp": Sensitivity.INTERNAL,
        "additional_data": Sensitivity.PSEUDONYM,
    }

    class Meta(AbstractLogEntry.Meta):  # type: ignore[misc]  # the library has no types
        constraints = [
            models.CheckConstraint(
                condition=Q(action__in=[0, 1, 2, 3]), name="journal_action_is_a_word"
            ),
        ]

    def __str__(self) -> str:
        return f"journal row {self.pk}"


class JournalWaiting(models.Model):
    """A change-journal row stands that no log entry covers yet; the database itself says so."""

    row = models.OneToOneField(
        LogEntry, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )

    sensitivity: ClassVar[dict[str, Sensitivity]] = {"row": Sensitivity.INTERNAL}

    class Meta:
        verbose_name_plural = "journal waiting"

    def __str__(self) -> str:
        return f"journal row {self.pk} waits"


class JournalDigest(models.Model):
    """The log covers one change-journal row by this salted digest."""

    row = models.OneToOneField(
        LogEntry, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="+")
    salt = models.BinaryField()

    sensitivity: ClassVar[dict[str, Sensitivity]] = {
        "row": Sensitivity.INTERNAL,
        "entry": Sensitivity.INTERNAL,
        "salt": Sensitivity.INTERNAL,
    }

    class Meta:
        constraints = [exactly("salt", 16, name="journal_digest_salt_16_bytes")]

    def __str__(self) -> str:
        return f"journal digest {self.pk}"
