"""Rules of law that are about what a person is told, each by its number in docs/law.md."""

import io
import json
import zipfile
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from consent.actions import subjects
from governance.actions import people
from governance.vocabulary import UserKind
from release.models import Download
from release.storage import store
from release.tasks import tick
from tests.gate import Later
from tests.survivors import WORDS
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)
SIX_YEARS = 6 * 366  # days


@pytest.fixture
def world() -> World:
    cache.clear()
    return small_world(2, each=1)


def her_files(world: World) -> dict[str, str]:
    """What c-1 takes home, as she asks for it today."""
    account = people.create_user(
        username="maple-lane-1", kind=UserKind.SURVIVOR, **hand(world.home.warden)
    )
    account.set_password(WORDS)
    account.save()
    subject = world.subject("c-1")
    subjects.give_account(subject=subject, account=account, **hand(world.home.advocate))
    client = Client()
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    saved: Any = client.post(reverse("portal:copy"), {"passphrase": WORDS})
    with zipfile.ZipFile(io.BytesIO(b"".join(saved.streaming_content))) as folder:
        return {name: folder.read(name).decode() for name in folder.namelist()}


def test_R18_R19_six_years_later_she_is_told_who_received_what_when_and_why_and_what_was_refused(
    world, monkeypatch
):
    world.pause("c-1")
    world.prepare()
    world.resume("c-1")
    sent = world.prepare()
    world.fetch(sent)
    later = Later(monkeypatch)
    later.pass_(days=SIX_YEARS)
    tick(later.now())  # what lies longer than it may is deleted
    assert not list(store().names(f"packages/{sent.ref}"))
    events = json.loads(her_files(world)["list.json"])["events"]
    ready, picked_up, refused = (
        next(each for each in events if each["what"] == what)
        for what in ("ready", "picked_up", "kept_back")
    )
    assert ready["recipient"] == picked_up["recipient"] == "Delta"
    assert ready["request"] == world.home.request.ref
    assert ready["purpose"]
    assert "region" in {name for names in ready["fields"].values() for name in names}
    assert picked_up["at"][:10] == Download.objects.get().at.date().isoformat()
    assert (refused["recipient"], refused["why_not"]) == ("Delta", "paused")


def test_R23_her_list_and_every_yes_go_home_with_her_in_words_and_for_programs(world):
    world.fetch(world.prepare())
    files = her_files(world)
    assert "You said yes: Delta." in files["list.txt"]
    assert "Picked up by Delta." in files["list.txt"]
    told = json.loads(files["list.json"])
    assert world.consent("c-1").ref in {each.get("yes") for each in told["events"]}
    slip = json.loads(files[f"slips/{world.consent('c-1').ref}-1.json"])
    assert slip["dpv:hasRecordOfActivity"]["dct:identifier"] == world.consent("c-1").ref
