"""The gate on a plain day: who said yes is in the package, nobody else, and datasets do not mix."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from common.errors import Void
from governance.actions import catalogue
from governance.vocabulary import FieldSensitivity, PackageFormat
from release.actions import preparing
from release.models import Release
from release.queries.standing import used
from release.rules import timing
from release.vocabulary import Ground, ReleaseState
from tests.gate import before
from tests.sheets import numbers
from tests.worlds import World, hand, small_world

pytestmark = pytest.mark.django_db(transaction=True)


def slots(world: World, *clients: str) -> set[int]:
    return {world.subject(number).slot for number in clients}


def test_exactly_those_who_said_yes_are_in_the_package():
    world = small_world(4, yes=["c-1", "c-3"])
    release = world.prepare()
    assert (release.state, release.rows, release.people) == (ReleaseState.PREPARED, 4, 2)
    assert world.received(release) == {"c-1", "c-3"}
    assert release.grounds == {Ground.NO_CONSENT: 2}


def test_a_package_has_no_narrative_and_none_of_our_slots():
    world = small_world(2)
    package = world.open_package(world.fetch(world.prepare()))
    assert package.columns == ("person", "age_band", "region", "visits")
    assert package.digests_match
    own = {str(slot) for slot in slots(world, *numbers(2))}
    assert not own & {str(cell) for row in package.rows for cell in row}


def test_where_nobody_said_yes_the_answer_is_a_kept_refusal():
    world = small_world(2, yes=[])
    release = world.prepare()
    assert release.state == ReleaseState.REFUSED
    assert Ground.NOBODY in release.grounds
    assert not release.parts.exists()


def test_a_row_that_names_two_people_leaves_only_with_a_yes_of_both():
    world = small_world(4, others={"c-1": "c-2", "c-3": "c-4"}, yes=["c-1", "c-3", "c-4"])
    release = world.prepare()
    assert world.received(release) == {"c-3", "c-4"}
    assert set(used(release).tolist()) == slots(world, "c-3", "c-4")
    assert release.grounds[Ground.ANOTHER_PERSON] == 1  # she said yes, the other one did not


def test_a_row_that_names_two_people_leaves_with_what_both_said_yes_to():
    world = small_world(2, each=1, others={"c-1": "c-2"}, yes=["c-1"])
    world.yes("c-2", categories=world.categories[:1])
    package = world.open_package(world.fetch(world.prepare()))
    assert len(package.rows) == 2
    assert all(row[1:] == ("18-24", None, None) for row in package.rows)


def test_a_no_of_the_other_person_in_a_row_voids_the_package_too():
    world = small_world(3, others={"c-1": "c-2"})
    release = world.prepare()
    assert world.received(release) == {"c-1", "c-2", "c-3"}
    world.no("c-2")
    again = world.run(world.ask())
    assert world.received(again) == {"c-3"}


def test_a_yes_at_one_organisation_opens_nothing_at_another():
    """The same person, known to two organisations under the same number, said yes at one only."""
    world = small_world(2, each=1)
    clinic = world.another("Clinic", ["c-1", "c-2"], each=1)
    world.yes("c-2", at=clinic)
    release = world.prepare(clinic)
    assert world.received(release) == {"c-2"}
    assert world.subject("c-1").slot != world.subject("c-1", at=clinic).slot
    assert set(used(release).tolist()) == {world.subject("c-2", at=clinic).slot}
    assert world.received(world.prepare()) == {"c-1", "c-2"}


def test_a_no_at_one_organisation_leaves_the_yes_at_another_where_it_was_given():
    world = small_world(1, each=1)
    clinic = world.another("Clinic", ["c-1"], each=1)
    world.yes("c-1", at=clinic)
    here, there = world.prepare(), world.prepare(clinic)
    world.no("c-1")
    assert world.received(there) == {"c-1"}
    assert world.run(Release.objects.create(**same_asking(here))).state == ReleaseState.REFUSED


def same_asking(release: Release) -> dict[str, object]:
    names = ["release_class", "request", "holder", "recipient", "purpose", "asked_by", "asked_at"]
    return {name: getattr(release, name) for name in [*names, "format"]}


def test_a_column_that_moves_to_a_category_without_a_yes_voids_the_package():
    """She said yes to the column's old category only, and something of that is still open."""
    world = small_world(1, yes=[])
    about, helped = world.categories
    world.yes("c-1", categories=[helped])
    release = world.prepare()
    assert world.received(release) == {"c-1"}
    catalogue.reclassify(
        field=world.home.dataset.fields.get(name="region"),
        category=about,
        field_sensitivity=FieldSensitivity.SENSITIVE,
        narrative=False,
        **hand(world.home.steward),
    )
    with pytest.raises(Void):
        world.fetch(release)
    package = world.open_package(world.fetch(world.prepare()))
    assert {row[1:] for row in package.rows} == {(None, None, 0), (None, None, 1)}


def test_where_all_was_left_out_the_refusal_says_so(monkeypatch):
    world = small_world(2)
    monkeypatch.setattr(timing, "LOCKED_MOST", -1.0)
    before(monkeypatch, preparing, "_commit", lambda: world.no("c-1"))
    release = world.prepare()
    assert release.state == ReleaseState.REFUSED
    assert set(release.grounds) == {Ground.CHANGED_WHILE_WRITTEN}


def test_rows_recorded_after_the_day_of_the_yes_stay():
    world = small_world(2, yes=["c-1"])
    world.yes("c-2", record_until=date(2025, 2, 28))  # the rows are of March
    release = world.prepare()
    assert world.received(release) == {"c-1"}
    assert release.grounds == {Ground.RECORD_PERIOD: 1}


def test_a_yes_that_has_not_started_is_none_yet():
    world = small_world(2, yes=["c-1"])
    world.yes("c-2", starts=timezone.now() + timedelta(days=1))
    release = world.prepare()
    assert world.received(release) == {"c-1"}
    assert release.grounds == {Ground.NOT_STARTED: 1}


def test_a_spreadsheet_package_carries_the_same_people():
    world = small_world(3, yes=["c-1", "c-2"], format=PackageFormat.CSV)
    release = world.prepare()
    assert (release.rows, release.people) == (4, 2)
    assert set(used(release).tolist()) == slots(world, "c-1", "c-2")
