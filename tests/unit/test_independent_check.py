"""The check beside the gate must not be blind: whatever is wrong in a package, it says so."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from consent.queries import keys
from release.actions import preparing
from release.management.demo import check
from release.management.demo.check import Cell, Package, Row, Verdict
from release.models import Release
from release.rules import decide
from release.storage import seal
from tests.sheets import MAPPING, numbers, rows
from tests.worlds import World, small_world

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 9
OTHERS = {"c-5": "c-1", "c-6": "c-2"}


@dataclass
class Checked:
    """A package in the recipient's hands, and the file its dataset was loaded from."""

    world: World
    file: Path
    release: Release
    zipped: bytes
    package: Package

    def verdict(self, package: Package | None = None, **given) -> Verdict:
        about, helped = (category.code for category in self.world.categories)
        mapping = MAPPING.format(about=about, helped=helped, columns='"client", "other"')
        return check.compare(
            **{
                "release": self.release,
                "package": package or self.package,
                "file": self.file,
                "plan": check.plan_of(mapping.encode(), self.world.home.dataset.ref),
                "rejected": set(),
                "root": keys.ring().root(self.release.holder.ref),
                **given,
            }
        )


def spoken() -> World:
    """c-1, c-5 and c-9 said yes to all, c-2 and c-6 to less; c-3, c-4, c-7 and c-8 keep theirs."""
    world = small_world(CLIENTS, others=OTHERS, yes=["c-1", "c-3", "c-4", "c-5", "c-6", "c-9"])
    about, helped = world.categories
    world.yes("c-2", categories=[about])
    world.no("c-3")
    world.object("c-4")
    world.object("c-6", category=helped)
    world.yes("c-8", record_until=date(2025, 2, 28))  # the rows are of March
    return world


def prepared(world: World, folder: Path) -> Checked:
    file = folder / "rows.csv"
    file.write_text("\n".join(rows(numbers(CLIENTS), others=OTHERS)) + "\n", encoding="utf-8")
    release = world.prepare()
    zipped = world.fetch(release)
    return Checked(world, file, release, zipped, world.open_package(zipped))


@pytest.fixture
def checked(tmp_path) -> Checked:
    return prepared(spoken(), tmp_path)


def person_of(checked: Checked, number: str) -> str:
    root = keys.ring().root(checked.release.holder.ref)
    return check.person_key(checked.release, root, checked.world.subject(number).slot)


def test_a_true_package_holds(checked):
    verdict = checked.verdict()
    assert verdict.holds
    assert (verdict.rows, verdict.missing, verdict.unexpected) == (10, 0, 0)
    assert checked.package.digests_match
    slot = checked.world.subject("c-1").slot
    assert (verdict.own[slot], verdict.naming[slot]) == (2, 4)


def at(checked: Checked, number: str) -> int:
    """The place of one row of this client in the package."""
    person = person_of(checked, number)
    return next(place for place, row in enumerate(checked.package.rows) if row[0] == person)


def changed(checked: Checked, number: str, column: str, value: Cell) -> list[Row]:
    place, cell = at(checked, number), checked.package.columns.index(column)
    found = list(checked.package.rows)
    row = list(found[place])
    assert row[cell] != value
    row[cell] = value
    found[place] = tuple(row)
    return found


