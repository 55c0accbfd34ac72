from typing import ClassVar

from django.db import models
from django.db.models import Q

from audit.models.sizes import at_most, exactly
from audit.vocabulary import LARGEST_EPOCH, LARGEST_LEAF, Decision, EntryType, Via
from common.constraints import one_of
from common.sensitivity import Sensitivity


class Entry(models.Model):
    """One thing happened, and this is what the log says of it for ever."""

    # The place in the log; the sequencer fills it once, and nothing else ever changes.
    seq = models.BigIntegerField(null=True, unique=True)
    version = models.PositiveSmallIntegerField()
    type = models.CharField(max_length=40, choices=EntryType)
    time = models.DateTimeField()
    actor = models.CharField(max_length=200)
    via = models.CharField(max_length=10, choices=Via)
    purpose = models.CharField(max_length=200, blank=True)
    resource = models.CharField(max_length=200, blank=True)
    decision = models.CharField(max_length=10, choices=Decision)
    reason = models.CharField(max_length=200, blank=True)
    policy = models.CharField(max_length=64, blank=True)
    epoch_everyone = models.BigIntegerField(null=True)
    epoch_scope = models.BigIntegerField(null=True)
    subjects_root = models.BinaryField(null=True)
    subjects_band = models.CharField(max_length=45)
    detail_commit = models.CharField(max_length=64, blank=True)
    nonce = models.BinaryField()
    leaf = models.BinaryField()
    leaf_hash = models.BinaryField()

    sensitivity: ClassVar[dict[str, Sensitivity]] = {
        "id": Sensitivity.INTERNAL,
        "seq": Sensitivity.INTERNAL,
        "version": Sensitivity.PUBLIC,
        "type": Sensitivity.INTERNAL,
        "time": Sensitivity.INTERNAL,
        "actor": Sensitivity.PSEUDONYM,
        "via": Sensitivity.INTERNAL,
        "purpose": Sensitivity.INTERNAL,
        "resource": Sensitivity.PSEUDONYM,
        "decision": Sensitivity.INTERNAL,
        "reason": Sensitivity.INTERNAL,
        "policy": Sensitivity.PUBLIC,
        "epoch_everyone": Sensitivity.INTERNAL,
        "epoch_scope": Sensitivity.INTERNAL,
        "subjects_root": Sensitivity.INTERNAL,
        "subjects_band": Sensitivity.INTERNAL,
        "detail_commit": Sensitivity.INTERNAL,
        "nonce": Sensitivity.INTERNAL,
        "leaf": Sensitivity.PSEUDONYM,
        "leaf_hash": Sensitivity.PUBLIC,
    }

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            one_of("type", EntryType, name="entry_type_is_a_word"),
            one_of("via", Via, name="entry_via_is_a_word"),
            one_of("decision", Decision, name="entry_decision_is_a_word"),
            models.CheckConstraint(
                condition=Q(seq__isnull=True) | Q(seq__gte=0), name="entry_seq_not_negative"
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="entry_version_from_one"),
            models.CheckConstraint(condition=~Q(actor=""), name="entry_has_an_actor"),
            models.CheckConstraint(
                condition=Q(epoch_everyone__isnull=True)
                | Q(epoch_everyone__range=(0, LARGEST_EPOCH)),
                name="entry_epoch_everyone_in_range",
            ),
            models.CheckConstraint(
                condition=Q(epoch_scope__isnull=True) | Q(epoch_scope__range=(0, LARGEST_EPOCH)),
                name="entry_epoch_scope_in_range",
            ),
            exactly("subjects_root", 32, name="entry_subjects_root_32_bytes"),
            exactly("nonce", 16, name="entry_nonce_16_bytes"),
            exactly("leaf_hash", 32, name="entry_leaf_hash_32_bytes"),
            at_most("leaf", LARGEST_LEAF, name="entry_leaf_at_most_4096_bytes"),
        ]
        indexes = [
            # What waits for its number: few rows, read at every tick.
            models.Index(fields=["id"], condition=Q(seq__isnull=True), name="entry_pending"),
            models.Index(fields=["resource"], name="entry_resource"),
            models.Index(fields=["type", "time"], name="entry_type_time"),
            # An auditor's search, newest first (each one's figures: migration 0007).
            models.Index(fields=["actor", "seq"], name="entry_actor"),
            models.Index(fields=["time", "seq", "type", "decision", "actor"], name="entry_time"),
            models.Index(fields=["purpose", "seq"], condition=~Q(purpose=""), name="entry_purpose"),
            models.Index(
                fields=["seq"], condition=Q(decision=Decision.REFUSED), name="entry_refused"
            ),
            models.Index(fields=["reason", "seq"], condition=~Q(reason=""), name="entry_reason"),
        ]

    def __str__(self) -> str:
        return f"entry {self.pk}"
