"""What a row decision hangs on, and every time it moved."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common.constraints import one_of
from common.sensitivity import Sensitivity
from governance.models.people import Organisation
from governance.vocabulary import Narrowing


class Scope(models.Model):
    """What decisions about one recipient (or, without one, about everyone) hang on: its epoch."""

    recipient = models.OneToOneField(
        Organisation, on_delete=models.PROTECT, null=True, related_name="scope"
    )
    everyone = models.BooleanField(default=False)
    epoch = models.BigIntegerField(default=0)
    # PostgreSQL only: the transaction that last moved the epoch; a trigger fills it.
    moved_in = models.BigIntegerField(null=True)

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "recipient", "everyone", "epoch", "moved_in"], Sensitivity.INTERNAL
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["everyone"], condition=Q(everyone=True), name="scope_one_for_everyone"
            ),
            models.CheckConstraint(
                condition=Q(everyone=True, recipient__isnull=True)
                | Q(everyone=False, recipient__isnull=False),
                name="scope_everyone_or_one",
            ),
        ]

    def __str__(self) -> str:
        return f"scope {self.pk}"


class ScopeMove(models.Model):
    """One no: at which epoch of which scope, of which kind, and about whom if about one person."""

    scope = models.ForeignKey(Scope, on_delete=models.PROTECT, related_name="moves")
    epoch = models.BigIntegerField()
    act = models.CharField(max_length=32, choices=Narrowing.choices)
    slot = models.IntegerField(null=True)
    moved_at = models.DateTimeField()

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "scope": Sensitivity.INTERNAL,
        "epoch": Sensitivity.INTERNAL,
        "act": Sensitivity.INTERNAL,
        "slot": Sensitivity.PSEUDONYM,
        "moved_at": Sensitivity.INTERNAL,
    }

    class Meta:
        constraints = [
            one_of("act", Narrowing, name="scope_move_act_known"),
            models.UniqueConstraint(
                fields=["scope", "epoch", "slot"],
                condition=Q(slot__isnull=False),
                name="scope_move_once_a_person",
            ),
            models.UniqueConstraint(
                fields=["scope", "epoch"],
                condition=Q(slot__isnull=True),
                name="scope_move_once_for_all",
            ),
        ]
        # The moves since an epoch, and SQLite's own look before an insert, in one step each.
        indexes = [models.Index(fields=["scope", "epoch", "slot"], name="scope_move_since")]

    def __str__(self) -> str:
        return f"scope move {self.pk}"
