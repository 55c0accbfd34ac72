"""The pages of what is wrong, or not to be shared for now: she says it, an advocate writes it down, a
steward decides, and nobody who decides is told whose it is."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.vocabulary import Via
from consent.actions import contests
from consent.models import Contest
from consent.vocabulary import Contested, Decided
from tests import staffroom, survivors
from tests.factories import contests as rows
from tests.factories.governance import START
from tests.staffroom import Staffroom, hand

pytestmark = pytest.mark.django_db
NUMBER = "A-17"


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
    found = staffroom.build()
    staffroom.enrolled(found, NUMBER)
    return found


def mend(client: Client, **given: str) -> str:
    place = reverse("portal:mend")
    if given:
        assert client.post(place, given)["Location"] == place
    return client.get(place).content.decode()


def place(name: str, *words: str) -> str:
    return reverse(f"desk:{name}", args=words)


def test_R22_she_says_it_herself_sees_that_it_is_held_back_and_what_was_decided(world, client):
    given = {"where": world.holder.ref, "what": world.categories[0].code, "kind": "correction"}
    page = mend(client, **given)
    contest = Contest.objects.get()
    assert contest.subject == world.subject
    for words in ("Held back", "You said: something is wrong.", contest.ref):
        assert words in page
    assert world.holder.name not in page  # names are not shown until she asks for them
    mend(client, **given)  # twice is once
    assert Contest.objects.count() == 1
    assert "You said no on" not in client.get(reverse("portal:never")).content.decode()
    steward = survivors.steward(world)
    about = {"by": steward, "at": timezone.now(), "via": Via.DESK}
    contests.decide(contest=contest, decision=Decided.CORRECTED, **about)
    page = mend(client)
    assert "It was put right." in page
    assert "Held back" not in page


def test_R22_what_stays_unshared_stands_among_what_she_never_wants(world, client):
    survivors.contested(world)
    page = mend(client)
    assert "It stays not shared." in page
    assert "You said no on" in client.get(reverse("portal:never")).content.decode()


def test_nobody_says_it_of_somebody_elses_record(world, client):
    given = {"where": "org-nowhere", "what": world.categories[0].code, "kind": "correction"}
    answer = client.post(reverse("portal:mend"), given)
    assert answer.status_code == 200
    assert not Contest.objects.exists()


def test_R22_an_advocate_writes_it_down_by_number_and_a_steward_decides_without_seeing_whose(room):
    advocate = staffroom.enter(Client(), room.advocate)
    given = {
        "holder": room.holder.ref,
        "number": NUMBER,
        "category": room.categories[0].code,
        "kind": "restriction",
    }
    answer = advocate.post(place("contest"), given, follow=True)
    contest = Contest.objects.get()
    assert contest.ref in answer.content.decode()
    assert advocate.post(place("contest"), given).status_code == 409
    assert advocate.post(place("contest"), {**given, "number": "A-99"}).status_code == 409
    steward = staffroom.enter(Client(), room.steward)
    for page in (place("work"), place("contest-decide", contest.ref)):
        seen = steward.get(page).content.decode()
        assert contest.ref in seen
        assert room.categories[0].label_en in seen
        assert NUMBER not in seen
        assert "Overdue" not in seen
    decide = place("contest-decide", contest.ref)
    assert steward.post(decide, {"decision": "corrected"}).status_code == 200  # of the other kind
    assert steward.post(decide, {"decision": "ended"})["Location"] == place("work")
    contest.refresh_from_db()
    assert (contest.decision, contest.decided_by) == (Decided.ENDED, room.steward)
    assert steward.get(decide).status_code == 404
    assert contest.ref not in steward.get(place("work")).content.decode()
    listed = advocate.get(place("client", contest.subject.assignments.get().ref)).content.decode()
    assert contest.ref in listed


def test_what_nobody_decided_within_thirty_days_is_named_as_overdue(room):
    subject = staffroom.enrolled(room, NUMBER)
    late = rows.contest(subject=subject, category=room.categories[0], asked_at=START)
    steward = staffroom.enter(Client(), room.steward)
    assert "Overdue" in steward.get(place("work")).content.decode()
    assert "Overdue" in steward.get(place("contest-decide", late.ref)).content.decode()


def test_a_steward_of_another_organisation_finds_none_of_it(room):
    contest = contests.ask(
        subject=staffroom.enrolled(room, NUMBER),
        category=room.categories[0],
        kind=Contested.CORRECTION,
        **hand(room.advocate),
    )
    for stranger in (room.advocate, room.requester, room.holder_admin):
        client = staffroom.enter(Client(), stranger)
        decide = place("contest-decide", contest.ref)
        assert client.post(decide, {"decision": "corrected"}).status_code in {403, 404}
    contest.refresh_from_db()
    assert contest.decision == ""
