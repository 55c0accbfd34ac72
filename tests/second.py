"""A survivor whose sign-in asks for one more thing, in tests: an app, a passkey, and what is shown."""

from typing import Any

from django.core.cache import cache
from django.test import Client

from tests.coming import place, proved
from tests.passkeys import Phone
from tests.staffroom import code


def with_app(client: Client) -> str:
    """She sets up an app; its secret."""
    proved(client)
    secret = client.get(place("second_app")).context["form"].secret
    answer = client.post(place("second_app"), {"code": code(secret)})
    assert answer["Location"] == place("seconds")
    cache.clear()  # a code works once, and the next is half a minute away
    return str(secret)


def with_passkey(client: Client) -> Phone:
    proved(client)
    phone = Phone()
    asked = client.get(place("second_passkey")).context["asked"]
    answer = client.post(place("second_passkey"), {"answer": phone.make(asked)})
    assert answer["Location"] == place("seconds")
    return phone


def inside(client: Client) -> bool:
    return client.get("/").status_code == 200


def show(client: Client, typed: str, where: str = "second") -> Any:
    return client.post(place(where), {"code": typed})
