"""What she sees and does: stop, pause, start again, names, history."""

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.vocabulary import Via
from consent.actions import consents
from consent.models import Consent, ConsentEvent
from consent.vocabulary import Happening
from portal.places import KEY, Places
from portal.views import sharing as views
from release.models import Release
from release.queries import inquiries, uses
from release.vocabulary import DownloadPart, Ground, VoidGround
from tests import survivors
from tests.factories import governance as made
from tests.factories import release as answered
from tests.survivors import WORDS, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    cache.clear()
    return survivors.build()


@pytest.fixture
def client(world: World) -> Client:
    client = Client()
    client.force_login(world.her, backend="django.contrib.auth.backends.ModelBackend")
    return survivors.said_again(client)


def page(client: Client, name: str, *args: str, **query: str) -> str:
    response = client.get(reverse(f"portal:{name}", args=args), query)
    assert response.status_code == 200
    return str(response.content.decode())


def press(client: Client, name: str, consent: Consent, **given: str) -> Any:
    return client.post(reverse(f"portal:{name}", args=[consent.ref]), given)


def kept(consent: Consent) -> Consent:
    return Consent.objects.get(pk=consent.pk)


def happened(consent: Consent, happening: Happening) -> int:
    return ConsentEvent.objects.filter(consent=consent, happening=happening).count()


def test_stopping_ends_the_sharing_once_however_often_it_is_pressed(
    client: Client, world: World
) -> None:
    assert "Stop sharing" in page(client, "stop", world.on.ref)
    assert kept(world.on).ended_at is None  # looking changes nothing
    before = timezone.now()
    for _ in range(3):
        response = press(client, "stop", world.on)
        assert response["Location"] == reverse("portal:done", args=[world.on.ref])
    world.on.refresh_from_db()
    assert world.on.ending == "withdrawn"
    assert world.on.ended_at is not None
    assert before <= world.on.ended_at <= timezone.now()
    assert happened(world.on, Happening.WITHDRAWN) == 1


def test_the_closing_page_says_when_and_what_they_may_still_have(
    client: Client, world: World
) -> None:
    press(client, "stop", world.on)
    world.on.refresh_from_db()
    assert world.on.ended_at is not None
    words = page(client, "done", world.on.ref)
    assert "Stopped" in words
    assert world.on.ended_at.strftime("%H:%M (UTC)") in words
    assert "They may still have what they already got." in words
    assert "Your services stay the same." in words


def test_a_pause_lasts_until_she_says_or_until_the_day(client: Client, world: World) -> None:
    press(client, "pause", world.on, until="open")
    assert kept(world.on).paused_at is not None
    assert kept(world.on).paused_until is None
    assert "It stays paused until you start it again." in page(client, "done", world.on.ref)
    press(client, "pause", world.on, until="7")  # pressed again: it stays as it is
    assert happened(world.on, Happening.PAUSED) == 1
    press(client, "resume", world.on)
    press(client, "resume", world.on)
    assert happened(world.on, Happening.RESUMED) == 1
    press(client, "pause", world.on, until="7")
    world.on.refresh_from_db()
    assert world.on.paused_until is not None
    assert world.on.paused_until - timezone.now() > timedelta(days=6, hours=23)
    assert "It starts again by itself" in page(client, "done", world.on.ref)


@pytest.mark.parametrize("until", ["", "9999", "-1", "x"])
def test_a_pause_of_no_known_length_is_asked_again(
    until: str, client: Client, world: World
) -> None:
    response = press(client, "pause", world.on, until=until)
    assert response.status_code == 200
    assert b'class="wrong"' in response.content
    world.on.refresh_from_db()
    assert world.on.paused_at is None


def test_a_paused_sharing_starts_again_only_when_pressed(client: Client, world: World) -> None:
    assert "Start again" in page(client, "resume", world.paused.ref)
    assert happened(world.paused, Happening.RESUMED) == 0
    press(client, "resume", world.paused)
    assert happened(world.paused, Happening.RESUMED) == 1
    assert "Sharing" in page(client, "done", world.paused.ref)


@pytest.mark.parametrize("name", ["stop", "pause", "resume"])
@pytest.mark.parametrize("which", ["stopped", "expired"])
def test_what_has_ended_cannot_be_ended_again(
    name: str, which: str, client: Client, world: World
) -> None:
    consent = world.hers[which]
    events = ConsentEvent.objects.filter(consent=consent).count()
    for response in (
        client.get(reverse(f"portal:{name}", args=[consent.ref])),
        press(client, name, consent, until="open"),
    ):
        assert response["Location"] == reverse("portal:done", args=[consent.ref])
    assert ConsentEvent.objects.filter(consent=consent).count() == events


