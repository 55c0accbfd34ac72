"""What is asked back at the three doors: the recipient answers, the holder and she herself see it."""

import csv
import io
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from common.errors import NotReady
from common.keyring import KeyRing
from common.words import sentence
from consent.actions import subjects
from desk.views import recalls as views
from governance.actions import memberships, people
from governance.models import User
from governance.vocabulary import Role, UserKind
from release.actions import recalls
from release.models import Recall, RecallStep
from release.vocabulary import Reported
from tests import staffroom
from tests.factories import release as made
from tests.integration import api_world
from tests.integration.api_world import bearer
from tests.survivors import said_again
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(settings: Any) -> World:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    found = small_world(3)
    found.fetch(found.prepare())
    found.no("c-1")
    recalls.open_due(at=timezone.now())
    return found


def at_desk(user: User) -> Client:
    user.set_password(staffroom.PASSWORD)
    user.save(update_fields=["password"])
    return staffroom.enter(Client(), user)


def place(name: str, *words: str) -> str:
    return reverse(f"desk:{name}", args=words)


def keys_of(world: World) -> list[str]:
    return recalls.people(recall=Recall.objects.get(), by=world.requester)


def her(world: World, number: str = "c-1") -> Client:
    account = people.create_user(
        username=f"amber-{number}-4", kind=UserKind.SURVIVOR, **hand(world.chair)
    )
    subjects.give_account(
        subject=world.subject(number), account=account, **hand(world.home.advocate)
    )
    client = Client()
    client.force_login(account, "django.contrib.auth.backends.ModelBackend")
    return said_again(client)


def test_the_recipient_reads_whom_and_answers_in_two_steps(world: World) -> None:
    client, ref = at_desk(world.requester), Recall.objects.get().ref
    assert "You are asked once to delete" in client.get(place("home")).content.decode()
    assert ref in client.get(place("recalls")).content.decode()
    page = client.get(place("recall", ref)).content.decode()
    (key,) = keys_of(world)
    assert key in page
    assert client.post(place("recall-acknowledge", ref))["Location"] == place("recall", ref)
    page = client.get(place("recall", ref)).content.decode()
    assert "We have this and are at it" not in page
    refused = client.post(place("recall-report", ref), {})
    assert RecallStep.objects.count() == 1  # nothing was chosen, nothing was written
    assert (refused.status_code, "Choose what you did." in refused.content.decode()) == (400, True)
    client.post(place("recall-report", ref), {"reported": Reported.RETURNED})
    page = client.get(place("recall", ref)).content.decode()
    assert "They say: given back" in page
    assert "Say that it is done" not in page
    assert client.post(place("recall-report", ref), {"reported": "deleted"}).status_code == 409
    assert client.post(place("recall-acknowledge", ref)).status_code == 409
    assert "You are asked" not in client.get(place("home")).content.decode()


def test_all_of_them_are_one_file_with_a_neutral_name(world: World) -> None:
    ref = Recall.objects.get().ref
    response = at_desk(world.requester).get(place("recall-people", ref))
    assert response["Content-Disposition"] == f'attachment; filename="{ref}.csv"'
    rows = list(csv.reader(io.StringIO(response.content.decode())))
    assert rows == [["person"], *([key] for key in keys_of(world))]


def test_the_holder_and_the_board_see_how_it_stands_and_nobody_in_it(world: World) -> None:
    ref, (key,) = Recall.objects.get().ref, keys_of(world)
    for user in (world.home.steward, world.member):
        client = at_desk(user)
        assert ref in client.get(place("recalls")).content.decode()
        page = client.get(place("recall", ref)).content.decode()
        assert "fewer than 11" in page
        assert key not in page
        assert "Your answer" not in page
        assert client.get(place("recall-people", ref)).status_code == 404
        for name in ("recall-acknowledge", "recall-report"):
            assert client.post(place(name, ref), {"reported": "deleted"}).status_code == 404
    assert not RecallStep.objects.exists()


