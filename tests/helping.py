"""A small world of helping: one client, whoever helps her, and a colleague."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from consent.actions import (
    blocks,
    consents,
)
from consent.models import Assignment, Consent, Subject
from consent.vocabulary import Channel, Signer
from governance.models import User
from tests import staffroom
from tests.factories import consent as said
from tests.staffroom import Staffroom, hand

NUMBER = "A-17"


@dataclass
class Scene:
    """`person` has a sign-in and is helped by the holder's advocate; `second` is her colleague."""

    room: Staffroom
    person: Subject
    second: User

    @property
    def helper(self) -> User:
        return self.room.advocate

    @property
    def her(self) -> User:
        return self.room.survivor

    @property
    def assignment(self) -> Assignment:
        return self.person.assignments.get(ended_at__isnull=True)

    def give(self, by: User) -> Consent:
        text = said.terms(published_at=timezone.now() - timedelta(days=1))
        return consents.give(
            subject=self.person,
            recipient=self.room.recipient,
            purpose=self.room.purpose,
            categories=self.room.categories,
            terms=text,
            channel=Channel.IN_PERSON,
            signer=Signer.SELF,
            signature="binder 1",
            answers="yyyyyyy",
            signed_at=timezone.now(),
            ends=timezone.now() + timedelta(days=30),
            **hand(by),
        )

    def block(self, worker: User) -> None:
        blocks.block(subject=self.person, worker=worker, **hand(self.her))


def build() -> Scene:
    """One client with a sign-in, her helper, and a colleague."""
    cache.clear()
    room = staffroom.build()
    person = staffroom.enrolled(room, NUMBER)
    Subject.objects.filter(pk=person.pk).update(account=room.survivor)
    person = Subject.objects.select_related("holder").get(pk=person.pk)
    return Scene(room, person, staffroom.another_advocate(room))


def types(since: int) -> list[str]:
    return list(Entry.objects.filter(pk__gt=since).order_by("pk").values_list("type", flat=True))


def newest() -> int:
    return Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def place(name: str, *words: str) -> str:
    return reverse(f"desk:{name}", args=words)


def body(answer: Any, own: str = "-") -> str:
    """A page without what differs each time it is drawn, and without its own address."""
    text = re.sub(r'(csrfmiddlewaretoken" value=")[^"]*', r"\1", answer.content.decode())
    return text.replace(own, "")
