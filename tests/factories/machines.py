"""Machines' applications, their scopes and secrets, and what machines were answered."""

from typing import Any

from oauth2_provider.models import Application

from governance import models as g
from tests.factories import governance


def machine_client(**given: Any) -> g.MachineClient:
    return g.MachineClient.objects.create(
        **{
            "application": given.get("application")
            or Application.objects.create(
                client_type="confidential", authorization_grant_type="client-credentials"
            ),
            "user": given.get("user") or governance.user(kind="machine"),
            "organisation": given.get("organisation") or governance.organisation(),
            "label": "nightly fetch",
            "created_at": governance.START,
            **given,
        }
    )


def client_scope(**given: Any) -> g.ClientScope:
    return g.ClientScope.objects.create(
        **{"client": given.get("client") or machine_client(), "scope": "read", **given}
    )


def client_secret(**given: Any) -> g.ClientSecret:
    return g.ClientSecret.objects.create(
        **{
            "client": given.get("client") or machine_client(),
            "issued_by": given.get("issued_by") or governance.user(),
            "digest": governance.digest(),
            "created_at": governance.START,
            "expires_at": governance.LATER,
            **given,
        }
    )


def kept_answer(**given: Any) -> g.KeptAnswer:
    return g.KeptAnswer.objects.create(
        **{
            "user": given.get("user") or governance.user(kind="machine"),
            "organisation": given.get("organisation") or governance.organisation(),
            "key": f"key-{next(governance.numbers)}",
            "fingerprint": governance.digest(),
            "kept_at": governance.START,
            **given,
        }
    )
