"""Where it went: what one person is told of the releases that held her record or kept it back."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from common.errors import Void
from consent.actions import subjects
from governance.actions import people
from governance.models import User
from governance.vocabulary import UserKind
from release.queries import uses
from release.vocabulary import DownloadPart, Ground, ReleaseState, VoidGround
from tests.gate import drained, part_of
from tests.worlds import Holding, World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)


def signed_in(world: World, number: str, at: Holding | None = None, account=None) -> User:
    """An account for this client; with `account`, one she has already is joined to this holder."""
    here = at or world.home
    own = account or people.create_user(
        username=f"maple-{number}", kind=UserKind.SURVIVOR, **hand(here.warden)
    )
    subjects.give_account(subject=world.subject(number, here), account=own, **hand(here.advocate))
    return own


def seen(account: User) -> list[uses.WhereItWent]:
    return uses.of(account)


def fetch_part(world: World, release, number: int) -> bytes:
    return drained(world.hand_over(release, DownloadPart.PART, number=number))


def test_she_sees_exactly_the_categories_that_were_sent():
    world = small_world(3, yes=["c-1"])
    about, helped = world.categories
    world.yes("c-2", categories=[helped])
    world.yes("c-3", categories=[about])
    release = world.prepare()
    sent = {}
    for number in ("c-1", "c-2", "c-3"):
        (line,) = seen(signed_in(world, number))
        assert (line.release, line.sent, line.ground, line.void) == (release, True, None, False)
        assert line.at == release.answered_at
        assert line.holder == world.home.organisation
        assert (line.recipient, line.purpose) == (world.recipient, world.purpose)
        assert line.consent == world.consent(number)
        sent[number] = {category.pk for category in line.categories}
    assert sent == {
        "c-1": {about.pk, helped.pk},
        "c-2": {helped.pk},
        "c-3": {about.pk},
    }


def test_of_a_row_that_names_two_each_sees_what_left_of_both():
    world = small_world(2, each=1, others={"c-1": "c-2"}, yes=["c-1"])
    world.yes("c-2", categories=world.categories[:1])
    world.prepare()
    (line,) = seen(signed_in(world, "c-2"))
    assert [category.pk for category in line.categories] == [world.categories[0].pk]


def test_she_sees_why_her_record_was_kept_back():
    world = small_world(8, others={"c-7": "c-2"}, yes=["c-1", "c-3", "c-4", "c-7"])
    now = timezone.now()
    world.pause("c-3")
    world.no("c-4")
    world.yes("c-5", record_until=date(2025, 2, 28))
    world.yes("c-6", starts=now + timedelta(days=1))
    world.yes("c-8")
    world.object("c-8")
    release = world.prepare()
    assert release.state == ReleaseState.PREPARED
    expected = {
        "c-2": Ground.NO_CONSENT,
        "c-3": Ground.PAUSED,
        "c-4": Ground.WITHDRAWN,
        "c-5": Ground.RECORD_PERIOD,
        "c-6": Ground.NOT_STARTED,
        "c-7": Ground.ANOTHER_PERSON,
        "c-8": Ground.OBJECTED,
    }
    for number, ground in expected.items():
        (line,) = seen(signed_in(world, number))
        assert (number, line.ground) == (number, ground)
        assert (line.sent, line.categories, line.consent) == (False, (), None)
    (line,) = seen(signed_in(world, "c-1"))
    assert (line.sent, line.ground) == (True, None)


def test_whom_only_another_person_s_row_names_reads_that_the_other_did_not_say_yes():
    """No row is her own, and her yes covers the day: the reason is the other person."""
    world = small_world(2, others={"c-1": "c-9"}, yes=["c-2"])
    world.yes("c-9")
    world.prepare()
    (line,) = seen(signed_in(world, "c-9"))
    assert line.ground == Ground.ANOTHER_PERSON


def test_of_a_refusal_she_is_told_its_ground():
    world = small_world(2, yes=["c-1"])
    world.no("c-1")
    release = world.prepare()
    assert release.state == ReleaseState.REFUSED
    for number, ground in (("c-1", Ground.WITHDRAWN), ("c-2", Ground.NO_CONSENT)):
        (line,) = seen(signed_in(world, number))
        assert (line.release, line.sent, line.ground) == (release, False, ground)
        assert line.picked_up_at == ()


def test_it_is_picked_up_only_once_it_was_handed_over_and_as_often():
    world = small_world(1)
    release = world.prepare()
    account = signed_in(world, "c-1")
    assert seen(account)[0].picked_up_at == ()
    drained(world.hand_over(release, DownloadPart.MANIFEST))
    assert seen(account)[0].picked_up_at == ()  # a manifest holds nothing of hers
    first, second = world.hand_over(release), world.hand_over(release)
    assert seen(account)[0].picked_up_at == ()  # permitted, but no byte has been sent
    drained(first)
    drained(second)
    assert seen(account)[0].picked_up_at == (first.download.at, second.download.at)


def test_a_part_without_her_record_is_not_picked_up_for_her():
    world = small_world(4, each=1, part_rows=2)
    release = world.prepare()
    hers, others = part_of(world, release, "c-1"), None
    for number in ("c-2", "c-3", "c-4"):
        if part_of(world, release, number) != hers:
            others = part_of(world, release, number)
    assert others is not None
    account = signed_in(world, "c-1")
    fetch_part(world, release, others.number)
    assert seen(account)[0].picked_up_at == ()
    fetch_part(world, release, hers.number)
    assert len(seen(account)[0].picked_up_at) == 1
    world.fetch(release)
    assert len(seen(account)[0].picked_up_at) == 2


def test_a_package_that_was_void_before_anybody_came_was_never_picked_up():
    world = small_world(2)
    release = world.prepare()
    world.no("c-2")
    with pytest.raises(Void):
        world.fetch(release)
    (line,) = seen(signed_in(world, "c-1"))
    assert (line.release, line.sent, line.void, line.picked_up_at) == (release, True, True, ())
    assert line.release.void_ground == VoidGround.PERSON_SAID_NO


def test_what_was_picked_up_before_her_no_stays_in_her_list():
    world = small_world(2)
    release = world.prepare()
    world.fetch(release)
    account = signed_in(world, "c-1")
    given = world.consent("c-1")
    world.no("c-1")
    with pytest.raises(Void):
        world.fetch(release)
    (line,) = seen(account)
    assert (line.sent, line.void, len(line.picked_up_at)) == (True, True, 1)
    assert line.consent == given  # the yes it stood on then, though it has ended


def test_the_newest_is_first_and_each_names_the_yes_of_its_own_time():
    world = small_world(2)
    first = world.prepare()
    old = world.consent("c-1")
    world.no("c-1")
    without = world.prepare()
    new = world.yes("c-1")
    last = world.prepare()
    found = seen(signed_in(world, "c-1"))
    assert [(each.release, each.consent) for each in found] == [
        (last, new),
        (without, None),
        (first, old),
    ]


def test_what_still_waits_is_not_in_her_list():
    world = small_world(1)
    world.ask()
    assert seen(signed_in(world, "c-1")) == []


def test_another_person_sees_nothing_of_it():
    world = small_world(2, yes=["c-1"])
    clinic = world.another("Clinic", ["c-1", "c-3"])
    world.yes("c-1", at=clinic)
    world.prepare()
    outside = signed_in(world, "c-3", clinic)
    stranger = people.create_user(
        username="quiet-fern-8", kind=UserKind.SURVIVOR, **hand(world.home.warden)
    )
    assert seen(outside) == []
    assert seen(stranger) == []
    (beside,) = seen(signed_in(world, "c-2"))
    assert (beside.sent, beside.ground) == (False, Ground.NO_CONSENT)


def test_two_holders_records_of_one_account_are_told_apart():
    world = small_world(2)
    clinic = world.another("Clinic", ["c-1", "c-2"], each=1)
    world.yes("c-2", at=clinic)
    here, there = world.prepare(), world.prepare(clinic)
    account = signed_in(world, "c-1")
    signed_in(world, "c-1", clinic, account)
    world.fetch(here)
    assert [
        (each.release, each.holder, each.sent, each.ground, len(each.picked_up_at))
        for each in seen(account)
    ] == [
        (there, clinic.organisation, False, Ground.NO_CONSENT, 0),
        (here, world.home.organisation, True, None, 1),
    ]
    one = uses.of_subject(world.subject("c-1"))
    assert [each.release for each in one] == [here]


def test_neighbours_in_one_byte_are_not_taken_for_each_other():
    """Slots lie close together as bits: reading a neighbour's would tell of her to somebody else."""
    world = small_world(40, each=1, yes=[f"c-{n}" for n in range(1, 41, 2)])
    world.prepare()
    for n in range(1, 41):
        (line,) = uses.of_subject(world.subject(f"c-{n}"))
        assert line.sent == (n % 2 == 1)
        assert line.ground == (None if n % 2 else Ground.NO_CONSENT)
