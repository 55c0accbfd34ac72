"""Her words once more, her settings, and where somebody is signed in, as pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from config.sittings import device
from governance.models import Sitting, User
from portal import again
from tests import staffroom
from tests.coming import (
    NUMBER,
    OWN,
    WORDS,
    arrived,
    offered_words,
    paper_of,
    place,
    proved,
    sign_in,
)
from tests.staffroom import Staffroom

pytestmark = pytest.mark.django_db


@pytest.fixture
def room() -> Staffroom:
    cache.clear()
    found = staffroom.build()
    staffroom.enrolled(found, NUMBER)
    return found


# --- her words once more, and settings ------------------------------------------------------------


def test_history_and_settings_ask_for_her_words_and_the_first_page_does_not(
    room: Staffroom,
) -> None:
    _client, her = arrived(room)
    client = sign_in(her)
    assert client.get("/").templates[0].name == "portal/home.html"
    for name in ("history", "settings", "words", "places", "speak", "paper_anew"):
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
    late = client.post(place("words"), {"password": WORDS, "again": WORDS})
    assert "Nothing was changed yet" in late.content.decode()
    her.refresh_from_db()
    assert her.check_password(OWN)


def test_new_words_sign_every_other_device_out_and_leave_this_one_in(room: Staffroom) -> None:
    other, her = arrived(room)
    client = sign_in(her)
    proved(client)
    words = offered_words(client, place("words"))
    assert "Your words are new" in client.post(place("words"), {"typed": words}).content.decode()
    assert client.get("/").status_code == 200
    assert other.get("/").status_code == 302
    assert sign_in(her, words).get("/").status_code == 200
    assert (
        "too easy"
        in client.post(place("words"), {"password": "abc", "again": "abc"}).content.decode()
    )


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
    wrong = client.post(place("close"), {"sure": "on", "passphrase": "x"})
    assert "not your secret words" in wrong.content.decode()
    assert User.objects.filter(pk=her.pk, ended_at__isnull=True).exists()
    assert (
        "closed" in client.post(place("close"), {"sure": "on", "passphrase": OWN}).content.decode()
    )
    her.refresh_from_db()
    assert her.ended_at is not None
    assert client.get("/").status_code == 302


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