def test_the_list_goes_on_by_pages_and_shows_each_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also to somebody who sees the same in two ways; what is asked back meanwhile shifts nothing."""
    monkeypatch.setattr(views, "PAGE", 2)
    first = Recall.objects.get()
    own = {"release": first.release, "opened_at": first.opened_at, "due_at": first.due_at}
    newer = [made.recall(**own) for _ in range(4)]
    memberships.grant(  # who sits on the board asks for the recipient too
        user=world.member,
        organisation=world.recipient,
        role=Role.REQUESTER,
        **hand(world.recipient_admin),
    )
    client, more, shown, newest = at_desk(world.member), "", [], first
    for _ in range(3):
        page = client.get(place("recalls") + more).content.decode()
        shown.append(re.findall(r">(rec-[a-z0-9]+)</a>", page))
        (more,) = re.findall(r'rel="next" href="(\?before=[0-9]+)"', page) or [""]
        newest = made.recall(**own)
    assert shown == [[newer[3].ref, newer[2].ref], [newer[1].ref, newer[0].ref], [first.ref]]
    assert more == ""
    assert newest.ref in client.get(place("recalls")).content.decode()
    assert client.get(place("recalls") + "?before=none").status_code == 200


def test_it_is_nowhere_for_anybody_else(world: World) -> None:
    ref = Recall.objects.get().ref
    for user in (world.home.advocate, world.home.warden, world.recipient_admin):
        client = at_desk(user)
        assert ref not in client.get(place("recalls")).content.decode()
        for name in ("recall", "recall-people"):
            assert client.get(place(name, ref)).status_code == 404


def test_she_sees_that_they_were_asked_and_what_they_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, address = her(world), reverse("portal:history")
    page = client.get(address).content.decode()
    assert "we asked them to delete it" in page
    assert "They may still have what they got." in page
    assert "They have not told us that they did" not in page
    recall = Recall.objects.get()
    recalls.acknowledge(recall=recall, **hand(world.requester))
    assert "they told us that they got our ask" in client.get(address).content.decode()
    at_its_day = SimpleNamespace(now=lambda: recall.due_at)
    monkeypatch.setattr("portal.views.history.timezone", at_its_day)
    assert "They have not told us that they did" in client.get(address).content.decode()
    recalls.report(recall=recall, reported=Reported.DELETED, **hand(world.requester))
    page = client.get(address).content.decode()
    assert "they told us that they deleted it" in page
    assert "They have not told us that they did" not in page


def test_nobody_else_sees_it_in_her_own_list(world: World) -> None:
    page = her(world, "c-2").get(reverse("portal:history")).content.decode()
    assert "Picked up" in page
    assert "we asked them to delete it" not in page


def test_a_machine_reads_acknowledges_and_reports(world: World) -> None:
    machine = api_world.machine(world.recipient, world.recipient_admin, "delta-engine-9")
    client, recall = bearer(machine.secret), Recall.objects.get()
    at = f"/api/recalls/{recall.ref}/"
    (listed,) = client.get("/api/recalls/").json()["results"]
    assert listed == client.get(at).json()
    assert (listed["state"], listed["people"], listed["columns"]) == ("asked", 1, [])
    assert listed["release"] == recall.release.ref
    lines = client.get(f"{at}people/").content.decode().splitlines()
    assert lines == ["person", *keys_of(world)]
    answer = client.post(f"{at}acknowledgement/", {}, format="json")
    assert (answer.status_code, answer.json()["state"]) == (200, "acknowledged")
    assert client.post(f"{at}acknowledgement/", {}, format="json").status_code == 409
    wrong = client.post(f"{at}report/", {"reported": "burnt"}, format="json")
    assert (wrong.status_code, wrong.json()["errors"][0]["where"]) == (400, "reported")
    key = {"HTTP_IDEMPOTENCY_KEY": "once"}
    said = client.post(f"{at}report/", {"reported": "deleted"}, format="json", **key)
    assert (said.status_code, said.json()["reported"]) == (200, "deleted")
    again = client.post(f"{at}report/", {"reported": "deleted"}, format="json", **key)
    assert (again.status_code, again.json()) == (200, said.json())
    assert recall.steps.count() == 2


def test_another_organisations_machine_finds_none_of_it(world: World) -> None:
    other = world.another("Clinic", ["c-1"])
    machine = api_world.machine(other.organisation, other.warden, "clinic-engine-9", Role.REQUESTER)
    client, at = bearer(machine.secret), f"/api/recalls/{Recall.objects.get().ref}/"
    assert client.get("/api/recalls/").json()["results"] == []
    for address in (at, f"{at}people/"):
        assert client.get(address).status_code == 404
    for address, body in ((f"{at}acknowledgement/", {}), (f"{at}report/", {"reported": "deleted"})):
        assert client.post(address, body, format="json").status_code == 404
    assert not RecallStep.objects.exists()


def test_where_the_holders_key_is_away_the_page_says_so_and_nothing_breaks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise NotReady("key_missing", sentence("The key is not there."))

    client, ref = at_desk(world.requester), Recall.objects.get().ref
    monkeypatch.setattr(KeyRing, "derived", away)
    page = client.get(place("recall", ref))
    assert (page.status_code, "The key is not there." in page.content.decode()) == (200, True)
    assert client.get(place("recall-people", ref)).status_code == 503
