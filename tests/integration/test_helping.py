"""Who helps whom: what needs it, how it begins, how it ends."""

from collections.abc import Callable

import pytest
from django.db import transaction
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType
from common.errors import NotPermitted, RuleBroken
from consent.actions import (
    assignments,
    consents,
    enrolment,
    liftings,
    looks,
    objections,
    proposals,
    shutting,
    stops,
)
from consent.models import Assignment, Consent, Objection
from consent.queries import enrolment as codes
from consent.queries import helping
from consent.vocabulary import CodeKind, Invalidity
from governance.actions import leaving, memberships
from governance.models import User
from governance.vocabulary import Role
from tests import staffroom
from tests.factories import consent as said
from tests.helping import NUMBER, Scene, build, newest, types
from tests.staffroom import hand

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return build()


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
    assert types(last) == [EntryType.SUBJECT_TRANSFERRED, EntryType.SUBJECT_ASSIGNED]
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
