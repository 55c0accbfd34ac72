"""A dataset is loaded anew: what was corrected does not go out as it was."""

import pytest

from common.errors import Void
from release.models import Release
from release.vocabulary import DownloadPart, VoidGround
from tests.sheets import numbers, rows
from tests.worlds import World, load, small_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return small_world(4, each=1, part_rows=2)


@pytest.mark.parametrize(
    ("part", "piece"), [(DownloadPart.PACKAGE, {}), (DownloadPart.PART, {"number": 1})]
)
def test_a_package_of_a_former_version_is_void_and_one_of_the_newer_waits(world, part, piece):
    release = world.prepare()
    load(world.home, world, rows(numbers(2), each=1), 2)
    with pytest.raises(Void) as refusal:
        world.hand_over(release, part, **piece)
    assert refusal.value.code == VoidGround.SUPERSEDED
    release.refresh_from_db()
    assert release.void_ground == VoidGround.SUPERSEDED
    again = Release.objects.get(replaces=release)
    assert again.ref in str(refusal.value)
    assert world.received(world.run(again)) == set(numbers(2))
    assert world.received(again) == set(numbers(2))  # nothing newer was loaded: it stays good


def test_the_same_file_once_more_is_no_newer_version(world):
    release = world.prepare()
    load(world.home, world, rows(numbers(4), each=1), 2)
    assert world.received(release) == set(numbers(4))


def test_a_hand_over_that_has_begun_goes_on_to_its_end(world):
    release = world.prepare()
    begun = world.hand_over(release).chunks
    first = next(begun)
    load(world.home, world, rows(numbers(2), each=1), 2)
    package = world.open_package(first + b"".join(begun))
    assert world.inside(package) == set(numbers(4))
