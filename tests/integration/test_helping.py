"""Who helps whom, who looked, whom a person keeps away, and a stop said aloud."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from common.errors import NotPermitted, RuleBroken
from consent.actions import (
    assignments,
    blocks,
    consents,
    enrolment,
    liftings,
    looks,
    objections,
    proposals,
    shutting,
    stops,
    wiping,
)
from consent.models import Assignment, Block, Consent, Look, Objection, SpokenStop, Subject
from consent.queries import enrolment as codes
from consent.queries import helping
from consent.vocabulary import Channel, Checked, CodeKind, Invalidity, Signer
from governance.actions import leaving, memberships, scopes
from governance.models import User
from governance.vocabulary import Narrowing, Role
from tests import staffroom
from tests.factories import consent as said
from tests.factories import governance as made
from tests.staffroom import Staffroom, hand
from tests.survivors import said_again

pytestmark = pytest.mark.django_db
NUMBER = "A-17"


@dataclass
class Scene:
    """`person` has a sign-in and is helped by the holder's advocate; `second` is her colleague."""

    room: Staffroom
    person: Subject
    second: User

    @property
    def helper(self) -> User:
        return self.room.advocate

    @property
    def her(self) -> User:
        return self.room.survivor

    @property
    def assignment(self) -> Assignment:
        return self.person.assignments.get(ended_at__isnull=True)

    def give(self, by: User) -> Consent:
        text = said.terms(published_at=timezone.now() - timedelta(days=1))
        return consents.give(
            subject=self.person,
            recipient=self.room.recipient,
            purpose=self.room.purpose,
            categories=self.room.categories,
            terms=text,
            channel=Channel.IN_PERSON,
            signer=Signer.SELF,
            signature="binder 1",
            answers="yyyyyyy",
            signed_at=timezone.now(),
            ends=timezone.now() + timedelta(days=30),
            **hand(by),
        )

    def block(self, worker: User) -> None:
        blocks.block(subject=self.person, worker=worker, **hand(self.her))


@pytest.fixture
def scene() -> Scene:
    cache.clear()
    room = staffroom.build()
    person = staffroom.enrolled(room, NUMBER)
    Subject.objects.filter(pk=person.pk).update(account=room.survivor)
    person = Subject.objects.select_related("holder").get(pk=person.pk)
    return Scene(room, person, staffroom.another_advocate(room))


def types(since: int) -> list[str]:
    return list(Entry.objects.filter(pk__gt=since).order_by("pk").values_list("type", flat=True))


def newest() -> int:
    return Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def place(name: str, *words: str) -> str:
    return reverse(f"desk:{name}", args=words)


def body(answer: Any, own: str = "-") -> str:
    """A page without what differs each time it is drawn, and without its own address."""
    text = re.sub(r'(csrfmiddlewaretoken" value=")[^"]*', r"\1", answer.content.decode())
    return text.replace(own, "")


# --- who helps whom -------------------------------------------------------------------------------

OPENS = {"give", "narrow", "resume", "lift", "ask", "look"}
ENDS = {"withdraw", "pause", "invalidate", "object", "refuse", "stop", "freeze"}
DEEDS: dict[str, Callable[[Scene, User], object]] = {
    "give": lambda s, by: s.give(by),
    "narrow": lambda s, by: consents.narrow(
        consent=Consent.objects.get(), categories=s.room.categories[:1], **hand(by)
    ),
    "resume": lambda s, by: consents.resume(consent=Consent.objects.get(), **hand(by)),
    "lift": lambda s, by: liftings.ask(objection=Objection.objects.get(), **hand(by)),
    "ask": lambda s, by: ask(s, by),
    "look": lambda s, by: looks.look(subject=s.person, **hand(by)),
    "withdraw": lambda s, by: consents.withdraw(consent=Consent.objects.get(), **hand(by)),
    "pause": lambda s, by: consents.pause(consent=Consent.objects.get(), **hand(by)),
    "invalidate": lambda s, by: consents.invalidate(
        consent=Consent.objects.get(), reason=Invalidity.NOT_FREE, **hand(by)
    ),
    "object": lambda s, by: objections.make(subject=s.person, **hand(by)),
    "refuse": lambda s, by: proposals.refuse(proposal=s.person.proposals.get(), **hand(by)),
    "stop": lambda s, by: stops.record(holder=s.room.holder, number=NUMBER, **hand(by)),
    "freeze": lambda s, by: shutting.freeze(holder=s.room.holder, number=NUMBER, **hand(by)),
}
BEFORE: dict[str, Callable[[Scene], object]] = {
    "resume": lambda s: consents.pause(consent=s.give(s.helper), **hand(s.helper)),
    "lift": lambda s: objections.make(subject=s.person, **hand(s.helper)),
    "refuse": lambda s: ask(s, s.helper),
    **dict.fromkeys(["narrow", "withdraw", "pause", "invalidate"], lambda s: s.give(s.helper)),
}


def ask(scene: Scene, by: User) -> object:
    return proposals.ask(
        subject=scene.person,
        recipient=scene.room.stranger,
        purpose=scene.room.purpose,
        categories=scene.room.categories,
        terms=said.terms(),
        **hand(by),
    )


def may(scene: Scene, name: str, by: User) -> bool:
    point = transaction.savepoint()
    try:
        DEEDS[name](scene, by)
    except NotPermitted:
        return False
    except RuleBroken as refusal:
        if refusal.code != "number_unknown":  # the same as for nobody's number
            raise
        return False
    finally:
        transaction.savepoint_rollback(point)
    return True


def test_the_table_is_about_every_deed_here() -> None:
    assert set(DEEDS) == OPENS | ENDS


