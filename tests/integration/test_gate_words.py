"""What a yes covers, and what a no reaches, where dates and deeds cross each other."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken, Void
from consent.actions import imports, stops
from consent.actions.imports import COLUMNS
from consent.actions.sets import category_set
from consent.models import Consent, Objection
from governance.actions import catalogue, memberships
from governance.models import CategoryField, CategoryVersion, User
from governance.vocabulary import Role
from release import tasks
from release.models import Release
from release.vocabulary import ReleaseState, VoidGround
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return small_world(3, part_rows=2)


def test_a_yes_covers_a_category_as_it_was_on_the_day_of_signing(world: World):
    category = world.categories[0]
    before = category.versions.order_by("-number").first()
    signed_at = timezone.now()
    after = CategoryVersion.objects.create(
        category=category, number=before.number + 1, published_at=timezone.now()
    )
    CategoryField.objects.create(version=after, name="added_later")
    then = category_set([category], signed_at)
    assert set(then.items.values_list("version_id", flat=True)) == {before.pk}
    now = category_set([category], timezone.now())
    assert set(now.items.values_list("version_id", flat=True)) == {after.pk}


def test_a_yes_to_a_category_that_was_not_there_yet_is_refused(world: World):
    world.no("c-1")
    early = CategoryVersion.objects.order_by("published_at").first().published_at
    with pytest.raises(RuleBroken) as refusal:
        world.yes("c-1", signed_at=early - timedelta(hours=1))
    assert "categories_later" in [each.code for each in refusal.value.problems]


def test_a_package_does_not_outlive_a_stop_by_a_newer_yes_to_fewer_days(world: World):
    release = world.prepare()
    world.no("c-1")
    world.yes("c-1", record_until=(timezone.now() - timedelta(days=4000)).date())
    with pytest.raises(Void):
        world.fetch(release)
    release.refresh_from_db()
    assert release.void_ground == VoidGround.PERSON_SAID_NO


def test_a_stop_said_aloud_is_kept_where_nothing_runs(world: World):
    world.no("c-1")
    entries = Entry.objects.filter(type=EntryType.OBJECTION_MADE).count()
    signed_at = timezone.now()
    stops.record(holder=world.home.organisation, number="c-1", **hand(world.home.advocate))
    assert Entry.objects.filter(type=EntryType.OBJECTION_MADE).count() == entries + 1
    with pytest.raises(RuleBroken) as refusal:
        world.yes("c-1", signed_at=signed_at)
    assert refusal.value.code == "older_than_no"
    world.yes("c-1")  # she may say yes again, after it
    assert not Objection.objects.filter(lifted_at__isnull=True).exists()


def test_a_stop_said_aloud_to_one_recipient_ends_what_runs_there_in_one_deed(world: World):
    release = world.prepare()
    stops.record(
        holder=world.home.organisation,
        number="c-2",
        recipient=world.recipient,
        **hand(world.home.advocate),
    )
    assert not Consent.objects.filter(subject=world.subject("c-2"), ended_at__isnull=True).exists()
    with pytest.raises(Void):
        world.fetch(release)


def test_a_role_that_ends_in_mid_stream_stops_it(world: World):
    second = User.objects.create_user("delta-rowan-9", "words-for-a-test")
    role = memberships.grant(
        user=second,
        organisation=world.recipient,
        role=Role.REQUESTER,
        **hand(world.recipient_admin),
    )
    release = world.prepare()
    handed = world.hand_over(release, by=second)
    taken = [next(handed.chunks)]
    memberships.end(membership=role, **hand(world.recipient_admin))

    def rest() -> None:
        taken.extend(handed.chunks)

    with pytest.raises(Void):
        rest()
    assert sum(map(len, taken)) < handed.size


def test_one_release_that_cannot_be_answered_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    broken, sound = world.ask(), world.ask()
    answer = tasks.releases.run

    def run(*, release: Release, **given: object) -> Release:
        if release.pk == broken.pk:
            raise TypeError("a value nobody may read")
        answered: Release = answer(release=release, **given)
        return answered

    monkeypatch.setattr(tasks.releases, "run", run)
    tasks.run_releases(timezone.now())
    sound.refresh_from_db()
    broken.refresh_from_db()
    assert (sound.state, broken.state) == (ReleaseState.PREPARED, ReleaseState.WAITING)


def test_a_no_of_a_person_counts_before_any_other_change(world: World):
    other = world.another("Lake", ["x-1"])
    release = world.prepare()
    world.no("c-1")
    catalogue.pause_dataset(dataset=other.dataset, **hand(other.steward))
    with pytest.raises(Void):
        world.fetch(release)
    release.refresh_from_db()
    assert release.void_ground == VoidGround.PERSON_SAID_NO
    assert release.replaced_by.exists()


def test_the_manifest_does_not_tell_when_anybodys_yes_runs_out(world: World):
    release = world.prepare()
    assert release.good_until is not None
    assert release.good_until.isoformat().encode() not in bytes(release.manifest)


def test_an_import_waits_for_a_no_that_is_being_said(world: World, tmp_path: Path):
    """What `imports` holds is what a no holds: one of them sees the other."""
    world.no("c-1")
    today = timezone.now().date()
    line = (
        f"c-1,{world.recipient.ref},{world.purpose.code},{world.categories[0].code},sharing/1,en,"
        f"paper,{today - timedelta(days=1)},{today + timedelta(days=9)},,binder 1,self,,yyyyyyy,,"
    )
    done = imports.consents(
        holder=world.home.organisation,
        lines=[",".join(COLUMNS), line],
        most_bad=1.0,
        by=world.home.advocate,
        at=timezone.now(),
        via=Via.COMMAND,
    )
    assert done.recorded == 0
    assert "older_than_no" in {each.code for each in done.rejected}
