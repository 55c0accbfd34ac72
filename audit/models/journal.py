from typing import Any, ClassVar

from auditlog.models import AbstractLogEntry, LogEntryManager
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from audit.models.entries import Entry
from audit.models.sizes import exactly
from audit.vocabulary import PERSON, SYSTEM
from common.acting import actor as who_acts
from common.sensitivity import Sensitivity

SURVIVOR = "survivor"
FACTOR = "mfa.Authenticator"


class ActorField(models.CharField):
    """Keeps an opaque word for who acts, and `person` for a survivor, however it is set."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        actor = getattr(model_instance, self.attname)
        if actor is None and add:
            actor = who_acts() or SYSTEM
        elif actor is not None and not isinstance(actor, str):
            survivor = getattr(actor, "kind", "") == SURVIVOR
            actor = PERSON if survivor else str(getattr(actor, "ref", actor.pk))
        setattr(model_instance, self.attname, actor)
        return actor


class JournalManager(LogEntryManager):  # type: ignore[misc]  # the library has no types
    """Writes rows of the change journal: what changed, and never a name."""

    def log_create(self, instance: models.Model, **given: Any) -> "LogEntry | None":
        """What the journal library calls for each change of a registered row."""
        row = self.row_of(instance, action=given["action"], changes=given.get("changes"))
        if row is not None:
            row.save(force_insert=True)
        return row

    def row_of(
        self, instance: models.Model, *, action: int, changes: dict[str, Any] | None
    ) -> "LogEntry | None":
        """The row for one change, not yet written; None where nothing of it is to be kept.

        A survivor's account leaves none, nor does what she signs in with: the journal lasts, and
        would name her by it for ever.
        """
        if not changes or _is_a_survivor(instance):
            return None
        row: LogEntry = self.model(
            content_type=ContentType.objects.get_for_model(instance),
            object_pk=str(instance.pk),
            object_id=instance.pk if isinstance(instance.pk, int) else None,
            # Never what the model says of itself: that may come to hold a name.
            object_repr=f"{instance._meta.label_lower} {instance.pk}",
            action=action,
            changes=changes,
        )
        return row

    def log_m2m_changes(self, *given: Any, **named: Any) -> None:
        """Refused: the library would keep what each related row says of itself."""
        raise TypeError("A many-to-many field is not journaled; journal the model between.")


def _is_a_survivor(instance: models.Model) -> bool:
    account = getattr(instance, "user", None) if instance._meta.label == FACTOR else instance
    return isinstance(account, get_user_model()) and getattr(account, "kind", "") == SURVIVOR


class LogEntry(AbstractLogEntry):  # type: ignore[misc]  # the library has no types
    """One registered row was changed, and this is how."""

    id = models.BigAutoField(primary_key=True)
    content_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="+")
    actor = ActorField(max_length=80, null=True, blank=True)
    # What would tell on a person beyond the opaque actor is not kept at all.
    actor_email = None
    remote_addr = None
    remote_port = None

    objects = JournalManager()

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
