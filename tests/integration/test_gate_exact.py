"""A package is void for somebody's word exactly where something of hers that is in it is not open.

The truth is worked out beside the gate: what the recipient has in hand after opening the package,
and what each person has open now, column by column, from the rule for one person and the history of
each field's classification.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from common.errors import Void
from consent.models import Consent
from consent.queries import sharing
from consent.rules import Ask, word
from consent.vocabulary import Standing
from governance.actions import catalogue
from governance.models import CategoryField, CategoryVersion, Field, FieldClassification
from governance.queries import clock
from governance.rules import FieldSpec
from governance.vocabulary import FieldSensitivity, FieldType, PackageFormat
from release.engine.rows import person_keys
from release.models import Release, Use
from release.queries import standing
from release.queries.facts import ring
from release.vocabulary import VoidGround
from tests import sheets, worlds
from tests.append_only import triggers_lifted
from tests.factories import governance as made
from tests.worlds import World, hand, lasting_world

pytestmark = pytest.mark.database
PEOPLE = 160
AT_ONCE = 6
VISITS = sheets.MAPPING[sheets.MAPPING.index('[[field]]\ncolumn = "visits"') :]
VISITS = VISITS[: VISITS.index("[[field]]", 1)]


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker) -> Iterator[World]:
    """The category of help had `region` first; `visits` came to it later.

    `world.early` is an instant between the two: a yes signed then is to the older version.
    """
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        ignored = '[ignore]\ncolumns = ["visits"]\n'
        patch.setattr(worlds, "MAPPING", sheets.MAPPING.replace(VISITS, "") + ignored)
        with lasting_world(PEOPLE, each=1, yes=[], part_rows=60) as found:
            found.early = timezone.now()
            patch.undo()
            worlds.load(found.home, found, sheets.rows(sheets.numbers(PEOPLE), each=1), 60)
            found.home.request = worlds.approved(found, found.home, PackageFormat.PARQUET)
            found.fresh = iter(sheets.numbers(PEOPLE))
            found.said = []
            yield found


@pytest.fixture
def her(world) -> Iterator[str]:
    """A client whom no other test has touched; afterwards nobody shares anything any more."""
    world.said = [next(world.fresh)]
    yield world.said[0]
    all_stop(world)


def all_stop(world: World) -> None:
    for number in world.said:
        if Consent.objects.filter(subject=world.subject(number), ended_at__isnull=True).exists():
            world.no(number)


# --- the truth ------------------------------------------------------------------------------------


def held(world: World, release: Release) -> dict[str, set[str]]:
    """For each client in the package, the columns in which something of hers stands in it."""
    package = world.open_package(world.fetch(release))
    home = world.home
    key = ring().derived(home.organisation.ref, f"person-key:{home.agreement.ref}")
    slots = {world.subject(number).slot: number for number in world.said}
    keys = person_keys(key, np.array(list(slots), dtype=np.int32)).to_pylist()
    whose = dict(zip(keys, slots.values(), strict=True))
    found: dict[str, set[str]] = {}
    for person, *cells in package.rows:
        columns = zip(package.columns[1:], cells, strict=True)
        found.setdefault(whose[person], set()).update(
            name for name, cell in columns if cell is not None
        )
    return found


def covers(version: CategoryVersion, field: Field) -> bool:
    """Whether a yes to this version is a yes to this column as it stands today."""
    if version.category_id != field.category_id:
        return False
    if not CategoryField.objects.filter(version=version, name=field.name).exists():
        return False
    # Wherever the field was at any time since the version was published, it was in this category.
    was = list(FieldClassification.objects.filter(field=field).order_by("pk"))
    since = [each for each in was if each.classified_at > version.published_at]
    earlier = [each for each in was if each.classified_at <= version.published_at][-1:]
    return all(each.category_id == field.category_id for each in [*earlier, *since])


def open_now(world: World, number: str, at: datetime) -> set[str]:
    """The columns of her record that she has open now."""
    subject = world.subject(number)
    yeses = Consent.objects.filter(
        subject=subject, recipient=world.recipient, purpose=world.purpose
    )
    said = word(
        consents=[sharing.fact(each) for each in yeses],
        objections=sharing.objections(subject),
        ask=Ask(world.recipient.pk, world.recipient.kind, world.purpose.pk),
        categories=dict(CategoryVersion.objects.values_list("pk", "category_id")),
        since=at,
        until=at,
    )
    if said.standing is not Standing.IN_FORCE:
        return set()
    versions = CategoryVersion.objects.filter(pk__in=said.versions)
    fields = world.home.dataset.fields.filter(name__in=sheets.FIELDS)
    return {field.name for field in fields if any(covers(each, field) for each in versions)}


def gone(world: World, release: Release, at: datetime) -> set[int]:
    return set(standing.closed(release, standing.used(release), at).tolist())


def should_be_gone(world: World, inside: dict[str, set[str]], at: datetime) -> set[int]:
    return {
        world.subject(number).slot
        for number, columns in inside.items()
        if not columns <= open_now(world, number, at)
    }


# --- one person ------------------------------------------------------------------------------------


def early(world: World, number: str, **changes: Any) -> Consent:
    """A yes signed before `visits` came to its category, recorded now."""
    return world.yes(number, signed_at=world.early, **changes)


def test_a_yes_to_an_older_version_opens_what_that_held_and_no_more(world, her):
    early(world, her)
    assert held(world, world.prepare()) == {her: {"age_band", "region"}}


NEWER: dict[str, tuple[dict[str, Any], bool]] = {
    "the same anew": ({"signed_at": "early"}, True),
    "more, with the column that came later": ({}, True),
    "less": ({"signed_at": "early", "categories": slice(1, 2)}, False),
}


@pytest.mark.parametrize("newer", NEWER)
def test_a_newer_yes_voids_what_holds_more_than_it_and_nothing_else(world, her, newer):
    changes, stays = NEWER[newer]
    early(world, her)
    release = world.prepare()
    picked = {"categories": world.categories[changes.get("categories", slice(0, 2))]}
    if changes.get("signed_at") == "early":
        picked["signed_at"] = world.early
    world.yes(her, **picked)
    if stays:
        assert held(world, release) == {her: {"age_band", "region"}}
    else:
        with pytest.raises(Void):
            world.fetch(release)
        release.refresh_from_db()
        assert release.void_ground == VoidGround.PERSON_SAID_NO


def test_a_yes_that_loses_only_what_the_package_never_held_keeps_it(world, her):
    """Her no is to a category of which nothing of hers is in the package."""
    world.yes(her, categories=world.categories[:1])
    release = world.prepare()
    objection = world.object(her, category=world.categories[1])
    assert held(world, release) == {her: {"age_band"}}
    world.lift(objection)


def test_a_no_to_a_category_that_is_in_the_package_voids_it(world, her):
    early(world, her)
    release = world.prepare()
    objection = world.object(her, category=world.categories[1])
    with pytest.raises(Void):
        world.fetch(release)
    world.lift(objection)


def test_of_several_yeses_since_only_the_one_that_was_relied_on_counts(world, her):
    """A yes in between covered more days of record; the package never stood on it."""
    first, more = date(2025, 6, 1), date(2026, 1, 1)
    world.yes(her, record_until=first)
    release = world.prepare()
    world.yes(her, record_until=more)
    world.yes(her, record_until=first)
    assert set(held(world, release)) == {her}


def test_a_use_that_does_not_say_which_columns_left_counts_as_all_of_its_category(world, her):
    """Written before that was kept: the safe direction."""
    early(world, her)
    release = world.prepare()
    at = clock.now()
    assert gone(world, release, at) == set()
    with triggers_lifted():
        Use.objects.filter(release=release).update(columns=[])
    assert gone(world, release, at) == {world.subject(her).slot}


# --- many, at random -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Yes:
    """Signed before or after `visits` came; to one category or both."""

    early: bool
    about: bool
    helped: bool

    def give(self, world: World, number: str) -> None:
        chosen = (self.about, self.helped)
        picked = [c for c, there in zip(world.categories, chosen, strict=True) if there]
        signed = {"signed_at": world.early} if self.early else {}
        world.yes(number, categories=picked, **signed)


YESES = st.sampled_from(
    [Yes(e, a, h) for e in (True, False) for a, h in ((True, True), (True, False), (False, True))]
)
DEEDS: dict[str, Any] = {
    "nothing": lambda w, n: None,
    "stop": lambda w, n: w.no(n),
    "pause": lambda w, n: w.pause(n),
    "pause and resume": lambda w, n: (w.pause(n), w.resume(n)),
    "no to the first category": lambda w, n: w.object(n, category=w.categories[0]),
    "no to the second category": lambda w, n: w.object(n, category=w.categories[1]),
    "no to the recipient": lambda w, n: w.object(n, recipient=w.recipient),
    "no, taken back": lambda w, n: w.lift(w.object(n)),
}


@st.composite
def what_happens(draw: st.DrawFn) -> tuple[tuple[Yes, str, Yes | None], ...]:
    """For each of some people: her yes, what she does after it left, and perhaps a newer yes."""
    each = st.tuples(YESES, st.sampled_from(sorted(DEEDS)), st.none() | YESES)
    return tuple(draw(st.lists(each, min_size=AT_ONCE, max_size=AT_ONCE)))


def play(world: World, plot: tuple[tuple[Yes, str, Yes | None], ...], then: Any = None) -> None:
    world.said = [next(world.fresh) for _ in plot]
    try:
        _play(world, plot, then)
    finally:
        all_stop(world)


def _play(world: World, plot: tuple[tuple[Yes, str, Yes | None], ...], then: Any) -> None:
    for number, (first, _, _) in zip(world.said, plot, strict=True):
        first.give(world, number)
    release = world.prepare()
    inside = held(world, release)
    for number, (first, deed, newer) in zip(world.said, plot, strict=True):
        if newer is not None and newer.early and (deed != "nothing" or not first.early):
            newer = None  # a yes signed before a no, or before the one on record, is refused
        if newer is not None and deed in {"nothing", "pause", "pause and resume"}:
            newer.give(world, number)
        DEEDS[deed](world, number)
    if then is not None:
        then()
    at = clock.now()
    wanted = should_be_gone(world, inside, at)
    assert gone(world, release, at) == wanted
    if wanted:
        with pytest.raises(Void):
            world.fetch(release)
    else:
        world.fetch(release)


@settings(
    max_examples=16,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # each example has people of its own, so none can be played again
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plot=what_happens())
def test_whoever_counts_as_gone_has_something_in_the_package_that_is_not_open(world, plot):
    play(world, plot)


# --- fields that move ------------------------------------------------------------------------------


def move(world: World, name: str, place: int) -> Field:
    return catalogue.reclassify(
        field=world.home.dataset.fields.get(name=name),
        category=world.categories[place],
        field_sensitivity=FieldSensitivity.PROCESS,
        narrative=False,
        **hand(world.home.steward),
    )


def there_and_back(world: World, name: str = "visits") -> None:
    move(world, name, 0)
    move(world, name, 1)


def test_a_field_that_comes_back_to_its_category_is_in_no_yes_from_before(world, her):
    world.yes(her)
    assert held(world, world.prepare()) == {her: {"age_band", "region", "visits"}}
    release = world.prepare()
    there_and_back(world)
    with pytest.raises(Void):
        world.fetch(release)
    release.refresh_from_db()
    assert release.void_ground == VoidGround.CATALOGUE
    assert held(world, world.prepare()) == {her: {"age_band", "region"}}
    world.yes(her)
    assert held(world, world.prepare()) == {her: {"age_band", "region", "visits"}}


def test_a_field_that_moves_to_where_its_name_stood_already_is_in_no_yes_from_before(world, her):
    """Another dataset has a column of the same name in the other category all the time."""
    other = catalogue.create_dataset(
        name=f"other-{her}",
        title="Other cases",
        holder=world.home.organisation,
        board=world.board,
        **hand(world.home.steward),
    )
    catalogue.define_fields(
        dataset=other,
        fields=[
            FieldSpec(name, FieldType.INTEGER, category.code, FieldSensitivity.PROCESS)
            for name, category in [("visits", world.categories[0])]
        ],
        **hand(world.home.steward),
    )
    world.yes(her)
    move(world, "visits", 0)
    assert held(world, world.prepare()) == {her: {"age_band", "region"}}
    world.yes(her)
    assert held(world, world.prepare()) == {her: {"age_band", "region", "visits"}}
    move(world, "visits", 1)
    assert held(world, world.prepare()) == {her: {"age_band", "region"}}
    world.yes(her)
    assert held(world, world.prepare()) == {her: {"age_band", "region", "visits"}}


@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plot=what_happens(), name=st.sampled_from(["visits", "region"]))
def test_where_a_field_went_and_came_back_the_same_holds(world, plot, name):
    play(world, plot, lambda: there_and_back(world, name))


@pytest.mark.django_db
def test_the_truth_knows_that_an_older_version_does_not_cover_what_came_later():
    """Also lets the test runner make its database: see `lasting_world`."""
    field = made.data_field(name="visits")
    older = made.category_version(category=field.category, number=9)
    newer = made.category_version(category=field.category, number=10)
    made.category_field(version=newer, name="visits")
    assert not covers(older, field)
    assert covers(newer, field)
