"""Whoever administers an organisation writes its texts, looks at them and publishes them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Terms
from consent.vocabulary import Part
from tests import staffroom, texts
from tests.staffroom import Staffroom, hand

pytestmark = pytest.mark.django_db
HARD = "Institutional representatives subsequently coordinate individually identifiable facts."
LIST, WRITE = reverse("desk:texts"), reverse("desk:text-write")


@pytest.fixture
def room() -> Staffroom:
    return staffroom.build()


@pytest.fixture
def client(room: Staffroom) -> Client:
    return staffroom.enter(Client(), room.holder_admin)


def form(room: Staffroom, step: str = "check", **changes: str) -> dict[str, Any]:
    found = {
        "step": step,
        "organisation": room.holder.ref,
        "code": "harbour-yes",
        "widens": "yes",
        "keep_until": "",
    }
    for text in texts.both():
        found[f"{text.language}_title"] = text.title
        found |= {f"{text.language}_{part}": words for part, words in text.parts.items()}
    return {**found, **changes}


def test_it_is_looked_at_with_its_measures_and_kept_only_when_it_is_published(client, room):
    seen = client.post(WRITE, form(room))
    assert seen.status_code == 200
    words = seen.content.decode()
    assert 'value="publish"' in words
    assert words.count(texts.ENGLISH[Part.RISKS]) == 2  # as it will be shown, and to be changed
    assert not Terms.objects.exists()
    assert client.post(WRITE, form(room, "publish"))["Location"] == LIST
    assert [str(each) for each in Terms.objects.order_by("pk")] == [
        *("harbour-yes/1/en", "harbour-yes/1/es")
    ]
    assert texts.ENGLISH[Part.RISKS] in client.get(LIST).content.decode()


@pytest.mark.parametrize("step", ["check", "publish"])
def test_what_is_too_hard_is_said_with_its_part_and_nothing_is_lost(client, room, step):
    seen = client.post(WRITE, form(room, step, en_risks=HARD, es_stop="…"))
    words = seen.content.decode()
    assert seen.status_code == 409
    assert "“What can happen” in “en” is too hard to read" in words
    assert "“How to stop” is missing in “es”" in words
    assert HARD in words
    assert 'value="publish"' not in words
    assert not Terms.objects.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"en_why": ""}, 400),
        ({"code": "a b"}, 400),
        ({"keep_until": "2001-01-01"}, 400),
        ({"keep_until": "soon"}, 400),
        ({"organisation": "org-2222222222222"}, 400),
        ({"widens": "perhaps"}, 400),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(client, room, change, said):
    seen = client.post(WRITE, form(room, "publish", **change))
    assert seen.status_code == said
    assert "Something is missing or not right" in seen.content.decode()
    assert not Terms.objects.exists()


def test_the_next_version_begins_with_the_one_before(client, room):
    text = texts.publish(code="harbour-yes", organisation=room.holder, **hand(room.holder_admin))
    begun = client.get(WRITE, {"of": text.code}).content.decode()
    assert texts.SPANISH[Part.EASY] in begun
    assert (
        client.post(WRITE, form(room, "publish", en_why="To help.", widens="no")).status_code == 302
    )
    newer = Terms.objects.get(version=2, language="en")
    assert (newer.widens, newer.publisher) == (False, room.holder)
    listed = client.get(LIST).content.decode()
    assert "harbour-yes/2/en" in listed
    assert "harbour-yes/1/en" not in listed


def test_lines_become_one_paragraph(client, room):
    client.post(WRITE, form(room, "publish", en_why="They want\r\nto learn."))
    assert Terms.objects.get(language="en").parts.get(part=Part.WHY).text == "They want to learn."


def test_anothers_text_is_neither_shown_nor_begun_with_nor_replaced(room):
    texts.publish(code="harbour-yes", organisation=room.holder, **hand(room.holder_admin))
    other = staffroom.enter(Client(), room.recipient_admin)
    assert "harbour-yes" not in other.get(LIST).content.decode()
    assert texts.ENGLISH[Part.EASY] not in other.get(WRITE, {"of": "harbour-yes"}).content.decode()
    own = form(room, "publish", organisation=room.recipient.ref, en_why="To help.")
    refused = other.post(WRITE, own)
    assert refused.status_code == 409
    assert "another organisation" in refused.content.decode()
    assert not Terms.objects.filter(version=2).exists()


@pytest.mark.parametrize("who", ["advocate", "steward", "requester"])
def test_nobody_else_sees_these_pages(room, who):
    other = staffroom.enter(Client(), getattr(room, who))
    for address in (LIST, WRITE):
        assert other.get(address).status_code == 403
    assert other.post(WRITE, form(room, "publish")).status_code == 403
    assert not Terms.objects.filter(published_at__lte=timezone.now()).exists()
