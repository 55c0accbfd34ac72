"""A person on her way in, in tests: the code, the name, the words, and the pages behind her words."""

import re
from typing import Any

from django.test import Client
from django.urls import reverse

from consent.actions import enrolment
from consent.models import EnrolmentCode
from consent.vocabulary import CodeKind
from governance.models import User
from tests.staffroom import Staffroom, hand

NUMBER = "A-17"
WORDS = "copper lantern meadow thirty swans"
OWN = "a kettle sings before the rain"


def place(name: str, *words: str) -> str:
    return reverse(f"portal:{name}", args=words)


def give(room: Staffroom, kind: CodeKind = CodeKind.ARRIVAL) -> tuple[EnrolmentCode, str]:
    return enrolment.issue(
        holder=room.holder, number=NUMBER, kind=kind, talked=True, **hand(room.advocate)
    )


def with_name(room: Staffroom, client: Client) -> str:
    """She has typed her code and chosen a name."""
    client.post(place("begin"), {"code": give(room)[1]})
    offered = client.get(place("choose_name")).context["form"].fields["name"].choices
    client.post(place("choose_name"), {"name": offered[0][0]})
    return str(offered[0][0])


def offered_words(client: Client, address: str) -> str:
    return " ".join(client.get(address).context["words"])


def arrived(room: Staffroom) -> tuple[Client, User]:
    """She is in, with words of her own."""
    client = Client()
    name = with_name(room, client)
    client.post(place("first_words"), {"password": OWN, "again": OWN})
    return client, User.objects.get(username=name)


def sign_in(user: User, words: str = OWN, **given: Any) -> Client:
    client = Client(**given)
    client.post(place("sign_in"), {"name": user.username, "passphrase": words})
    return client


def proved(client: Client, name: str = "settings", words: str = OWN) -> Any:
    return client.post(place(name), {"passphrase": words})


def paper_of(client: Client) -> list[str]:
    return re.findall(r"<code>([^<]+)</code>", client.get(place("paper")).content.decode())
