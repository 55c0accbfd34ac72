"""Whose yes ends after a package was picked up is asked back, once, of whom it was sent to."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.actions import sequence
from audit.models import Entry
from audit.vocabulary import EntryType
from common.days import begins
from common.errors import NotPermitted, NotReady, RuleBroken, Void
from consent.queries import keys
from governance.actions import agreements
from release.actions import recalls
from release.models import Recall, RecallStep, RecallWatch
from release.queries import accounting, uses
from release.queries import recalls as found
from release.rules import timing
from release.tasks import recall_due, tick
from release.vocabulary import Deed, DownloadPart, RecallState, Reported, Step
from tests import speaking as said
from tests.factories.consent import helped_by
from tests.gate import Later, part_of
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return small_world(4)


def look(later: timedelta = timedelta(0)) -> int:
    return recalls.open_due(at=timezone.now() + later)


def opened(world: World) -> dict[str, list[str]]:
    """Client → the columns asked back of her; an empty list: everything."""
    numbers = {world.subject(f"c-{n}").slot: f"c-{n}" for n in range(1, 5)}
    return {
        numbers[slot]: recall.columns
        for recall in Recall.objects.prefetch_related("chunks")
        for slot in found.slots(recall).tolist()
    }


ALL: list[str] = []


def majority(world: World) -> None:
    """Her own yes ends where she is a minor who does not decide alone."""
    said.minor(world.home.organisation, "c-1", **hand(world.home.advocate))


def death(world: World) -> None:
    said.died(world.home.organisation, "c-1", **hand(world.home.advocate))


# Every end that speaks of one person; by its date, and the agreement's, stand further down.
ENDS = {
    "she stops": lambda world: world.no("c-1"),
    "her yes is found never to have counted": lambda world: world.invalid("c-1"),
    "it is said that she is a minor": majority,
    "it is said that she has died": death,
    "she objects to the recipient": lambda world: world.object("c-1", recipient=world.recipient),
    "she objects to everything": lambda world: world.object("c-1"),
    "her newer yes covers fewer days of record": lambda world: world.yes(
        "c-1", record_until=timezone.now().date() - timedelta(days=4000)
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_every_end_asks_back_all_of_hers_and_nobody_elses(world, end):
    world.fetch(world.prepare())
    assert look() == 0
    ENDS[end](world)
    assert look() == 1
    assert opened(world) == {"c-1": ALL}
    assert look() == 0


def test_a_narrowed_yes_asks_back_what_it_covers_no_more(world):
    world.fetch(world.prepare())
    world.object("c-1", category=world.categories[1])
    assert look() == 1
    ((client, columns),) = opened(world).items()
    assert client == "c-1"
    assert columns
    held = {
        each.category: each for went in uses.of_subject(world.subject("c-1")) for each in went.what
    }
    assert set(columns) == set(held[world.categories[1]].columns)
    world.no("c-1")  # and then all that is left
    assert look() == 1
    assert Recall.objects.order_by("-pk")[0].columns == ALL


def test_her_own_smaller_yes_asks_back_what_it_covers_no_more(world):
    world.fetch(world.prepare())
    world.less("c-1")
    assert look() == 1
    ((client, columns),) = opened(world).items()
    assert client == "c-1"
    assert columns


def test_what_a_guardian_gave_is_asked_back_when_she_is_of_age(world):
    here, by = world.home.organisation, hand(world.home.advocate)
    world.no("c-1")
    helped_by(world.home.advocate, world.subject("c-1"))
    said.minor(here, "c-1", days=9, **by)
    authority = said.speaker(here, "c-1", ends=begins(said.in_days(9)), **by)
    world.yes("c-1", **said.by(authority), ends=authority.ends)
    world.fetch(world.prepare())
    assert look(timedelta(days=8)) == 0
    assert look(authority.ends - timezone.now() + timedelta(minutes=1)) == 1
    assert opened(world) == {"c-1": ALL}


def test_a_pause_asks_nothing_back(world):
    world.fetch(world.prepare())
    world.pause("c-1")
    assert look() == 0
    world.resume("c-1")
    assert look() == 0


def test_a_pause_hides_no_end(world):
    world.fetch(world.prepare())
    world.pause("c-1")
    assert look() == 0
    world.object("c-1", category=world.categories[1])
    assert look() == 1
    world.no("c-1")
    assert look() == 1


def test_a_yes_that_runs_out_asks_back_without_anybody_saying_anything(world):
    world.yes("c-2", ends=timezone.now() + timedelta(days=2))
    world.fetch(world.prepare())
    assert look() == 0
    assert look(timedelta(days=1)) == 0
    assert look(timedelta(days=2, minutes=1)) == 1
    assert opened(world) == {"c-2": ALL}


def test_the_end_of_the_agreement_asks_back_everybody(world):
    world.fetch(world.prepare())
    agreements.end(agreement=world.home.agreement, **hand(world.home.warden))
    assert look() == 1
    assert opened(world) == dict.fromkeys(["c-1", "c-2", "c-3", "c-4"], ALL)
    assert RecallWatch.objects.get().look_at is None
    assert look(timedelta(days=30)) == 0


def test_the_agreements_own_last_day_asks_back_everybody(world):
    world.fetch(world.prepare())
    assert look() == 0
    world.home.agreement.refresh_from_db()
    assert look(world.home.agreement.ends - timezone.now() + timedelta(minutes=1)) == 1
    assert len(opened(world)) == 4


def test_a_suspended_agreement_asks_nothing_back(world):
    world.fetch(world.prepare())
    agreements.suspend(agreement=world.home.agreement, **hand(world.home.warden))
    assert look() == 0


def test_what_nobody_picked_up_is_not_asked_back(world):
    release = world.prepare()
    b"".join(world.hand_over(release, DownloadPart.MANIFEST).chunks)
    world.no("c-1")
    assert look() == 0
    assert not RecallWatch.objects.exists()


def test_only_whoever_is_in_a_part_that_was_picked_up_is_asked_back():
    world = small_world(4, each=1, part_rows=2)
    release = world.prepare()
    hers = part_of(world, release, "c-1")
    elsewhere = next(part for part in release.parts.all() if part != hers)
    b"".join(world.hand_over(release, DownloadPart.PART, number=elsewhere.number).chunks)
    world.no("c-1")
    assert look() == 0


def test_a_no_that_came_while_it_was_on_its_way_is_found_too(world):
    handed = world.hand_over(world.prepare())
    first = next(handed.chunks)
    while b"PAR1" not in first and b"age-encryption" not in first:
        first = next(handed.chunks)
    world.no("c-1")
    assert look() == 1


def test_the_recipient_learns_whom_by_the_keys_it_has_and_nobody_else_does(world):
    package = world.open_package(world.fetch(world.prepare()))
    hers = {row[0] for row in package.rows if "canary-c-1-" in str(row)}
    world.no("c-1")
    look()
    recall = found.asked_of(world.requester).get()
    assert set(recalls.people(recall=recall, by=world.requester)) == hers
    for other in (world.home.steward, world.home.advocate, world.member, world.recipient_admin):
        with pytest.raises(NotPermitted):
            recalls.people(recall=recall, by=other)
        assert recall not in found.asked_of(other)
    assert list(found.asked_for(world.home.steward)) == [recall]
    assert list(found.asked_for(world.member)) == [recall]
    assert not found.asked_for(world.requester)


def test_it_is_acknowledged_and_then_reported_once_each(world):
    world.fetch(world.prepare())
    world.no("c-1")
    look()
    recall = Recall.objects.get()
    now = timezone.now()
    assert found.standing_of(recall, now).state == RecallState.ASKED
    recalls.acknowledge(recall=recall, **hand(world.requester))
    assert found.standing_of(recall, now).state == RecallState.ACKNOWLEDGED
    with pytest.raises(RuleBroken, match="before"):
        recalls.acknowledge(recall=recall, **hand(world.requester))
    recalls.report(recall=recall, reported=Reported.DELETED, **hand(world.requester))
    standing = found.standing_of(Recall.objects.get(), now)
    assert (standing.state, standing.reported) == (RecallState.REPORTED, Reported.DELETED)
    with pytest.raises(RuleBroken, match="before"):
        recalls.report(recall=recall, reported=Reported.RETURNED, **hand(world.requester))
    assert recalls.mark_overdue(at=now + timedelta(days=31)) == 0
    said = Entry.objects.filter(resource=recall.ref).order_by("pk").values_list("type", "reason")
    assert list(said) == [
        (EntryType.RECALL_OPENED, ""),
        (EntryType.RECALL_ACKNOWLEDGED, ""),
        (EntryType.RECALL_REPORTED, "deleted"),
    ]


def test_nobody_else_answers_for_the_recipient(world):
    world.fetch(world.prepare())
    world.no("c-1")
    look()
    recall = Recall.objects.get()
    for other in (world.home.steward, world.member, world.recipient_admin):
        with pytest.raises(NotPermitted):
            recalls.acknowledge(recall=recall, **hand(other))
        with pytest.raises(NotPermitted):
            recalls.report(recall=recall, reported=Reported.DELETED, **hand(other))
    assert not RecallStep.objects.exists()


def test_past_its_day_it_is_overdue_and_written_down_once(world):
    world.fetch(world.prepare())
    world.no("c-1")
    look()
    recall = Recall.objects.get()
    assert recall.due_at == recall.opened_at + timing.DELETE_WITHIN
    assert recalls.mark_overdue(at=recall.due_at - timedelta(seconds=1)) == 0
    assert recalls.mark_overdue(at=recall.due_at) == 1
    assert recalls.mark_overdue(at=recall.due_at) == 0
    recalls.report(recall=recall, reported=Reported.RETURNED, **hand(world.requester))
    assert set(recall.steps.values_list("step", flat=True)) == {Step.OVERDUE, Step.REPORTED}


def test_what_was_asked_back_is_not_handed_over_again_though_she_says_yes_anew(world):
    release = world.prepare()
    world.fetch(release)
    world.no("c-1")
    look()
    world.yes("c-1")
    with pytest.raises(Void) as refusal:
        world.fetch(release)
    assert refusal.value.code == "changed"
    assert world.received(world.prepare()) == {"c-1", "c-2", "c-3", "c-4"}


def test_her_list_has_it_with_her_tag_and_nobody_elses_has(world):
    world.fetch(world.prepare())
    world.no("c-1")
    look()
    recalls.report(recall=Recall.objects.get(), reported=Reported.DELETED, **hand(world.requester))
    sequence()
    hers = [each for each in accounting.uses_of(world.subject("c-1")) if each.deed == Deed.RECALLED]
    assert [each.word for each in hers] == ["recall:deleted", "recall:opened"]
    entry = Entry.objects.get(pk=hers[-1].entry)
    tag = keys.tag_of(world.subject("c-1"), bytes(entry.nonce))
    assert entry.subjects_root is not None
    assert bytes(entry.subjects_root) == recalls.subjects_root([tag])
    theirs = accounting.uses_of(world.subject("c-2"))
    assert not [each for each in theirs if each.deed == Deed.RECALLED]


def test_the_clock_asks_back_by_itself(world, monkeypatch):
    world.fetch(world.prepare())
    world.no("c-1")
    tick(timezone.now())
    assert opened(world) == {"c-1": ALL}
    later = Later(monkeypatch)
    later.pass_(days=31)
    tick(later.now())
    assert Recall.objects.get(columns=[], people=1).steps.get().step == Step.OVERDUE


def test_where_the_holders_key_is_away_it_waits_and_nothing_is_half_done(world, monkeypatch):
    world.fetch(world.prepare())
    world.no("c-1")

    def away(*_: object) -> None:
        raise NotReady("key_missing", "The key is not there.")

    with monkeypatch.context() as patch:
        patch.setattr(keys, "tags_of", away)
        assert recall_due(timezone.now()) == 0
    assert not Recall.objects.exists()
    assert not Entry.objects.filter(type=EntryType.RECALL_OPENED).exists()
    assert recall_due(timezone.now()) == 1


def test_two_releases_are_asked_back_each_for_itself(world):
    for _ in range(2):
        world.fetch(world.prepare())
    world.no("c-1")
    assert look() == 2
    assert Recall.objects.values("release").distinct().count() == 2


def test_an_organisation_that_only_shares_the_same_people_is_asked_nothing(world):
    other = world.another("Clinic", ["c-1", "c-2"])
    for number in ("c-1", "c-2"):
        world.yes(number, at=other)
    world.fetch(world.prepare())
    world.fetch(world.prepare(other))
    world.no("c-1")
    assert look() == 1
    assert Recall.objects.get().release.holder == world.home.organisation


def test_a_no_after_the_agreements_last_day_hides_nobody_of_the_rest(world):
    """Between two looks at all, somebody says no: the look at her alone must not be the last."""
    for number in ("c-1", "c-2", "c-3", "c-4"):
        world.yes(number, ends=timezone.now() + timedelta(days=200))
    world.fetch(world.prepare())
    last = world.home.agreement.ends
    assert recalls.open_due(at=last - timedelta(minutes=30)) == 0
    world.no("c-1")
    recalls.open_due(at=last + timedelta(minutes=1))
    recalls.open_due(at=last + timedelta(hours=2))
    assert set(opened(world)) == {"c-1", "c-2", "c-3", "c-4"}


def test_one_holders_key_that_is_away_keeps_no_other_holder_waiting(world, monkeypatch):
    other = world.another("Clinic", ["c-1", "c-2"])
    for number in ("c-1", "c-2"):
        world.yes(number, at=other)
    for holding in (world.home, other):
        world.fetch(world.prepare(holding))
        agreements.end(agreement=holding.agreement, **hand(holding.warden))
    real = keys.tags_of

    def away(holder: str, *given: object) -> object:
        if holder == world.home.organisation.ref:
            raise NotReady("key_missing", "The key is not there.")
        return real(holder, *given)

    with monkeypatch.context() as patch:
        patch.setattr(keys, "tags_of", away)
        with pytest.raises(NotReady):
            recalls.open_due(at=timezone.now())
        assert Recall.objects.get().release.holder == other.organisation
    assert look() == 1
