"""Words, device and paper: what is left of three, and what it opens."""

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from audit.vocabulary import Via
from common.errors import RuleBroken
from consent.actions import survivors
from consent.vocabulary import CodeKind
from governance.models import PaperCode, User
from governance.queries import factors
from portal import second
from tests import staffroom
from tests.coming import NUMBER, OWN, arrived, give, paper_of, place, sign_in
from tests.second import inside, show, with_app, with_passkey
from tests.staffroom import Staffroom, code

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Staffroom:
    cache.clear()
    found = staffroom.build()
    staffroom.enrolled(found, NUMBER)
    return found


def lost(her: User, typed: str) -> Client:
    client = Client()
    client.post(place("lost"), {"name": her.username, "code": typed})
    return client


def test_paper_alone_sets_no_new_words_where_she_locked_twice(room: Staffroom) -> None:
    client, her = arrived(room)
    *back_in, _shut = paper_of(client)
    secret = with_app(client)
    thief = lost(her, back_in[0])
    assert thief.get(place("lost_words"))["Location"] == place("lost_second")
    answer = thief.post(place("lost_words"), {"password": OWN + "x", "again": OWN + "x"})
    assert answer["Location"] == place("lost_second")
    show(thief, back_in[1], "lost_second")  # a second code of the same paper does not count
    answer = thief.post(place("lost_words"), {"password": OWN + "x", "again": OWN + "x"})
    assert answer["Location"] == place("lost_second")
    her.refresh_from_db()
    assert her.check_password(OWN)
    assert not PaperCode.objects.filter(used_at__isnull=False).exists()
    assert show(thief, code(secret), "lost_second")["Location"] == place("lost_words")
    thief.post(place("lost_words"), {"password": OWN + "x", "again": OWN + "x"})
    assert inside(thief)
    her.refresh_from_db()
    assert her.check_password(OWN + "x")
    assert second.kinds(her).app


def test_who_comes_with_the_number_of_somebody_elses_device_comes_with_nothing(
    room: Staffroom,
) -> None:
    client, her = arrived(room)
    *back_in, _shut = paper_of(client)
    with_app(client)
    staffroom.secret_of(room.steward)
    given = {"username": her.username, "code": back_in[0], "password": OWN + "x"}
    for shown in (None, 0, factors.of(room.steward).get().pk):
        with pytest.raises(RuleBroken, match="second thing"):
            survivors.come_back(**given, shown=shown, at=timezone.now(), via=Via.PORTAL)


def test_the_page_of_the_lost_wants_name_and_paper_first(room: Staffroom) -> None:
    client, her = arrived(room)
    *back_in, _shut = paper_of(client)
    assert Client().get(place("lost_second"))["Location"] == place("lost")
    without = lost(her, back_in[0])
    assert without.get(place("lost_second"))["Location"] == place("lost_words")


def test_an_advocates_code_takes_it_away_after_a_day_that_is_told_inside(
    room: Staffroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, her = arrived(room)
    with_app(client)
    with_passkey(client)
    made, typed = give(room, CodeKind.RETURN)
    told = client.get("/").content.decode()
    assert "It also takes away the one more thing at sign-in." in told
    early = Client().post(place("begin"), {"code": typed})
    assert "This code works from" in early.content.decode()
    assert second.kinds(her).any
    monkeypatch.setattr("portal.views.arriving.timezone.now", lambda: made.opens_at)
    back = Client()
    back.post(place("begin"), {"code": typed})
    back.post(place("first_words"), {"password": OWN + "x", "again": OWN + "x"})
    assert inside(back)
    assert not second.kinds(her).any
    assert inside(sign_in(her, OWN + "x"))


def test_a_closed_page_keeps_nothing_of_it(room: Staffroom) -> None:
    client, her = arrived(room)
    with_app(client)
    with_passkey(client)
    client.post(place("close"), {"passphrase": OWN, "sure": "on"})
    assert not Authenticator.objects.filter(user=her).exists()
