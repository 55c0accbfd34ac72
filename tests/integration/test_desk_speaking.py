"""The pages of who speaks for a client: an advocate writes it down, and no name or number shows."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.actions import deaths
from consent.models import Consent, Death, Dispute, Flag, Minority, Representative, Spoken
from consent.vocabulary import Speaker
from governance.models import User
from tests import speaking, staffroom, texts
from tests.staffroom import Staffroom, hand, proof

pytestmark = pytest.mark.django_db
NUMBER = "A-17"


@pytest.fixture
def room(settings: Any) -> Staffroom:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    found = staffroom.build()
    staffroom.enrolled(found, NUMBER)
    return found


def place(name: str, *words: str) -> str:
    return reverse(f"desk:{name}", args=words)


def at_desk(user: User) -> Client:
    return staffroom.enter(Client(), user)


def noted(room: Staffroom, client: Client, **given: Any) -> Any:
    return client.post(
        place("speaking-note"), {"holder": room.holder.ref, "number": NUMBER, **given}
    )


def day(count: int) -> str:
    return (timezone.now() + timedelta(days=count)).date().isoformat()


def guardian(room: Staffroom) -> Representative:
    return speaking.speaker(room.holder, NUMBER, Speaker.GUARDIAN, **hand(room.advocate))


def test_from_a_minor_to_a_yes_that_a_parent_gave_with_her(room: Staffroom) -> None:
    client = at_desk(room.advocate)
    assert noted(room, client, noted="minor", majority=day(90))["Location"] == place("speaking")
    given = {
        "holder": room.holder.ref,
        "number": NUMBER,
        "kind": "parent",
        "who": "Heron 7",
        "works_for": "",
        "paper": "birth",
        "document": "0" * 64,
        "starts": day(-400),
        "ends": day(400),
        **proof(room.advocate),
    }
    assert client.post(place("speaking-record"), given)["Location"] == place("speaking")
    authority = Representative.objects.get()
    seen = client.get(place("speaking")).content.decode()
    assert authority.ref in seen
    assert Minority.objects.get().ref in seen
    assert "Heron" not in seen
    assert NUMBER not in seen
    text = texts.publish(organisation=room.holder, **hand(room.holder_admin))
    yes = {
        "recipient": room.recipient.ref,
        "purpose": room.purpose.code,
        "kinds": [room.categories[0].code],
        "terms": str(text),
        "channel": "paper",
        "signature": "binder 7",
        "assent": "unable",
        "told": "yes",
        "ends": "",
    }
    answer = client.post(place("speaking-yes", authority.ref), yes | proof(room.advocate))
    assert answer.status_code == 409
    assert "Ask her too" in answer.content.decode()
    cache.clear()
    right = yes | {"assent": "signed"} | proof(room.advocate)
    answer = client.post(place("speaking-yes", authority.ref), right)
    assert answer["Location"] == place("speaking")
    assert Spoken.objects.get().consent == Consent.objects.get()
    client.post(place("speaking-stop", authority.ref))
    assert Consent.objects.get().ended_at is not None
    client.post(place("speaking-end", authority.ref))
    authority.refresh_from_db()
    assert authority.ended_at is not None


def test_what_a_word_needs_is_asked_for_beside_it(room: Staffroom) -> None:
    client = at_desk(room.advocate)
    for word, name in (("minor", "majority"), ("alone", "majority"), ("flag", "threat")):
        answer = noted(room, client, noted=word)
        assert "This is needed here." in answer.context["form"].errors[name]
    answer = noted(room, client, noted="minor", majority=day(-1))
    assert answer.status_code == 400
    assert "majority" in answer.context["form"].errors
    assert noted(room, client, noted="dispute", number="A-99").status_code == 409
    assert not Minority.objects.exists()


def test_a_flag_and_a_dispute_are_written_down_and_settled(room: Staffroom) -> None:
    client = at_desk(room.advocate)
    noted(room, client, noted="flag", who="Heron 7", threat="trafficker")
    assert Flag.objects.get().threat == "trafficker"
    noted(room, client, noted="dispute")
    ref = Dispute.objects.get().ref
    assert ref in client.get(place("speaking")).content.decode()
    client.post(place("dispute-settle", ref))
    assert Dispute.objects.get().resolved_at is not None


def test_that_she_died_counts_when_a_second_person_who_knows_the_number_agrees(
    room: Staffroom,
) -> None:
    first, second = at_desk(room.advocate), at_desk(room.holder_admin)
    noted(room, first, noted="died")
    death = Death.objects.get()
    assert place("death-agree", death.ref) not in first.get(place("speaking")).content.decode()
    assert place("death-agree", death.ref) in second.get(place("speaking")).content.decode()
    wrong = {"number": "A-99", **proof(room.holder_admin)}
    assert second.post(place("death-agree", death.ref), wrong).status_code == 409
    right = {"number": NUMBER, **proof(room.holder_admin)}
    assert second.post(place("death-agree", death.ref), right)["Location"] == place("speaking")
    death.refresh_from_db()
    assert death.counts_at is not None
    second.post(place("death-take-back", death.ref))
    death.refresh_from_db()
    assert death.taken_back_at is not None


def test_with_the_paper_it_counts_at_once_and_she_decides_alone_where_that_is_so(
    room: Staffroom,
) -> None:
    client = at_desk(room.advocate)
    noted(room, client, noted="alone", majority=day(90))
    assert Minority.objects.get().alone
    noted(room, client, noted="died", document="0" * 64)
    assert Death.objects.get().counts_at is not None


def test_nobody_else_comes_to_these_pages(room: Staffroom) -> None:
    authority = guardian(room)
    death = deaths.report(holder=room.holder, number=NUMBER, **hand(room.advocate))
    dispute = speaking.dispute(room.holder, NUMBER, **hand(room.advocate))
    for user in (room.requester, room.recipient_admin, room.steward):
        client = at_desk(user)
        for name, *words in (
            ("speaking-note",),
            ("speaking-record",),
            ("speaking-yes", authority.ref),
            ("death-agree", death.ref),
        ):
            assert client.get(place(name, *words)).status_code in {403, 404}
        for name, ref in (
            ("speaking-stop", authority.ref),
            ("speaking-end", authority.ref),
            ("dispute-settle", dispute.ref),
            ("death-take-back", death.ref),
        ):
            assert client.post(place(name, ref)).status_code in {403, 404}
    authority.refresh_from_db()
    assert authority.ended_at is None
