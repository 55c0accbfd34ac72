"""Coming in, and coming in again, as pages: code, name, words, paper."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from consent.actions import enrolment, survivors
from consent.models import EnrolmentCode, Subject
from consent.vocabulary import CodeKind
from governance.models import PaperCode, User
from portal import attempts
from tests import staffroom
from tests.coming import (
    NUMBER,
    OWN,
    WORDS,
    arrived,
    give,
    offered_words,
    paper_of,
    place,
    with_name,
)
from tests.staffroom import Staffroom, hand

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Staffroom:
    cache.clear()
    found = staffroom.build()
    staffroom.enrolled(found, NUMBER)
    return found


# --- coming in ------------------------------------------------------------------------------------


def test_she_comes_in_with_code_name_words_and_paper(room: Staffroom) -> None:
    client = Client()
    assert client.post(place("begin"), {"code": give(room)[1]})["Location"] == place("choose_name")
    names = [
        each[0] for each in client.get(place("choose_name")).context["form"].fields["name"].choices
    ]
    assert len(set(names)) == 4
    before = client.session.session_key
    assert client.post(place("choose_name"), {"name": names[2]})["Location"] == place("first_words")
    words = offered_words(client, place("first_words"))
    assert len(words.split()) == 5
    typed = f"  {words.upper().replace(' ', '  ')} "
    assert client.post(place("first_words"), {"typed": typed})["Location"] == place("paper")
    her = User.objects.get(username=names[2])
    assert her.check_password(words)
    assert Subject.objects.get().account == her
    assert client.session[SESSION_KEY] == str(her.pk)
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()
    assert not [key for key, _ in client.session.items() if key.startswith("coming")]
    page = client.get(place("paper")).content.decode()
    shown = re.findall(r"<code>([^<]+)</code>", page)
    assert len(shown) == survivors.BACK_IN + 1
    assert names[2] in page
    assert client.post(place("paper"))["Location"] == "/"
    assert client.get(place("paper"))["Location"] == "/"  # never again
    assert client.get("/").status_code == 200


def test_nothing_she_types_stands_in_an_address_or_in_clear_in_the_session(room: Staffroom) -> None:
    client = Client()
    _made, code = give(room)
    answers = [client.post(place("begin"), {"code": code})]
    name = str(client.get(place("choose_name")).context["form"].fields["name"].choices[0][0])
    answers.append(client.post(place("choose_name"), {"name": name}))
    words = offered_words(client, place("first_words"))
    kept = str(dict(client.session.items()))
    answers.append(client.post(place("first_words"), {"typed": words}))
    for secret in (code, code.replace("-", ""), words):
        assert secret not in kept
        assert not any(secret in answer["Location"] for answer in answers)


def test_she_may_ask_for_other_names_and_other_words(room: Staffroom) -> None:
    client = Client()
    client.post(place("begin"), {"code": give(room)[1]})
    first = client.get(place("choose_name")).context["form"].fields["name"].choices
    other = (
        client.post(place("choose_name"), {"others": "1"}).context["form"].fields["name"].choices
    )
    assert set(first) != set(other)
    client.post(place("choose_name"), {"name": other[0][0]})
    words = offered_words(client, place("first_words"))
    assert offered_words(client, place("first_words")) == words  # a reload keeps them
    client.post(place("first_words"), {"others": "1"})
    assert offered_words(client, place("first_words")) != words
    assert not User.objects.filter(username=other[0][0]).exists()


def test_a_name_that_was_not_on_offer_is_not_taken(room: Staffroom) -> None:
    client = Client()
    client.post(place("begin"), {"code": give(room)[1]})
    client.get(place("choose_name"))
    answer = client.post(place("choose_name"), {"name": "Maria-Lopez"})
    assert answer.status_code == 200
    assert client.get(place("first_words"))["Location"] == place("choose_name")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"typed": "some other words than those"}, "not the five words above"),
        ({"typed": ""}, "Type the words here"),
        ({"password": OWN, "again": OWN + "s"}, "The two differ"),
        ({"password": "short", "again": "short"}, "too easy to guess"),
        ({"password": "password1234", "again": "password1234"}, "too easy to guess"),
        ({"password": "x" * 500, "again": "x" * 500}, "at most 200"),
        ({"password": "nul\0nul nul nul", "again": "nul\0nul nul nul"}, "Null characters"),
    ],
)
def test_words_that_do_not_do_are_said_in_place_and_the_code_stays(
    room: Staffroom, given: dict[str, str], said: str
) -> None:
    client = Client()
    name = with_name(room, client)
    answer = client.post(place("first_words"), given)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not User.objects.filter(username=name).exists()
    assert client.post(place("first_words"), {"password": OWN, "again": OWN}).status_code == 302


def test_a_name_taken_meanwhile_leads_back_to_others(room: Staffroom) -> None:
    client = Client()
    name = with_name(room, client)
    User.objects.create_user(name, WORDS, kind="survivor")
    answer = client.post(place("first_words"), {"password": OWN, "again": OWN}, follow=True)
    assert "Someone took this name" in answer.content.decode()
    offered = answer.context["form"].fields["name"].choices
    assert name not in [each[0] for each in offered]


@pytest.mark.parametrize("when", ["cancelled", "used", "over"])
def test_a_code_that_is_over_on_the_way_leads_back_to_the_first_page(
    room: Staffroom, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    with_name(room, client)
    made = EnrolmentCode.objects.get()
    if when == "cancelled":
        enrolment.cancel(code=made, **hand(room.advocate))
    elif when == "used":
        EnrolmentCode.objects.update(used_at=timezone.now())
    else:
        later = made.expires_at + timedelta(seconds=1)
        monkeypatch.setattr("portal.views.arriving.timezone.now", lambda: later)
    answer = client.post(place("first_words"), {"password": OWN, "again": OWN})
    assert answer["Location"] == place("begin")


def test_sending_twice_and_going_back_break_nothing(room: Staffroom) -> None:
    client = Client()
    name = with_name(room, client)
    stale = Client()
    stale.cookies["sessionid"] = client.cookies["sessionid"].value
    client.post(place("first_words"), {"password": OWN, "again": OWN})
    again_sent = stale.post(place("first_words"), {"password": OWN, "again": OWN})
    assert again_sent["Location"] == place("begin")
    assert place("sign_in") in stale.get(place("begin")).content.decode()
    assert User.objects.filter(username=name).count() == 1
    for back in ("first_words", "choose_name"):
        assert client.get(place(back))["Location"] == place("begin")
    assert client.get(place("begin"))["Location"] == "/"


@pytest.mark.parametrize("code", ["", "abc", "22222-22222", "\0", "x" * 500, "‮2222222222"])
def test_a_code_that_opens_nothing_says_so_in_the_same_words(room: Staffroom, code: str) -> None:
    made, good = give(room)
    enrolment.cancel(code=made, **hand(room.advocate))
    over = Client().post(place("begin"), {"code": good})
    assert "does not work, or not any more" in over.content.decode()
    answer = Client().post(place("begin"), {"code": code})
    assert answer.status_code == 200
    assert SESSION_KEY not in answer.client.session


def test_codes_are_slowed_by_address_and_over_all(
    room: Staffroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "MOST_CODES_FOR_ONE_ADDRESS", 3)
    monkeypatch.setattr(attempts, "MOST_CODES", 5)
    _made, good = give(room)

    def tried(code: str, address: str) -> int:
        return Client().post(place("begin"), {"code": code}, REMOTE_ADDR=address).status_code

    assert [tried("22222-22222", "192.0.2.1") for _ in range(4)] == [200, 200, 200, 429]
    assert tried(good, "192.0.2.1") == 429
    assert tried(good, "192.0.2.2") == 302
    assert [tried("22222-22222", "192.0.2.3") for _ in range(2)] == [200, 429]
    assert tried(good, "192.0.2.4") == 429


def test_a_second_code_says_from_when_and_then_sets_new_words(
    room: Staffroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    _client, her = arrived(room)
    made, code = give(room, CodeKind.RETURN)
    early = Client().post(place("begin"), {"code": code})
    assert "This code works from" in early.content.decode()
    monkeypatch.setattr("portal.views.arriving.timezone.now", lambda: made.opens_at)
    client = Client()
    assert client.post(place("begin"), {"code": code})["Location"] == place("first_words")
    assert client.get(place("choose_name"))["Location"] == place("begin")
    words = offered_words(client, place("first_words"))
    assert client.post(place("first_words"), {"typed": words})["Location"] == place("paper")
    assert her.username in client.get(place("paper")).content.decode()
    her.refresh_from_db()
    assert her.check_password(words)


def test_she_sees_a_second_code_on_every_page_and_stops_it(room: Staffroom) -> None:
    client, _her = arrived(room)
    made, _code = give(room, CodeKind.RETURN)
    for name in ("home", "start", "settings"):
        assert "Did you ask for a new code?" in client.get(place(name)).content.decode()
    assert client.post(place("refuse", made.ref))["Location"] == "/"
    made.refresh_from_db()
    assert made.cancelled_at is not None
    assert "Did you ask for a new code?" not in client.get("/").content.decode()
    assert client.post(place("refuse", made.ref)).status_code == 404


def test_nobody_else_refuses_it(room: Staffroom) -> None:
    arrived(room)
    made, _code = give(room, CodeKind.RETURN)
    other = Client()
    other.force_login(room.survivor, backend="django.contrib.auth.backends.ModelBackend")
    assert other.post(place("refuse", made.ref)).status_code == 404
    made.refresh_from_db()
    assert made.cancelled_at is None


# --- her paper ------------------------------------------------------------------------------------


def test_a_code_of_her_paper_sets_new_words(room: Staffroom) -> None:
    client, her = arrived(room)
    *back_in, _shut = paper_of(client)
    stranger = Client()
    answer = stranger.post(place("lost"), {"name": her.username, "code": back_in[0]})
    assert answer["Location"] == place("lost_words")
    words = offered_words(stranger, place("lost_words"))
    assert stranger.post(place("lost_words"), {"typed": words})["Location"] == "/"
    assert stranger.get("/").status_code == 200
    assert client.get("/").status_code == 302  # whoever was in is out
    assert PaperCode.objects.filter(used_at__isnull=False).count() == 1
    late = Client().post(place("lost"), {"name": her.username, "code": back_in[0]})
    assert "do not fit together" in late.content.decode()


def test_whatever_is_wrong_with_name_and_code_reads_the_same(room: Staffroom) -> None:
    client, her = arrived(room)
    *back_in, shut = paper_of(client)
    bodies = set()
    for name, code in [
        ("nobody-here-11", back_in[0]),
        (her.username, shut),
        (her.username, "2222-2222-2222-2222"),
        (room.steward.username, back_in[0]),
    ]:
        answer = Client().post(place("lost"), {"name": name, "code": code})
        text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())
        bodies.add(text.replace(name, "").replace(code, ""))
    assert len(bodies) == 1
    assert Client().get(place("lost_words"))["Location"] == place("lost")


def test_anybody_with_the_code_shuts_it_and_her_words_open_nothing(room: Staffroom) -> None:
    client, her = arrived(room)
    *_back_in, shut = paper_of(client)
    wrong = Client().post(place("shut"), {"code": "2222-2222-2222-2222"})
    assert "does not work" in wrong.content.decode()
    done = Client().post(place("shut"), {"code": shut})
    assert "Your page is shut" in done.content.decode()
    assert client.get("/")["Location"] == place("start")
    answer = Client().post(place("sign_in"), {"name": her.username, "passphrase": OWN})
    assert "do not fit together" in answer.content.decode()
