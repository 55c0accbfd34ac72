"""She hides one place from her pages: nothing there tells of it, nothing that is shared changes, and only
her secret words bring it back."""

import json
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.actions import sequence
from audit.models import Entry
from audit.vocabulary import Via
from common.errors import NotPermitted
from consent.actions import hiding, questions
from consent.models import Hidden, Subject
from consent.queries import sharing
from consent.vocabulary import Standing, Topic
from tests import survivors

pytestmark = pytest.mark.django_db
QUIET = ("home", "never", "ask", "mend", "history")


@pytest.fixture
def world() -> survivors.World:
    cache.clear()
    found = survivors.build()
    survivors.sent(found, found.on)
    survivors.kept_back(found, found.on, "objected")
    survivors.asked(found, found.on)
    return found


@pytest.fixture
def client(world: survivors.World) -> Client:
    found = Client()
    found.force_login(world.her, backend="django.contrib.auth.backends.ModelBackend")
    found.post(reverse("portal:names"), {"passphrase": survivors.WORDS})
    return survivors.said_again(found)


def pages(client: Client) -> str:
    asked = [client.get(reverse(f"portal:{name}")) for name in QUIET]
    asked += [
        client.get(reverse("portal:history"), {"list": each}) for each in ("questions", "around")
    ]
    return "".join(page.content.decode() for page in asked)


def hide(client: Client, world: survivors.World) -> None:
    assert client.post(reverse("portal:hide", args=[world.on.ref]))["Location"] == "/"


def test_no_page_of_hers_tells_of_what_she_hid_and_its_own_pages_are_nowhere(world, client):
    name = world.on.recipient.name
    now = {"by": world.her, "at": timezone.now(), "via": Via.PORTAL}
    questions.ask(subject=world.subject, consent=world.on, topic=Topic.GONE, words="", **now)
    assert name in pages(client)
    entries = Entry.objects.count()
    hide(client, world)
    hide_again = client.post(reverse("portal:hide", args=[world.on.ref]))
    assert hide_again.status_code == 404
    assert name not in pages(client)
    assert "Did they delete what they got?</h2>" not in pages(client)
    for page in ("details", "done", "slip", "stop", "change"):
        assert client.get(reverse(f"portal:{page}", args=[world.on.ref])).status_code == 404
    history = reverse("portal:history")
    assert client.get(history, {"of": world.on.ref}).status_code == 404
    assert world.paused.recipient.name in pages(client)
    assert Entry.objects.count() == entries  # that she hides something is nobody's to know


def test_what_she_hid_goes_on_as_it_is_and_a_no_to_everything_stops_it_too(world, client):
    hide(client, world)
    found = sharing.one(world.her, world.on.ref, timezone.now())
    assert found is not None
    assert found.standing == Standing.IN_FORCE
    client.post(reverse("portal:never"), {"everything": "all"})
    found = sharing.one(world.her, world.on.ref, timezone.now())
    assert found is not None
    assert found.standing == Standing.OBJECTED


def test_it_comes_back_only_after_her_secret_words(world, client):
    hide(client, world)
    stranger = Client()
    stranger.force_login(world.her, backend="django.contrib.auth.backends.ModelBackend")
    name, ref = world.on.recipient.name, world.on.recipient.ref
    assert name not in stranger.get(reverse("portal:hidden")).content.decode()
    stranger.post(reverse("portal:show", args=[ref]))
    assert Hidden.objects.exists()
    assert name in client.get(reverse("portal:hidden")).content.decode()
    assert client.post(reverse("portal:show", args=[world.other.recipient.ref])).status_code == 404
    client.post(reverse("portal:show", args=[ref]))
    assert not Hidden.objects.exists()
    assert name in pages(client)


def test_with_nothing_left_to_see_the_page_does_not_say_that_she_shares_nothing(world, client):
    for each in world.hers.values():
        client.post(reverse("portal:hide", args=[each.ref]))
    page = client.get("/").content.decode()
    assert "You share nothing now" not in page
    assert "Nothing is shown here now" in page


def test_her_whole_file_holds_it_only_where_she_ticks_the_box():
    cache.clear()
    world = survivors.build()  # nothing in it but what deeds left: the log can be numbered
    client = Client()
    client.force_login(world.her, backend="django.contrib.auth.backends.ModelBackend")
    hide(client, world)
    sequence()
    name, held = world.on.recipient.name, {}
    for ticked in ({}, {"hidden": "on"}):
        answer = client.post(reverse("portal:copy"), {"passphrase": survivors.WORDS, **ticked})
        with ZipFile(BytesIO(b"".join(answer.streaming_content))) as file:
            text = "".join(file.read(each).decode() for each in file.namelist() if "slips" in each)
            told = file.read("list.txt").decode() + text
            names = {each["recipient"] for each in json.loads(file.read("list.json"))["events"]}
        held[bool(ticked)] = (name in told, name in names, world.paused.recipient.name in told)
    assert held == {False: (False, False, True), True: (True, True, True)}


def test_nobody_hides_anything_for_her(world):
    with pytest.raises(NotPermitted):
        hiding.hide(consent=world.on, by=world.staff, at=timezone.now(), via=Via.DESK)
    with pytest.raises(NotPermitted):
        hiding.hide(consent=world.other, by=world.her, at=timezone.now(), via=Via.PORTAL)
    assert not Subject.objects.filter(hidden__isnull=False).exists()
