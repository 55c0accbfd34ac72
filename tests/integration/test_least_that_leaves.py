"""The least that is needed: what was not approved is not in a package at all, not even empty."""

import pytest
from pyrage import decrypt

from common.errors import RuleBroken
from release.storage import store
from tests import worlds
from tests.sheets import canary
from tests.worlds import small_world

pytestmark = pytest.mark.django_db(transaction=True)


def test_only_the_approved_columns_leave_though_she_said_yes_to_more(monkeypatch):
    monkeypatch.setattr(worlds, "FIELDS", ("age_band",))
    world = small_world(2)
    release = world.prepare()
    package = world.open_package(world.fetch(release))
    assert package.columns == ("person", "age_band")
    assert [column["name"] for column in package.manifest["columns"]] == ["person", "age_band"]
    for part in release.parts.all():
        clear = decrypt(store().open(part.name), [world.identity])
        for word in ("region", "visits", "story", canary("c-1")):
            assert word.encode() not in clear


def test_a_story_in_free_text_cannot_even_be_asked_for(monkeypatch):
    monkeypatch.setattr(worlds, "FIELDS", ("age_band", "story"))
    with pytest.raises(RuleBroken):
        small_world(1)
