"""After a restore: a code that was taken back, a way in that was shut or closed, stay so."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from consent.actions import enrolment, shutting, survivors
from consent.actions.replaying import replay
from consent.models import EnrolmentCode
from consent.vocabulary import CodeKind
from governance.models import User
from governance.queries import noes
from release.actions import backups
from tests.backups import backups_can_be_made, restored  # noqa: F401 - a fixture
from tests.shredding import HER, account, looked, shred
from tests.worlds import World, hand, small_world

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("backups_can_be_made"),
]
PASSWORD = "a kettle sings before the rain"
Back = Callable[[], Callable[[], object]]


@pytest.fixture
def world() -> World:
    return small_world(2, each=1)


@pytest.fixture
def copy(world: World, tmp_path: Path) -> Back:
    """Makes a backup now; gives what restores it."""

    def make() -> Callable[[], object]:
        folder = tmp_path / "copy"
        backups.make(folder=folder, **hand(world.chair))
        return lambda: restored(folder)

    return make


def give(world: World, kind: CodeKind) -> tuple[EnrolmentCode, str]:
    asked = {"holder": world.home.organisation, "number": HER, "kind": kind, "talked": True}
    return enrolment.issue(**asked, **hand(world.home.advocate))


def hers(her: User) -> dict[str, Any]:
    return {"by": her, "at": timezone.now(), "via": Via.PORTAL}


def names(her: User) -> list[Entry]:
    return list(Entry.objects.filter(resource__contains=her.ref))


def test_a_code_she_refused_opens_nothing_after_a_restore(world: World, copy: Back) -> None:
    her = account(world)
    made, code = give(world, CodeKind.RETURN)
    back = copy()
    enrolment.cancel(code=made, **hers(her))
    back()
    assert EnrolmentCode.objects.get().cancelled_at is None  # the older copy knows no better
    said = replay(**hand(world.chair))
    assert (said.said, said.by_hand) == (1, ())
    assert EnrolmentCode.objects.get().cancelled_at is not None
    with pytest.raises(RuleBroken):
        enrolment.recover(code=code, password=PASSWORD, at=made.opens_at, via=Via.PORTAL)
    assert Entry.objects.filter(type=EntryType.INVITATION_WITHDRAWN, reason="replayed").exists()
    assert replay(**hand(world.chair)).said == 0
    assert noes.against() is None


@pytest.mark.parametrize("deed", ["shut by paper", "shut by an advocate"])
def test_a_way_in_that_was_shut_stays_shut_and_the_log_does_not_say_whose(
    world: World, copy: Back, deed: str
) -> None:
    her = account(world)
    paper = survivors.make_paper(**hers(her))
    back = copy()
    if deed == "shut by paper":
        survivors.shut_by_paper(code=paper.shut, at=timezone.now(), via=Via.PORTAL)
    else:
        shutting.shut(holder=world.home.organisation, number=HER, **hand(world.home.advocate))
    back()
    assert User.objects.get(pk=her.pk).shut_at is None
    assert replay(**hand(world.chair)).said == 1
    assert User.objects.get(pk=her.pk).shut_at is not None
    assert names(her) == []
    assert looked()[0] == []


@pytest.mark.parametrize("who", ["she", "her advocate"])
def test_a_page_that_was_closed_stays_closed_and_her_sharing_goes_on(
    world: World, copy: Back, who: str
) -> None:
    her = account(world)
    back = copy()
    if who == "she":
        survivors.close(**hers(her))
    else:
        shutting.close(holder=world.home.organisation, number=HER, **hand(world.home.advocate))
    back()
    assert replay(**hand(world.chair)).said == 1
    her.refresh_from_db()
    assert (her.is_active, her.ended_at is not None) == (False, True)
    assert names(her) == []
    assert HER in world.received(world.prepare())


def test_nothing_leads_from_a_code_to_who_was_shredded(world: World) -> None:
    give(world, CodeKind.ARRIVAL)
    made, _code = give(world, CodeKind.ARRIVAL)
    enrolment.cancel(code=made, **hand(world.home.advocate))
    assert EnrolmentCode.objects.count() == 2
    shred(world)
    assert not EnrolmentCode.objects.exists()
    assert looked()[0] == []
    assert made.expires_at > timezone.now() + timedelta(hours=71)
