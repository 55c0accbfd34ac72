"""Her list tells who helped, who looked, whom she keeps away, who may speak for her and what she asked:
on her page by the day, and in her file with proof; of nobody else."""

import json
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.actions import sequence
from consent.actions import assignments, blocks, looks, questions, representatives
from consent.models import Subject
from consent.queries import keys
from consent.vocabulary import Reply, Speaker, Topic
from governance.models import User
from governance.vocabulary import Role
from oversight.queries.replay import replay
from portal import copies
from release.queries import accounting, around, proofs
from release.vocabulary import Deed
from tests import speaking, survivors
from tests.worlds import World, _worker, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)
HER = "c-1"


@pytest.fixture
def world() -> World:
    cache.clear()
    return small_world(2, each=1, yes=[])


@pytest.fixture
def her(world: World) -> User:
    account = User.objects.create_user("amber-willow-41", survivors.WORDS, kind="survivor")
    Subject.objects.filter(pk=world.subject(HER).pk).update(account=account)
    return account


def lived(world: World, her: User) -> dict[str, User]:
    """Somebody begins to help, looks, is kept away and let in; she asks; another may speak for her."""
    subject, advocate = world.subject(HER), world.home.advocate
    colleague = _worker("river-heron-5", world.home.organisation, Role.ADVOCATE, world.home.warden)
    assignments.begin(holder=world.home.organisation, number=HER, **hand(advocate))
    looks.look(subject=subject, **hand(advocate))
    question = questions.ask(
        subject=subject, consent=None, topic=Topic.TALK, words="canary", **hand(her)
    )
    questions.read(question=question, **hand(world.home.steward))
    questions.answer(question=question, reply=Reply.WILL_TALK, words="", **hand(world.home.steward))
    blocks.block(subject=subject, worker=colleague, **hand(her))
    blocks.lift(block=subject.blocks.get(), **hand(her))
    about = {"holder": world.home.organisation, "number": HER, **hand(advocate)}
    spoken = speaking.speaker(kind=Speaker.GUARDIAN, **about)
    dispute = speaking.dispute(**about)
    representatives.end(representative=spoken, **hand(advocate))
    assert dispute.subject == subject
    return {"advocate": advocate, "colleague": colleague, "steward": world.home.steward}


def words(events: list[Any]) -> list[tuple[str, str]]:
    return [
        (each.word, each.worker.username if each.worker else each.kind) for each in reversed(events)
    ]


def test_each_thing_stands_once_with_its_own_entry_and_a_replay_of_the_log_finds_the_same(
    world, her
):
    people = {name: user.username for name, user in lived(world, her).items()}
    events = around.of(her)
    assert sorted(words(events)) == sorted(
        [
            ("subject:assigned", people["advocate"]),
            ("subject:read", people["advocate"]),
            ("subject:read", people["steward"]),
            ("question:asked", "talk"),
            ("question:answered", "talk"),
            ("worker:blocked", people["colleague"]),
            ("worker:unblocked", people["colleague"]),
            ("speaker:recorded", "guardian"),
            ("speaker:ended", "guardian"),
            ("dispute:reported", ""),
        ]
    )
    entries = [each.entry for each in events]
    assert None not in entries
    assert len(set(entries)) == len(entries)
    subject = world.subject(HER)
    again = replay(subject, keys.own_key(subject))
    assert sorted(each.entry for each in again if each.deed == Deed.AROUND) == sorted(entries)
    assert [each for each in accounting.uses_of(subject) if each.deed == Deed.AROUND]
    assert around.of_subject(world.subject("c-2")) == []


def test_her_page_says_it_without_names_until_she_asks_for_them(world, her):
    people = lived(world, her)
    client = Client()
    client.force_login(her, backend="django.contrib.auth.backends.ModelBackend")
    survivors.said_again(client)
    place = reverse("portal:history")
    assert "?list=around" in client.get(place).content.decode()
    page = client.get(place, {"list": "around"}).content.decode()
    assert "Someone looked at your list." in page
    assert "Someone is kept away from your list." in page
    assert "Can I talk to someone?" in page
    assert world.home.organisation.name not in page
    assert not [user for user in people.values() if user.username in page]
    client.post(reverse("portal:names"), {"passphrase": survivors.WORDS})
    survivors.said_again(client)
    page = client.get(place, {"list": "around"}).content.decode()
    assert f"Someone looked at your list: {people['steward'].username}" in page
    assert world.home.organisation.name in page


def test_her_file_tells_it_to_people_and_machines_with_a_place_in_the_log(world, her):
    people = lived(world, her)
    sequence()
    made = b"".join(copies.zipped(proofs.copy(her), [], timezone.now()))
    with ZipFile(BytesIO(made)) as file:
        told = file.read("list.txt").decode()
        events = json.loads(file.read("list.json"))["events"]
    assert f"Someone looked at your list: {people['advocate'].username}" in told
    assert "Someone else may say yes for you now: a guardian whom a court named" in told
    assert "canary" not in told  # what she wrote is no line of it
    lines = [each for each in events if each["what"] == "around"]
    assert len(lines) == 10
    assert all(each["entry"] is not None for each in lines)
    (away,) = [each for each in lines if each["said"] == "worker:blocked"]
    assert away["who"] == people["colleague"].username
    (answered,) = [each for each in lines if each["said"] == "question:answered"]
    assert answered["kind"] == "talk"