def test_a_stop_that_comes_second_to_another_door_is_done_all_the_same(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """She stops by phone between the page's reading and its deed."""
    found = views.her_card

    def late(request: Any, ref: str) -> Any:
        card = found(request, ref)
        consents.withdraw(consent=world.on, by=world.her, at=timezone.now(), via=Via.COMMAND)
        return card

    monkeypatch.setattr(views, "her_card", late)
    response = press(client, "stop", world.on)
    assert response["Location"] == reverse("portal:done", args=[world.on.ref])


def test_the_quiet_view_names_no_place(client: Client, world: World) -> None:
    survivors.sent(world, world.on)
    names = [consent.recipient.name for consent in world.hers.values()] + [world.holder.name]
    pages = ["home", "history", "settings", "names"]
    shown = [page(client, name) for name in pages]
    shown += [page(client, name, world.on.ref) for name in ("details", "stop", "pause", "done")]
    shown += [page(client, "resume", world.paused.ref)]
    for words in shown:
        assert not [name for name in names if name in words]
    assert "Place 1" in shown[0]


def test_names_show_for_five_minutes_after_her_words(client: Client, world: World) -> None:
    asked = client.post(reverse("portal:names"), {"passphrase": "not her words"})
    assert asked.status_code == 200
    assert world.on.recipient.name not in page(client, "home")
    assert client.post(reverse("portal:names"), {"passphrase": WORDS})["Location"] == "/"
    assert world.on.recipient.name in page(client, "home")
    assert world.holder.name in page(client, "details", world.on.ref)
    assert 290 < client.session[KEY] - time.time() <= 300
    session = client.session
    session[KEY] = int(time.time()) - 1
    session.save()
    assert world.on.recipient.name not in page(client, "home")


def test_names_can_be_hidden_at_once(client: Client, world: World) -> None:
    client.post(reverse("portal:names"), {"passphrase": WORDS})
    assert "Hide names" in page(client, "home")
    client.post(reverse("portal:hide_names"))
    assert world.on.recipient.name not in page(client, "home")


def test_guessing_her_words_at_an_open_device_is_slowed(client: Client, world: World) -> None:
    for _ in range(5):
        client.post(reverse("portal:names"), {"passphrase": "not her words"})
    response = client.post(reverse("portal:names"), {"passphrase": WORDS})
    assert response.status_code == 429
    assert KEY not in client.session


def test_a_place_keeps_its_number_on_every_page_and_after_a_stop(
    client: Client, world: World
) -> None:
    def number(ref: str) -> str:
        heading = page(client, "details", ref).split("<h1>")[1].split("</h1>")[0]
        return heading.strip()

    before = {name: number(consent.ref) for name, consent in world.hers.items()}
    assert sorted(before.values()) == ["Place 1", "Place 2", "Place 3", "Place 4"]
    press(client, "stop", world.on)
    assert before == {name: number(consent.ref) for name, consent in world.hers.items()}


def test_one_place_has_one_number_whatever_it_asked_for() -> None:
    one, two = made.organisation(), made.organisation()
    places = Places([one, two, one], named=False)
    assert [places.of(each).number for each in (one, two, one)] == [1, 2, 1]
    assert places.of(two).name == ""


def test_details_tell_all_that_she_said_yes_to(client: Client, world: World) -> None:
    words = page(client, "details", world.on.ref)
    for category in world.categories:
        assert category.label_en in words
    for told in (
        world.purpose.label_en,
        "Until",
        "You said yes",
        "How to stop",
        "They may keep what they already got.",
        "What was written down up to",
        world.terms.title,
    ):
        assert told in words


def test_an_empty_page_says_so_and_offers_nothing_to_press(world: World) -> None:
    client = Client()
    client.force_login(
        survivors.account("new-willow-5"), backend="django.contrib.auth.backends.ModelBackend"
    )
    words = page(client, "home")
    assert "You share nothing now" in words
    assert "Stop sharing" not in words
    assert "Nothing yet" in page(survivors.said_again(client), "history")


def test_history_tells_what_was_picked_up_and_under_which_yes(client: Client, world: World) -> None:
    release = survivors.sent(world, world.on)
    assert "Ready, not picked up" in page(client, "history")
    at = timezone.now()
    answered.sending(download=answered.download(release=release, part=DownloadPart.PACKAGE, at=at))
    assert f"<dd>{at.day} {at:%B %Y}</dd>" in page(client, "home")
    words = page(client, "history")
    assert "Ready, not picked up" not in words
    assert "Picked up" in words
    assert f"<dd>{at.day} {at:%B %Y}</dd>" in words
    assert reverse("portal:details", args=[world.on.ref]) in words
    assert world.categories[0].label_en in words


def test_history_tells_each_question_and_its_answer(client: Client, world: World) -> None:
    assert "Questions about you" not in page(client, "history")
    survivors.asked(world, world.on)
    words = page(client, "history")
    assert "Nothing yet" not in words
    assert "We cannot see if they did." in words
    assert "Answer: yes" in words
    assert world.categories[0].label_en in words
    survivors.asked(world, world.paused, Ground.PAUSED)
    words = page(client, "history")
    assert "Answer: no" in words
    assert "<dt>Why not</dt><dd>" in words
    assert "See all questions" not in words
    newest = [survivors.asked(world, world.on) for _ in range(inquiries.MOST)]
    words = page(client, "history")
    assert len(newest) == words.count("Answer: yes")
    assert "See all questions" in words
    other = Client()
    backend = "django.contrib.auth.backends.ModelBackend"
    other.force_login(world.other.subject.account, backend=backend)
    assert "Answer" not in page(other, "history")


def test_history_tells_what_was_blocked_and_why(client: Client, world: World) -> None:
    release = survivors.sent(world, world.on)
    type(release).objects.filter(pk=release.pk).update(
        voided_at=timezone.now(), void_ground=VoidGround.AGREEMENT
    )
    words = page(client, "history")
    assert "Blocked" in words
    assert "Their agreement is on hold or has ended." in words


def test_what_waits_is_blocked_from_the_moment_she_stops(client: Client, world: World) -> None:
    survivors.sent(world, world.on)
    press(client, "stop", world.on)
    words = page(client, "history")
    assert "Blocked" in words
    assert "It had been stopped." in words
    assert "Ready, not picked up" not in words


def test_what_waited_too_long_is_blocked(client: Client, world: World) -> None:
    now = timezone.now()
    survivors.sent(
        world,
        world.on,
        answered_at=now - timedelta(seconds=2),
        good_until=now - timedelta(seconds=1),
    )
    assert "What was in it changed." in page(client, "history")


def test_the_first_page_counts_places_not_papers(client: Client, world: World) -> None:
    assert re.search(r'You share with <span class="count">1</span> place now', page(client, "home"))
    press(client, "resume", world.paused)
    assert re.search(
        r'You share with <span class="count">2</span> places now', page(client, "home")
    )


def test_history_tells_what_was_kept_back_and_why(client: Client, world: World) -> None:
    survivors.kept_back(world, world.paused, Ground.PAUSED)
    words = page(client, "history")
    assert "Kept back" in words
    assert "It was paused." in words


def test_history_of_one_sharing_shows_that_one_only(client: Client, world: World) -> None:
    survivors.sent(world, world.on)
    survivors.kept_back(world, world.paused, Ground.PAUSED)
    words = page(client, "history", of=world.on.ref)
    assert "Ready, not picked up" in words
    assert "Kept back" not in words


def test_a_long_history_comes_a_page_at_a_time_and_a_place_keeps_its_number(
    client: Client, world: World
) -> None:
    for hours in range(25):
        answered_after(world, hours)
    first, second, none = (page(client, "history", page=each) for each in ("1", "2", "x"))
    assert [each.count("Ready for") for each in (first, second)] == [20, 5]
    token = r'name="csrfmiddlewaretoken" value="[^"]+"'
    assert re.sub(token, "", first) == re.sub(token, "", none)  # the nearest there is
    assert "Older" in first
    assert "Newer" not in first
    assert "Newer" in second
    assert "Older" not in second
    (number,) = {each.strip() for each in re.findall(r"Ready for</span>\s*(Place \d+)", first)}
    assert set(re.findall(r"Ready for</span>\s*(Place \d+)", second)) == {number}
    under = page(client, "history", of=world.on.ref, page="2")
    assert f"of={world.on.ref}" in under
    asked = [survivors.asked(world, world.on) for _ in range(25)]
    assert page(client, "history").count("Answer: yes") == inquiries.MOST
    assert "Answer" not in page(client, "history", page="2")
    counts = [page(client, "history", list="questions", page=n).count("Answer: yes") for n in "12"]
    assert sum(counts) == len(asked)
    assert number in page(client, "history", list="questions", page="2")


def test_a_sharing_s_last_pick_up_is_the_last_one_whichever_package_it_was(world: World) -> None:
    old, new = answered_after(world, 1), answered_after(world, 2)
    last = world.on.recorded_at + timedelta(hours=61)
    for release, at in ((old, last), (new, last - timedelta(hours=20))):
        download = answered.download(release=release, part=DownloadPart.PACKAGE, at=at)
        answered.sending(download=download, at=at)
    for hours in range(2 * uses.CHUNK):  # nobody fetched these, and they are more than one reading
        answered_after(world, 3 + hours)
    assert uses.last_picked_up(world.her) == {world.on.ref: last}
    found = uses.of(world.her)
    assert max(at for went in found for at in went.picked_up_at) == last


def answered_after(world: World, hours: int) -> Release:
    at = world.on.recorded_at + timedelta(hours=hours)
    return survivors.sent(world, world.on, answered_at=at, good_until=at + timedelta(days=9))


def test_nobody_sees_where_somebody_elses_went(world: World) -> None:
    survivors.sent(world, world.on)
    client = Client()
    client.force_login(world.other.recorded_by, backend="django.contrib.auth.backends.ModelBackend")
    survivors.said_again(client)
    assert "Nothing yet" in page(client, "history")
