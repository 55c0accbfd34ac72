"""The pages of what she asks: in two presses from home, quiet until her words are typed, answered at the
desk by whoever may, who is not told whose it is."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from consent.actions import questions
from consent.models import Look, Question
from consent.vocabulary import Topic
from governance.models import User
from tests import staffroom, survivors
from tests.staffroom import Staffroom, hand

pytestmark = pytest.mark.django_db
NUMBER = "A-17"
ASK = "/ask/"


@pytest.fixture
def world() -> survivors.World:
    cache.clear()
    return survivors.build()


@pytest.fixture
def client(world: survivors.World) -> Client:
    found = Client()
    found.force_login(world.her, backend="django.contrib.auth.backends.ModelBackend")
    return found


@pytest.fixture
def room(settings: Any) -> Staffroom:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    return staffroom.build()


def asked(room: Staffroom, words: str = "Is it my age only?") -> Question:
    """Somebody with a number of this holder's asks on her own page."""
    subject = staffroom.enrolled(room, NUMBER)
    subject.account = User.objects.create_user("amber-willow-41", survivors.WORDS, kind="survivor")
    subject.save(update_fields=["account"])
    about = {"subject": subject, "consent": None, "topic": Topic.KEPT, "words": words}
    return questions.ask(**about, **hand(subject.account))


def test_S9_she_asks_in_two_presses_from_home_about_all_or_about_one_sharing(world, client):
    assert f'href="{ASK}"' in client.get("/").content.decode()
    page = client.get(ASK, {"about": world.on.ref}).content.decode()
    assert f'value="{world.on.ref}" selected' in page
    assert "A court may read this" in page
    assert world.on.recipient.name not in page  # places by number until she asks for names
    given = {"about": world.on.ref, "topic": "gone", "words": ""}
    assert client.post(ASK, given)["Location"] == ASK
    question = Question.objects.get()
    assert (question.consent, question.topic) == (world.on, "gone")
    page = client.get(ASK).content.decode()
    assert "You get an answer by" in page
    again = client.post(ASK, given)
    assert again.status_code == 409
    assert "You asked this already" in again.content.decode()
    assert Question.objects.count() == 1


def test_what_she_wrote_and_what_they_wrote_shows_only_after_her_secret_words(world, client):
    survivors.questioned(world)
    page = client.get(ASK).content.decode()
    assert "The answer is in these words." in page
    hidden = ("Is it my age only?", "Yes. Only that.")
    assert not any(words in page for words in hidden)
    place = reverse("portal:ask_words")
    assert not any(words in client.get(place).content.decode() for words in hidden)
    page = survivors.said_again(client).get(place)
    assert all(words in page.content.decode() for words in hidden)
    assert "no-store" in page["Cache-Control"]


def test_words_that_cannot_be_kept_or_are_too_many_are_refused_beside_the_field(world, client):
    given = {"about": f"all-{world.holder.ref}", "topic": "other"}
    for words, told in (("x" * 281, "280"), ("a\x00b", "ull"), ("a\u202eb", "cannot be kept")):
        answer = client.post(ASK, {**given, "words": words})
        assert told in answer.content.decode()
    assert not Question.objects.exists()
    assert client.post(ASK, {**given, "about": world.other.ref}).status_code == 200
    assert not Question.objects.exists()


def test_S9_a_steward_answers_from_the_work_list_and_is_not_told_whose_it_is(room):
    question = asked(room)
    steward = staffroom.enter(Client(), room.steward)
    place = reverse("desk:question", args=[question.ref])
    assert f'href="{place}"' in steward.get(reverse("desk:work")).content.decode()
    seen = steward.get(place).content.decode()
    assert "Is it my age only?" in seen
    assert NUMBER not in seen
    assert "amber-willow-41" not in seen
    assert Look.objects.get().worker == room.steward
    assert steward.post(place, {"reply": "written", "words": ""}).status_code == 400
    assert steward.post(place, {"reply": "they_said"}).status_code == 200  # no answer to that
    given = {"reply": "written", "words": "Yes. Only that."}
    assert steward.post(place, given)["Location"] == reverse("desk:work")
    assert steward.get(place).status_code == 404
    assert question.ref not in steward.get(reverse("desk:work")).content.decode()


def test_S9_the_advocate_who_helps_her_answers_too_and_sees_it_on_her_list(room):
    question = asked(room, words="")
    advocate = staffroom.enter(Client(), room.advocate)
    place = reverse("desk:question", args=[question.ref])
    assert f'href="{place}"' in advocate.get(reverse("desk:clients")).content.decode()
    assert advocate.post(place, {"reply": "on_page"})["Location"] == reverse("desk:clients")
    listed = reverse("desk:client", args=[question.subject.assignments.get().ref])
    assert "Your page shows this." in advocate.get(listed).content.decode()
    for stranger in (room.requester, room.holder_admin, room.recipient_admin):
        client = staffroom.enter(Client(), stranger)
        assert client.get(place).status_code in {403, 404}