@pytest.mark.parametrize("name", DEEDS)
def test_R20_what_lets_more_go_needs_her_helper_and_a_no_any_advocate(
    scene: Scene, name: str
) -> None:
    BEFORE.get(name, lambda s: None)(scene)
    room = scene.room
    who = {"helper": scene.helper, "colleague": scene.second, "steward": room.steward}
    who |= {"admin": room.holder_admin, "recipient": room.requester}
    expected = {"helper"} if name in OPENS else {"helper", "colleague"}
    assert {each for each, by in who.items() if may(scene, name, by)} == expected
    scene.block(scene.second)
    scene.block(scene.helper)
    assert not [each for each, by in who.items() if may(scene, name, by)]


def test_who_gives_the_first_code_helps_her_and_who_gives_a_later_one_does_not(
    scene: Scene,
) -> None:
    staffroom.known(scene.room, "A-30")
    given = {"holder": scene.room.holder, "number": "A-30", "kind": CodeKind.ARRIVAL}
    enrolment.issue(**given, talked=True, **hand(scene.second))
    enrolment.issue(**given, talked=True, **hand(scene.helper))
    (made_,) = Assignment.objects.exclude(subject=scene.person)
    assert made_.membership.user == scene.second
    (entry,) = Entry.objects.filter(type=EntryType.SUBJECT_ASSIGNED)
    assert (entry.actor, entry.reason) == (scene.second.ref, scene.second.ref)


def test_an_advocate_begins_with_somebody_new_and_with_nobody_else(scene: Scene) -> None:
    staffroom.known(scene.room, "A-30")
    begin = {"holder": scene.room.holder, "number": "A-30"}
    with pytest.raises(NotPermitted):
        assignments.begin(**begin, **hand(scene.room.steward))
    assignments.begin(**begin, **hand(scene.second))
    for by, code in ((scene.second, "helped_already"), (scene.helper, "helped_by_others")):
        with pytest.raises(RuleBroken) as refusal:
            assignments.begin(**begin, **hand(by))
        assert refusal.value.code == code


def test_a_leavers_people_wait_for_an_administrator_and_do_not_come_back_with_her(
    scene: Scene,
) -> None:
    room, old = scene.room, scene.assignment
    assert not helping.waiting([room.holder]).exists()
    leaving.off_board(user=scene.helper, organisation=room.holder, **hand(room.holder_admin))
    assert list(helping.waiting([room.holder])) == [old]
    assert not list(helping.waiting([room.recipient]))
    with pytest.raises(RuleBroken):  # nobody takes her by herself
        assignments.begin(holder=room.holder, number=NUMBER, **hand(scene.second))
    with pytest.raises(NotPermitted):
        assignments.hand_on(
            assignment=old, worker=scene.second, stays=False, **hand(room.recipient_admin)
        )
    back = staffroom.another_advocate(room, "harbour-third")
    assert helping.one(back, old.ref) is None
    last = newest()
    assignments.hand_on(assignment=old, worker=scene.second, stays=False, **hand(room.holder_admin))
    assert types(last) == [EntryType.SUBJECT_HANDED_ON, EntryType.SUBJECT_ASSIGNED]
    assert scene.assignment.membership.user == scene.second
    assert not helping.waiting([room.holder]).exists()


def test_whoever_comes_back_to_the_same_role_helps_nobody_yet(scene: Scene) -> None:
    role = scene.assignment.membership
    memberships.end(membership=role, **hand(scene.room.holder_admin))
    memberships.grant(
        user=scene.helper,
        organisation=scene.room.holder,
        role=Role.ADVOCATE,
        **hand(scene.room.holder_admin),
    )
    with pytest.raises(NotPermitted):
        scene.give(scene.helper)


def test_R28_a_leavers_codes_die_at_once_and_do_not_come_back_with_her(scene: Scene) -> None:
    staffroom.known(scene.room, "A-30")
    given = {"holder": scene.room.holder, "number": "A-30", "kind": CodeKind.ARRIVAL}
    _made, code = enrolment.issue(**given, talked=True, **hand(scene.second))
    assert codes.code(code, timezone.now()) is not None
    assert codes.given_at([scene.room.holder], timezone.now()).count() == 1
    role = scene.second.memberships.get(ended_at__isnull=True)
    memberships.end(membership=role, **hand(scene.room.holder_admin))
    assert codes.code(code, timezone.now()) is None
    memberships.grant(
        user=scene.second,
        organisation=scene.room.holder,
        role=Role.ADVOCATE,
        **hand(scene.room.holder_admin),
    )
    assert codes.code(code, timezone.now()) is None
    assert not codes.given_at([scene.room.holder], timezone.now()).exists()


def test_her_helper_hands_her_on_or_shares_the_work_and_no_colleague_takes_her(
    scene: Scene,
) -> None:
    first = scene.assignment
    with pytest.raises(NotPermitted):
        assignments.hand_on(
            assignment=first, worker=scene.second, stays=False, **hand(scene.second)
        )
    for nobody in (scene.room.steward, scene.room.requester, scene.helper):
        with pytest.raises(RuleBroken) as refusal:
            assignments.hand_on(assignment=first, worker=nobody, stays=False, **hand(scene.helper))
        assert refusal.value.code == "cannot_help"
    assignments.hand_on(assignment=first, worker=scene.second, stays=True, **hand(scene.helper))
    assert scene.person.assignments.filter(ended_at__isnull=True).count() == 2
    third = staffroom.another_advocate(scene.room, "harbour-third")
    assignments.hand_on(assignment=first, worker=third, stays=False, **hand(scene.helper))
    with pytest.raises(NotPermitted):
        scene.give(scene.helper)
    with pytest.raises(NotPermitted):
        assignments.hand_on(assignment=first, worker=third, stays=False, **hand(scene.helper))


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
