"""The desk's side of it: a code on a sheet, and a way in that is shut on her word."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from consent.models import EnrolmentCode, Objection
from tests import staffroom
from tests.coming import NUMBER, arrived, give, place
from tests.staffroom import Staffroom, proof

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Staffroom:
    cache.clear()
    found = staffroom.build()
    staffroom.enrolled(found, NUMBER)
    return found


# --- the desk -------------------------------------------------------------------------------------


def sheet(room: Staffroom, client: Client, **given: str) -> Any:
    words = {"holder": room.holder.ref, "number": NUMBER, "kind": "arrival", "language": "es"}
    asked = {**words, "talked": "on", **proof(room.advocate), **given}
    return client.post("/desk/codes/", {name: value for name, value in asked.items() if value})


def test_an_advocate_gives_a_code_on_a_neutral_sheet(room: Staffroom) -> None:
    client = staffroom.enter(Client(), room.advocate)
    answer = sheet(room, client)
    page = answer.content.decode()
    (printed,) = re.findall(r'<section class="card sheet".*?</section>', page, re.DOTALL)
    (code,) = re.findall(r'class="typed" translate="no">([^<]+)<', printed)
    assert "http://testserver/begin/" in printed
    assert f"/{code}" not in page
    assert NUMBER not in page
    assert room.holder.name not in printed
    assert 'lang="es"' in printed
    assert Client().post(place("begin"), {"code": code}).status_code == 302
    again_ = client.get("/desk/codes/").content.decode()
    assert code not in again_
    assert NUMBER not in again_


def test_the_square_holds_the_address_and_never_the_code(
    room: Staffroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def noted(text: str) -> str:
        drawn.append(text)
        return ""

    monkeypatch.setattr("desk.views.codes.square.drawn", noted)
    sheet(room, staffroom.enter(Client(), room.advocate))
    assert drawn == ["http://testserver/begin/"]


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({"talked": ""}, 200, "First talk with the person"),
        ({"number": "A-99"}, 409, "not known here"),
        ({"password": "wrong words"}, 200, "not right"),
        ({"kind": "return"}, 409, "has no sign-in"),
    ],
)
def test_what_does_not_do_gives_no_code(
    room: Staffroom, given: dict[str, str], status: int, said: str
) -> None:
    answer = sheet(room, staffroom.enter(Client(), room.advocate), **given)
    assert (answer.status_code, said in answer.content.decode()) == (status, True)
    assert not EnrolmentCode.objects.exists()


def test_an_open_code_is_listed_and_taken_back(room: Staffroom) -> None:
    made, _code = give(room)
    client = staffroom.enter(Client(), room.advocate)
    assert made.ref in client.get("/desk/codes/").content.decode()
    client.post(f"/desk/codes/{made.ref}/cancel/")
    made.refresh_from_db()
    assert made.cancelled_at is not None
    assert client.post(f"/desk/codes/{made.ref}/cancel/").status_code == 404


@pytest.mark.parametrize("who", ["steward", "outsider", "convener"])
@pytest.mark.parametrize("page", ["/desk/codes/", "/desk/shutting/"])
def test_these_pages_are_for_advocates(room: Staffroom, who: str, page: str) -> None:
    assert staffroom.enter(Client(), getattr(room, who)).get(page).status_code == 403


@pytest.mark.parametrize("wanted", ["shut", "close", "freeze"])
def test_on_her_word_it_is_done_in_two_presses(room: Staffroom, wanted: str) -> None:
    hers, her = arrived(room)
    client = staffroom.enter(Client(), room.advocate)
    answer = client.post(
        "/desk/shutting/", {"holder": room.holder.ref, "number": NUMBER, "wanted": wanted}
    )
    assert answer["Location"] == "/desk/shutting/done/"
    assert client.get("/desk/shutting/done/").status_code == 200
    her.refresh_from_db()
    assert (her.shut_at is not None) == (wanted == "shut")
    assert (her.ended_at is not None) == (wanted == "close")
    assert Objection.objects.exists() == (wanted == "freeze")
    assert (hers.get("/").status_code == 200) == (wanted == "freeze")
    assert Client().get(place("start")).status_code == 200


def test_a_number_that_is_not_known_shuts_nothing(room: Staffroom) -> None:
    client = staffroom.enter(Client(), room.advocate)
    words = {"holder": room.holder.ref, "number": "A-99", "wanted": "shut"}
    assert client.post("/desk/shutting/", words).status_code == 409
