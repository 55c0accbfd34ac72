"""How a machine comes in: an application for one organisation, its secrets and its scopes."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from common.constraints import one_of, ordered
from common.sensitivity import Sensitivity
from governance.models.people import Organisation, User
from governance.vocabulary import MachineScope


class MachineClient(models.Model):
    """One application through which one machine user acts for one organisation."""

    # The toolkit's own row holds the client id; its secret column is never asked.
    application = models.OneToOneField(
        "oauth2_provider.Application", on_delete=models.PROTECT, related_name="machine_client"
    )
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="machine_clients")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="machine_clients"
    )
    label = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = dict.fromkeys(
        ["id", "application", "user", "organisation", "label", "created_at", "ended_at"],
        Sensitivity.INTERNAL,
    )

    class Meta:
        constraints = [
            ordered("created_at", "ended_at", name="machine_client_starts_before_end"),
        ]

    def __str__(self) -> str:
        return f"machine client {self.pk}"


class ClientScope(models.Model):
    """One thing that one application may be used for."""

    client = models.ForeignKey(MachineClient, on_delete=models.PROTECT, related_name="scopes")
    scope = models.CharField(max_length=16, choices=MachineScope.choices)

    sensitivity: ClassVar = dict.fromkeys(["id", "client", "scope"], Sensitivity.INTERNAL)

    class Meta:
        constraints = [
            one_of("scope", MachineScope, name="client_scope_known"),
            models.UniqueConstraint(fields=["client", "scope"], name="client_scope_once"),
        ]

    def __str__(self) -> str:
        return f"client scope {self.pk}"


class ClientSecret(models.Model):
    """One secret of one application: only its SHA-256 is kept; two overlap while one is replaced."""

    client = models.ForeignKey(MachineClient, on_delete=models.PROTECT, related_name="secrets")
    digest = models.CharField(max_length=64, unique=True)
    # Who was told it: it ends with what they hold there.
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    sensitivity: ClassVar = {
        "id": Sensitivity.INTERNAL,
        "client": Sensitivity.INTERNAL,
        "digest": Sensitivity.SECRET,
        "issued_by": Sensitivity.INTERNAL,
        "created_at": Sensitivity.INTERNAL,
        "expires_at": Sensitivity.INTERNAL,
        "last_used_at": Sensitivity.INTERNAL,
    }

    class Meta:
        constraints = [
            ordered("created_at", "expires_at", name="client_secret_starts_before_end"),
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="client_secret_is_sha256"
            ),
        ]

    def __str__(self) -> str:
        return f"client secret {self.pk}"
