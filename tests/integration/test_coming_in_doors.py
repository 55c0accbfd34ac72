"""Coming in, settings and shutting as pages: what a person and her advocate press."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.sittings import device
from consent.actions import enrolment, survivors
from consent.models import EnrolmentCode, Objection, Subject
from consent.vocabulary import CodeKind
from governance.models import PaperCode, Sitting, User
from portal import again, attempts
from tests import staffroom
from tests.staffroom import Staffroom, hand, proof

pytestmark = pytest.mark.django_db
NUMBER = "A-17"
WORDS = "copper lantern meadow thirty swans"
OWN = "a kettle sings before the rain"


@pytest.fixture
def room() -> Staffroom:
    cache.clear()
    found = staffroom.build()
    staffroom.enrolled(found, NUMBER)
    return found


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
    client.post(place("first_words"), {"own": OWN, "same": OWN})
    return client, User.objects.get(username=name)


def sign_in(user: User, words: str = OWN, **given: Any) -> Client:
    client = Client(**given)
    client.post(place("sign_in"), {"name": user.username, "passphrase": words})
    return client


def proved(client: Client, name: str = "settings", words: str = OWN) -> Any:
    return client.post(place(name), {"passphrase": words})


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
        ({"typed": ""}, "required"),
        ({"own": OWN, "same": OWN + "s"}, "The two differ"),
        ({"own": "short", "same": "short"}, "too easy to guess"),
        ({"own": "password1234", "same": "password1234"}, "too easy to guess"),
        ({"own": "x" * 500, "same": "x" * 500}, "at most 200"),
        ({"own": "nul\0nul nul nul", "same": "nul\0nul nul nul"}, "Null characters"),
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
    assert client.post(place("first_words"), {"own": OWN, "same": OWN}).status_code == 302


def test_a_name_taken_meanwhile_leads_back_to_others(room: Staffroom) -> None:
    client = Client()
    name = with_name(room, client)
    User.objects.create_user(name, WORDS, kind="survivor")
    answer = client.post(place("first_words"), {"own": OWN, "same": OWN}, follow=True)
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
    answer = client.post(place("first_words"), {"own": OWN, "same": OWN})
    assert answer["Location"] == place("begin")


def test_sending_twice_and_going_back_break_nothing(room: Staffroom) -> None:
    client = Client()
    name = with_name(room, client)
    stale = Client()
    stale.cookies = client.cookies.copy()
    client.post(place("first_words"), {"own": OWN, "same": OWN})
    again_sent = stale.post(place("first_words"), {"own": OWN, "same": OWN})
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


def paper_of(client: Client) -> list[str]:
    return re.findall(r"<code>([^<]+)</code>", client.get(place("paper")).content.decode())


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


# --- her words once more, and settings ------------------------------------------------------------


def test_history_and_settings_ask_for_her_words_and_the_first_page_does_not(
    room: Staffroom,
) -> None:
    _client, her = arrived(room)
    client = sign_in(her)
    assert client.get("/").templates[0].name == "portal/home.html"
    for name in ("history", "settings", "words", "places", "speak", "paper_anew", "close"):
        assert client.get(place(name)).templates[0].name == "portal/again.html"
    wrong = proved(client, words="not her words at all")
    assert "not your secret words" in wrong.content.decode()
    assert proved(client, "history")["Location"] == place("history")
    assert client.get(place("history")).templates[0].name == "portal/history.html"


def test_what_is_open_shuts_again_after_ten_minutes(
    room: Staffroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    _client, her = arrived(room)
    client = sign_in(her)
    proved(client)
    session = client.session
    session[again.KEY] = session[again.KEY] - again.FOR
    session.save()
    late = client.post(place("close"), {"sure": "on"})
    assert "Nothing was changed yet" in late.content.decode()
    her.refresh_from_db()
    assert her.ended_at is None


def test_new_words_sign_every_other_device_out_and_leave_this_one_in(room: Staffroom) -> None:
    other, her = arrived(room)
    client = sign_in(her)
    proved(client)
    words = offered_words(client, place("words"))
    assert "Your words are new" in client.post(place("words"), {"typed": words}).content.decode()
    assert client.get("/").status_code == 200
    assert other.get("/").status_code == 302
    assert sign_in(her, words).get("/").status_code == 200
    assert "too easy" in client.post(place("words"), {"own": "abc", "same": "abc"}).content.decode()


def test_she_ends_one_device_the_others_and_all(room: Staffroom) -> None:
    _client, her = arrived(room)
    here = sign_in(her, headers={"user-agent": "Mozilla/5.0 (iPhone) Mobile"})
    there = sign_in(her, headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0)"})
    proved(here)
    page = here.get(place("places")).content.decode()
    assert "A phone" in page
    assert "A computer" in page
    assert "Mozilla" not in page
    far = Sitting.objects.get(user=her, device="computer")
    here.post(place("end_place", far.ref))
    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200
    third = sign_in(her)
    here.post(place("end_others"))
    assert third.get("/").status_code == 302
    assert here.post(place("end_all"))["Location"] == place("start")
    assert here.get("/").status_code == 302
    assert not Sitting.objects.filter(user=her).exists()


def test_somebody_elses_device_is_nowhere(room: Staffroom) -> None:
    _client, her = arrived(room)
    client = sign_in(her)
    proved(client)
    theirs = Client()
    theirs.force_login(room.survivor, backend="django.contrib.auth.backends.ModelBackend")
    theirs.get("/")
    sitting = Sitting.objects.get(user=room.survivor)
    assert client.post(place("end_place", sitting.ref)).status_code == 404
    assert theirs.get("/").status_code == 200


def test_after_eight_hours_everybody_signs_in_again(room: Staffroom) -> None:
    client, her = arrived(room)
    assert client.get("/").status_code == 200
    before = timezone.now() - timedelta(hours=configured.SESSION_HOURS, seconds=1)
    Sitting.objects.filter(user=her).update(began_at=before)
    assert client.get("/").status_code == 302
    desk = staffroom.enter(Client(), room.steward)
    assert desk.get("/desk/").status_code == 200
    Sitting.objects.filter(user=room.steward).update(began_at=before)
    assert desk.get("/desk/").status_code == 302


def test_signing_out_forgets_where_she_was(room: Staffroom) -> None:
    client, her = arrived(room)
    client.get("/")
    assert Sitting.objects.filter(user=her).count() == 1
    client.post(place("leave"))
    assert not Sitting.objects.filter(user=her).exists()


@pytest.mark.parametrize(
    ("said", "seems"),
    [
        ("Mozilla/5.0 (Linux; Android 9; SM-J260) Mobile Safari", "phone"),
        ("Mozilla/5.0 (Linux; Android 12; SM-T500) Safari", "tablet"),
        ("Mozilla/5.0 (iPad; CPU OS 16)", "tablet"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 16)", "phone"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "computer"),
        ("", "other"),
    ],
)
def test_a_device_is_a_coarse_word(said: str, seems: str, rf: Any) -> None:
    assert device(rf.get("/", headers={"user-agent": said})) == seems


def test_she_is_met_in_the_language_she_chose(room: Staffroom) -> None:
    _client, her = arrived(room)
    client = sign_in(her)
    proved(client)
    assert client.post(place("speak"), {"language": "xx"}).status_code == 200
    assert client.post(place("speak"), {"language": "es"})["Location"] == place("settings")
    assert '<html lang="es"' in sign_in(her).get("/").content.decode()


def test_a_new_paper_takes_the_place_of_the_former(room: Staffroom) -> None:
    client, her = arrived(room)
    former = paper_of(client)
    proved(client)
    assert client.post(place("paper_anew"))["Location"] == place("paper")
    assert not set(paper_of(client)) & set(former)
    late = Client().post(place("lost"), {"name": her.username, "code": former[0]})
    assert "do not fit together" in late.content.decode()


def test_closing_says_plainly_that_sharing_goes_on(room: Staffroom) -> None:
    client, her = arrived(room)
    proved(client)
    assert (
        "What you share goes on until its last day." in client.get(place("close")).content.decode()
    )
    assert client.post(place("close"), {}).status_code == 200
    her.refresh_from_db()
    assert her.ended_at is None
    assert "closed" in client.post(place("close"), {"sure": "on"}).content.decode()
    her.refresh_from_db()
    assert her.ended_at is not None
    assert client.get("/").status_code == 302


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
    monkeypatch.setattr("desk.views.codes.square.drawn", lambda text: drawn.append(text) or "")
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


def test_staff_see_where_they_are_signed_in_and_end_it(room: Staffroom) -> None:
    client = staffroom.enter(Client(), room.steward)
    other = staffroom.enter(Client(), room.steward)
    assert client.get("/desk/places/").content.decode().count("This one") == 1
    far = Sitting.objects.filter(user=room.steward).latest("pk")
    assert client.post(f"/desk/places/{far.ref}/end/").status_code == 302
    assert other.get("/desk/").status_code == 302
    assert client.post("/desk/places/others/").status_code == 302
    assert client.get("/desk/").status_code == 200
    assert client.post("/desk/places/all/").status_code == 302
    assert client.get("/desk/").status_code == 302
