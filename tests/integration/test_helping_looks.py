"""Who looked, whom a person keeps away, and a stop said aloud."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from common.errors import NotPermitted, RuleBroken
from consent.actions import (
    blocks,
    enrolment,
    looks,
    shredding,
    stops,
    wiping,
)
from consent.models import Assignment, Block, Consent, Look, Objection, SpokenStop
from consent.queries import enrolment as codes
from consent.queries import helping
from consent.vocabulary import Checked, CodeKind
from governance.actions import scopes
from governance.models import User
from governance.vocabulary import Narrowing
from tests import staffroom
from tests.factories import governance as made
from tests.helping import NUMBER, Scene, body, build, newest, place, types
from tests.staffroom import hand
from tests.survivors import said_again

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return build()


# --- looks and blocks -----------------------------------------------------------------------------


def at_desk(user: User) -> Client:
    return staffroom.enter(Client(), user)


def at_portal(scene: Scene) -> Client:
    client = Client()
    client.force_login(scene.her, "django.contrib.auth.backends.ModelBackend")
    return said_again(client)


def helpers_of(scene: Scene, client: Client | None = None) -> str:
    return (client or at_portal(scene)).get(reverse("portal:helpers")).content.decode()


def test_a_look_is_kept_once_an_hour_and_she_sees_the_day(scene: Scene) -> None:
    client, last = at_desk(scene.helper), newest()
    assert "Never" in helpers_of(scene)
    for _each in range(3):
        assert client.get(place("client", scene.assignment.ref)).status_code == 200
    assert types(last).count(EntryType.SUBJECT_READ) == 1
    assert Look.objects.count() == 1
    later = {**hand(scene.helper), "at": timezone.now() + timedelta(hours=1)}
    looks.look(subject=scene.person, **later)
    assert Look.objects.count() == 2
    answer = at_portal(scene).get(reverse("portal:helpers"))
    (shown,) = answer.context["helpers"]
    assert timezone.localdate() in shown.days
    assert date_format(timezone.localdate(), "j F Y") in answer.content.decode()


def test_her_page_names_a_helper_only_while_names_are_shown(scene: Scene) -> None:
    client = at_portal(scene)
    quiet = helpers_of(scene, client)
    assert "Helper 1" in quiet
    assert scene.helper.username not in quiet
    assert scene.room.holder.name not in quiet
    client.post(reverse("portal:names"), {"passphrase": staffroom.PASSWORD})
    assert scene.helper.username in helpers_of(scene, client)


def test_whom_she_keeps_away_gets_what_a_stranger_gets(scene: Scene) -> None:
    room, ref = scene.room, scene.assignment.ref
    client = at_desk(scene.helper)
    assert client.get(place("client", ref)).status_code == 200
    her = at_portal(scene)
    her.post(reverse("portal:keep_away", args=[scene.helper.ref]))
    nowhere, kept = (client.get(place("client", each)) for each in ("asg-2222222222222", ref))
    assert kept.status_code == 404
    assert body(kept, ref) == body(nowhere, "asg-2222222222222")
    assert at_desk(scene.second).get(place("client", ref)).status_code == 404
    client = at_desk(scene.helper)
    answers = {
        client.post(place(name), {"holder": room.holder.ref, "number": number, **more})
        .content.decode()
        .replace(number, "")
        .count("not known here, or not to you")
        for number in (NUMBER, "Z-99")
        for name, more in (("stop", {"recipient": ""}), ("shutting", {"wanted": "freeze"}))
    }
    assert answers == {2}, "in the summary and beside the field, whoever's number it is"
    assert not Objection.objects.exists()
    assert list(helping.waiting([room.holder])) == [scene.assignment]
    her.post(reverse("portal:let_back", args=[scene.helper.ref]))
    assert client.get(place("client", ref)).status_code == 200
    assert Block.objects.get().lifted_at is not None


def test_on_her_word_an_advocate_keeps_a_colleague_away_and_never_lets_back(scene: Scene) -> None:
    client, worker = at_desk(scene.second), scene.helper.ref
    sent = {"holder": scene.room.holder.ref, "number": NUMBER, "worker": worker}
    last = newest()
    answers = [client.post(place("block"), sent) for _each in range(2)]
    assert {answer["Location"] for answer in answers} == {place("block")}
    assert types(last).count(EntryType.WORKER_BLOCKED) == 1
    assert at_desk(scene.helper).get(place("client", scene.assignment.ref)).status_code == 404
    for by in (scene.second, scene.helper, scene.room.holder_admin):
        with pytest.raises(NotPermitted):
            blocks.lift(block=Block.objects.get(), **hand(by))
    blocks.lift(block=Block.objects.get(), **hand(scene.her))
    with pytest.raises(RuleBroken):
        blocks.lift(block=Block.objects.get(), **hand(scene.her))


def test_whom_she_keeps_away_has_no_hand_in_wiping_her_record(scene: Scene) -> None:
    asked = {"holder": scene.room.holder, "number": NUMBER, "why": "She wants it."}
    scene.block(scene.helper)
    with pytest.raises(RuleBroken) as refusal:
        shredding.ask(**asked, **hand(scene.helper))
    assert refusal.value.code == "number_unknown"
    found = shredding.ask(**asked, **hand(scene.second))
    with pytest.raises(RuleBroken) as refusal:
        shredding.agree(shredding=found, number=NUMBER, **hand(scene.helper))
    assert refusal.value.code == "number_unknown"


def test_nobody_of_another_house_is_given_or_found_by_it(scene: Scene) -> None:
    her = at_portal(scene)
    for name in ("keep_away", "let_back"):
        assert her.post(reverse(f"portal:{name}", args=[scene.second.ref])).status_code == 404
    with pytest.raises(RuleBroken):
        blocks.block(subject=scene.person, worker=scene.room.machine, **hand(scene.her))


# --- a stop said aloud ----------------------------------------------------------------------------


def stop(scene: Scene, client: Client, typed: str) -> Any:
    sent = {"holder": scene.room.holder.ref, "number": typed, "recipient": ""}
    return client.post(place("stop"), sent, follow=True)


def test_R20_a_stop_said_aloud_takes_three_actions_and_says_the_same_of_everybody(
    scene: Scene,
) -> None:
    staffroom.known(scene.room, "A-30")  # shares nothing, and never did
    scene.give(scene.helper)
    client = at_desk(scene.second)
    assert place("stop") in client.get(place("home")).content.decode()  # one
    assert client.get(place("stop")).status_code == 200
    shared, nothing = (stop(scene, client, number) for number in (NUMBER, "A-30"))  # two
    assert shared.redirect_chain == nothing.redirect_chain == [(place("stop-done"), 302)]
    assert body(shared) == body(nothing)
    assert "Stop recorded" in shared.content.decode()
    assert not Consent.objects.filter(ended_at__isnull=True).exists()


def test_a_stop_is_recorded_by_the_code_on_her_sheet_used_or_not(scene: Scene) -> None:
    staffroom.known(scene.room, "A-30")
    given = {"holder": scene.room.holder, "number": "A-30", "kind": CodeKind.ARRIVAL}
    _made, code = enrolment.issue(**given, talked=True, **hand(scene.helper))
    client = at_desk(scene.second)
    assert stop(scene, client, code.lower()).redirect_chain
    assert SpokenStop.objects.get().subject == staffroom.person(scene.room, "A-30")
    assert codes.code(code, timezone.now()) is not None, "it was not used up"
    assert not stop(scene, client, "22222-22222").redirect_chain
    elsewhere = made.organisation()
    assert codes.given_to(elsewhere, code) is None


def test_what_she_says_of_it_later_is_kept_and_it_stays_stopped(scene: Scene) -> None:
    scene.give(scene.helper)
    stops.record(holder=scene.room.holder, number=NUMBER, **hand(scene.second))
    spoken = SpokenStop.objects.get()
    assert list(helping.to_check(scene.helper)) == [spoken]
    assert not helping.to_check(scene.second).exists()
    client, ref = at_desk(scene.helper), scene.assignment.ref
    assert "A stop to ask her about" in client.get(place("clients")).content.decode()
    address = place("stop-checked", ref, spoken.ref)
    assert address in client.get(place("client", ref)).content.decode()
    with pytest.raises(NotPermitted):
        stops.check(stop=spoken, checked=Checked.HERS, **hand(scene.second))
    client.post(address, {"checked": "not_hers"})
    assert SpokenStop.objects.get().checked == Checked.NOT_HERS
    entry = Entry.objects.get(type=EntryType.STOP_CHECKED)
    assert (entry.actor, entry.reason) == (scene.helper.ref, "not_hers")
    assert not Consent.objects.filter(ended_at__isnull=True).exists()
    assert client.post(address, {"checked": "hers"}).status_code == 404
    with pytest.raises(RuleBroken):
        stops.check(stop=spoken, checked=Checked.HERS, **hand(scene.helper))
    assert scene.give(scene.helper).ended_at is None  # a new yes is a new yes


def test_after_shredding_nothing_says_who_helped_her(scene: Scene) -> None:
    scene.block(scene.second)
    looks.look(subject=scene.person, **hand(scene.helper))
    stops.record(holder=scene.room.holder, number=NUMBER, **hand(scene.helper))
    kept = (Assignment, Look, Block, SpokenStop)
    assert all(each.objects.exists() for each in kept)
    with scopes.narrowing(
        act=Narrowing.SUBJECT_SHREDDED, everyone=True, slots=[scene.person.slot]
    ) as moment:
        wiping.wipe(scene.person, by=scene.helper, via=Via.TASK, moment=moment)
    assert not any(each.objects.exists() for each in kept)