Tampering = Callable[[Checked], list[Row]]
TAMPERED: dict[str, Tampering] = {
    "a row is gone": lambda c: c.package.rows[1:],
    "a row is there twice": lambda c: [*c.package.rows, c.package.rows[0]],
    "one row is gone and another there twice": lambda c: [
        *c.package.rows[1:],
        c.package.rows[-1],
    ],
    "a row of somebody who said no is there": lambda c: [
        *c.package.rows,
        (person_of(c, "c-3"), "18-24", "canary-c-3-violet", 0),
    ],
    "a row of somebody who said no took the place of another": lambda c: [
        *c.package.rows[1:],
        (person_of(c, "c-3"), "18-24", "canary-c-3-violet", 0),
    ],
    "a cell without a yes is shown": lambda c: changed(c, "c-2", "region", "canary-c-2-violet"),
    "a cell against an objection is shown": lambda c: changed(c, "c-6", "visits", 0),
    "a cell with a yes is empty": lambda c: changed(c, "c-1", "visits", None),
    "a cell says something else": lambda c: changed(c, "c-1", "age_band", "60+"),
    "a row is under another person's key": lambda c: changed(
        c, "c-1", "person", person_of(c, "c-9")
    ),
    "nothing is there": lambda c: [],
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_package_does_not_hold_where(what, checked):
    wrong = replace(checked.package, rows=TAMPERED[what](checked))
    assert checked.verdict().holds
    assert not checked.verdict(wrong).holds


def test_a_package_does_not_hold_where_a_column_that_was_not_approved_is_there(checked):
    told = [(*row, "a story") for row in checked.package.rows]
    more = replace(checked.package, columns=(*checked.package.columns, "story"), rows=told)
    assert not checked.verdict(more).holds


def test_a_package_does_not_hold_where_an_approved_column_is_not_there(checked):
    short = [row[:-1] for row in checked.package.rows]
    less = replace(checked.package, columns=checked.package.columns[:-1], rows=short)
    verdict = checked.verdict(less)
    assert not verdict.columns_match
    assert not verdict.holds


def test_a_package_does_not_hold_where_a_column_has_another_name(checked):
    renamed = replace(checked.package, columns=(*checked.package.columns[:-1], "calls"))
    assert not checked.verdict(renamed).holds


def without_objections(facts):
    nobody = np.empty(0, dtype=np.int32)
    words = replace(facts.words, objected=nobody, objected_categories={})
    return decide.decide(replace(facts, words=words))


def without_a_day(facts):
    plan = decide.decide(facts)
    far = np.full_like(plan.people.record_until, 60_000)
    return replace(plan, people=replace(plan.people, record_until=far))


def without_categories(facts):
    plan = decide.decide(facts)
    return replace(plan, people=replace(plan.people, groups=np.full_like(plan.people.groups, 0b11)))


@pytest.mark.parametrize("forgetful", [without_objections, without_a_day, without_categories])
def test_a_gate_that_forgets_a_rule_is_found_out(forgetful, tmp_path, monkeypatch):
    monkeypatch.setattr(preparing, "decide", forgetful)
    verdict = prepared(spoken(), tmp_path).verdict()
    assert verdict.unexpected
    assert not verdict.holds


def test_yesterday_s_package_is_no_answer_to_today_s_asking(checked):
    world = checked.world
    world.no("c-9")
    later = world.prepare()
    assert checked.verdict().holds  # it was right when it was answered
    assert not checked.verdict(release=later).holds
    assert checked.verdict(world.open_package(world.fetch(later)), release=later).holds


def test_lines_refused_at_loading_are_not_expected(checked):
    verdict = checked.verdict(rejected={2})  # the first line of c-1
    assert (verdict.missing, verdict.unexpected) == (0, 1)
    assert not verdict.holds


def test_under_another_holder_s_key_nothing_matches(checked):
    assert not checked.verdict(root=bytes(32)).holds


def rezipped(zipped: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """The zip with each file changed, or left out where the change gives None."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(zipped)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return out.getvalue()


def test_a_part_that_is_not_the_one_of_the_manifest_is_told(checked):
    identity = checked.world.identity
    sealed_again = rezipped(
        checked.zipped,
        lambda name, data: (
            seal(check.pyrage.decrypt(data, [identity]), [identity.to_public()])
            if name.startswith("parts/")
            else data
        ),
    )
    package = check.opened(sealed_again, identity)
    assert sorted(package.rows) == sorted(checked.package.rows)  # the same rows, other bytes
    assert not package.digests_match


def test_a_part_that_is_not_there_is_told(checked):
    cut = rezipped(checked.zipped, lambda name, data: None if name.startswith("parts/") else data)
    package = check.opened(cut, checked.world.identity)
    assert not package.digests_match
    assert not checked.verdict(package).holds


def test_the_digests_are_of_the_sealed_bytes(checked):
    told = {part["sha256"] for part in checked.package.manifest["parts"]}
    with zipfile.ZipFile(io.BytesIO(checked.zipped)) as archive:
        sealed = [archive.read(n) for n in archive.namelist() if n.startswith("parts/")]
    assert told == {sha256(data).hexdigest() for data in sealed}
