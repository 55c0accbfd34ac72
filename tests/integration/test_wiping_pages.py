"""The pages of wiping and holds: two at the desk, and she herself in between."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from consent.actions import shredding, subjects
from consent.models import LegalHold, Shredding, Subject
from consent.vocabulary import HoldGround
from governance.models import User
from tests import staffroom
from tests.factories import consent as said
from tests.staffroom import Staffroom, hand, proof

pytestmark = pytest.mark.django_db
NUMBER = "A-17"
WHY = "She asked us twice."


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


def asked(room: Staffroom, **given: Any) -> Shredding:
    who = {"holder": room.holder, "number": NUMBER, "why": WHY, **hand(room.advocate), **given}
    return shredding.ask(**who)


def hers(room: Staffroom) -> Client:
    subjects.give_account(
        subject=Subject.objects.select_related("holder").get(),
        account=room.survivor,
        **hand(room.advocate),
    )
    client = Client()
    client.force_login(room.survivor, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_two_at_the_desk_agree_and_the_number_stands_on_no_page(room: Staffroom) -> None:
    first, second = at_desk(room.advocate), at_desk(room.holder_admin)
    given = {"holder": room.holder.ref, "number": NUMBER, "why": WHY, **proof(room.advocate)}
    assert first.post(place("wipe-ask"), given)["Location"] == place("wiping")
    row = Shredding.objects.get()
    seen = first.get(place("wiping")).content.decode()
    assert row.ref in seen
    assert "Read and agree" not in seen  # who asked is not the second
    assert "Read and agree" in second.get(place("wiping")).content.decode()
    assert WHY in second.get(place("wipe-agree", row.ref)).content.decode()
    wrong = {"number": "A-99", **proof(room.holder_admin)}
    answer = second.post(place("wipe-agree", row.ref), wrong)
    assert answer.status_code == 409
    right = {"number": NUMBER, **proof(room.holder_admin)}
    assert second.post(place("wipe-agree", row.ref), right)["Location"] == place("wiping")
    row.refresh_from_db()
    assert row.agreed_by == room.holder_admin
    page = second.get(place("wiping")).content.decode()
    assert NUMBER not in page
    assert "Will be wiped on" in page
    second.post(place("wipe-call-off", row.ref))
    row.refresh_from_db()
    assert row.called_off_by == room.holder_admin
    assert second.post(place("wipe-call-off", row.ref)).status_code == 404


def test_a_stolen_session_without_password_and_code_asks_agrees_holds_and_lifts_nothing(
    room: Staffroom,
) -> None:
    client = at_desk(room.holder_admin)
    row = asked(room)
    given = {
        "holder": room.holder.ref,
        "number": NUMBER,
        "why": WHY,
        "ground": "statute",
        "document": "0" * 64,
        "ends": (timezone.now() + timedelta(days=9)).date().isoformat(),
    }
    for name, words in {"wipe-ask": (), "wipe-agree": (row.ref,), "hold-place": ()}.items():
        assert client.post(place(name, *words), given).status_code == 200, name
    row.refresh_from_db()
    assert (Shredding.objects.count(), row.agreed_at, LegalHold.objects.count()) == (1, None, 0)
    hold = said.legal_hold(subject=row.subject, ends=timezone.now() + timedelta(days=3))
    assert client.post(place("hold-lift", hold.ref), {}).status_code == 200
    hold.refresh_from_db()
    assert hold.lifted_at is None


def test_a_hold_is_placed_seen_and_lifted(room: Staffroom) -> None:
    client, advocate = at_desk(room.holder_admin), at_desk(room.advocate)
    given = {
        "holder": room.holder.ref,
        "number": NUMBER,
        "ground": HoldGround.COURT_ORDER.value,
        "document": "0" * 64,
        "ends": (timezone.now() + timedelta(days=9)).date().isoformat(),
        **proof(room.holder_admin),
    }
    assert client.post(place("hold-place"), given)["Location"] == place("wiping")
    hold = LegalHold.objects.get()
    seen = advocate.get(place("wiping")).content.decode()
    assert "an order of a court" in seen
    assert place("hold-lift", hold.ref) not in seen
    assert advocate.get(place("hold-lift", hold.ref)).status_code == 404
    assert advocate.get(place("hold-place")).status_code == 403
    told = {"holder": room.holder.ref, "number": NUMBER, "why": WHY, **proof(room.advocate)}
    refused = advocate.post(place("wipe-ask"), told)
    assert refused.status_code == 409
    assert "A legal hold keeps this record" in refused.content.decode()
    portal = hers(room).get(reverse("portal:record")).content.decode()
    assert "A legal hold stands on your record here" in portal
    assert "court" not in portal
    assert "0" * 64 in client.get(place("hold-lift", hold.ref)).content.decode()
    client.post(place("hold-lift", hold.ref), proof(room.holder_admin))
    hold.refresh_from_db()
    assert hold.lifted_by == room.holder_admin


@pytest.mark.parametrize("who", ["steward", "recipient_admin", "requester", "convener"])
def test_nobody_else_sees_or_does_any_of_it(room: Staffroom, who: str) -> None:
    row = asked(room)
    client = at_desk(getattr(room, who))
    for method in (client.get, client.post):
        assert method(place("wipe-agree", row.ref)).status_code in {403, 404}
    assert client.post(place("wipe-call-off", row.ref)).status_code in {403, 404}
    assert row.ref not in client.get(place("wiping")).content.decode()


def test_she_sees_it_and_stops_it_with_one_press(room: Staffroom) -> None:
    row = asked(room)
    client = hers(room)
    home = client.get(reverse("portal:home")).content.decode()
    assert "Someone asked to wipe a record of yours" in home
    assert room.holder.name not in home
    given = {"number": NUMBER, **hand(room.holder_admin)}
    shredding.agree(shredding=row, **given)
    page = client.get(reverse("portal:record")).content.decode()
    assert "will be wiped on" in page
    assert WHY not in page
    assert client.get(reverse("portal:keep", args=[row.ref])).status_code == 405
    pressed = [client.post(reverse("portal:keep", args=[row.ref])) for _ in range(2)]
    assert [answer.status_code for answer in pressed] == [302, 404]
    row.refresh_from_db()
    assert row.called_off_at is not None
    assert row.called_off_by is None
    entry = Entry.objects.get(type=EntryType.SHREDDING_CALLED_OFF)
    assert (entry.actor, entry.via) == ("person", Via.PORTAL)
    assert "Nothing of yours" in client.get(reverse("portal:record")).content.decode()


def test_a_stranger_stops_nothing_of_hers(room: Staffroom) -> None:
    row = asked(room)
    hers(room)
    stranger = User.objects.create_user("quiet-harbour-7", "four good words here", kind="survivor")
    client = Client()
    client.force_login(stranger, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(reverse("portal:keep", args=[row.ref])).status_code == 404
    assert "wiped on" not in client.get(reverse("portal:record")).content.decode()
    row.refresh_from_db()
    assert row.called_off_at is None
