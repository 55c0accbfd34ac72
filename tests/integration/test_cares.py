"""Categories under rules of their own, as they are described, loaded, put under them and restored."""

import shutil

import pytest

from audit.models import Entry
from audit.vocabulary import EntryType
from common.errors import NotPermitted, RuleBroken
from consent.actions.replaying import replay
from governance.actions import catalogue
from governance.actions.standard import SHIPPED
from governance.models import CategoryVersion, DataCategory, Field, KeptNo
from governance.rules import FieldSpec
from governance.vocabulary import Care, FieldSensitivity, FieldType
from tests.append_only import triggers_lifted
from tests.integration.governance_world import build, stamp

pytestmark = pytest.mark.django_db


def category(code: str, care: Care = Care.ORDINARY) -> DataCategory:
    words = dict.fromkeys(["label_en", "label_es", "description_en", "description_es"], "-")
    return DataCategory.objects.create(code=code, care=care, **words)


def spec(name: str, category: DataCategory, sensitivity=FieldSensitivity.QUASI) -> FieldSpec:
    return FieldSpec(name, FieldType.TEXT, category.code, sensitivity)


def refusal(code: str, deed, **given) -> None:
    with pytest.raises((RuleBroken, NotPermitted)) as refused:
        deed(**given)
    assert refused.value.code == code


def test_R14_a_column_is_neither_described_nor_moved_to_where_it_may_not_stand():
    world = build()
    where, other = category("where", Care.LOCATION), category("other")
    here = {"dataset": world.dataset, **stamp(world.steward)}
    for wrong in (spec("town", other, FieldSensitivity.LOCATION), spec("age", where)):
        refusal("field_misplaced", catalogue.define_fields, fields=[wrong], **here)
    catalogue.define_fields(fields=[spec("town", where, FieldSensitivity.LOCATION)], **here)
    moved = {"narrative": False, **stamp(world.steward)}
    for name, to, sensitivity in (
        ("town", other, FieldSensitivity.LOCATION),
        ("town", where, FieldSensitivity.QUASI),
        ("language", where, FieldSensitivity.QUASI),
        ("language", other, FieldSensitivity.LOCATION),
    ):
        field = Field.objects.get(name=name)
        refusal(
            "field_misplaced",
            catalogue.reclassify,
            field=field,
            category=to,
            field_sensitivity=sensitivity,
            **moved,
        )
    assert Field.objects.get(name="town").category == where


def test_R13_what_law_enforcement_made_gets_a_dataset_of_its_own():
    world = build()
    police = category("police", Care.LAW_ENFORCEMENT)
    here = {"dataset": world.dataset, **stamp(world.steward)}
    refusal("origins_mixed", catalogue.define_fields, fields=[spec("charge", police)], **here)
    refusal(
        "origins_mixed",
        catalogue.reclassify,
        field=Field.objects.get(name="language"),
        category=police,
        field_sensitivity=FieldSensitivity.QUASI,
        narrative=False,
        **stamp(world.steward),
    )
    other = catalogue.create_dataset(
        name="charges", title="-", holder=world.holder, board=world.board, **stamp(world.steward)
    )
    alone = {"dataset": other, **stamp(world.steward)}
    catalogue.define_fields(fields=[spec("charge", police)], **alone)
    ordinary = spec("language", DataCategory.objects.get(code="about-me"))
    refusal("origins_mixed", catalogue.define_fields, fields=[ordinary], **alone)


def test_a_category_comes_under_rules_once_and_only_where_its_columns_may_stand_there():
    world = build()
    about = DataCategory.objects.get(code="about-me")
    case = {"category": about, **stamp(world.convener)}
    refusal("field_misplaced", catalogue.restrict, care=Care.LOCATION, **case)
    refusal("care_stays", catalogue.restrict, care=Care.ORDINARY, **case)
    nobody = {**case, **stamp(world.steward)}
    refusal("may_not_convene", catalogue.restrict, care=Care.IMMIGRATION, **nobody)
    assert DataCategory.objects.get(code="about-me").care == Care.ORDINARY
    catalogue.restrict(care=Care.IMMIGRATION, **case)
    for care in Care:
        refusal("care_stays", catalogue.restrict, care=care, **case)
    entry = Entry.objects.get(type=EntryType.CATEGORY_RESTRICTED)
    assert entry.resource == "about-me/immigration"
    assert entry.epoch_everyone is not None


def test_R13_a_category_of_a_dataset_with_others_is_not_law_enforcements():
    world = build()
    other = category("other")
    fields = [spec("visits", other)]
    catalogue.define_fields(dataset=world.dataset, fields=fields, **stamp(world.steward))
    case = {"category": other, "care": Care.LAW_ENFORCEMENT, **stamp(world.convener)}
    refusal("origins_mixed", catalogue.restrict, **case)


def test_the_shipped_catalogue_puts_places_and_papers_under_their_rules():
    world = build(signed=False)
    catalogue.load_standard(**stamp(world.convener))
    cares = dict(DataCategory.objects.exclude(care=Care.ORDINARY).values_list("code", "care"))
    assert cares == {
        "papers-and-status": Care.IMMIGRATION,
        "where": Care.LOCATION,
        "where-it-happened": Care.LOCATION,
    }
    assert not Entry.objects.filter(type=EntryType.CATEGORY_RESTRICTED).exists()


def test_a_catalogue_that_was_loaded_before_comes_under_the_rules_by_a_no_to_everyone():
    world = build(signed=False)
    catalogue.load_standard(**stamp(world.convener))
    DataCategory.objects.update(care=Care.ORDINARY)  # as the migration leaves what was there
    noes, published = KeptNo.objects.count(), CategoryVersion.objects.count()
    assert catalogue.load_standard(**stamp(world.convener)).changed == 3
    assert KeptNo.objects.count() == noes + 3
    assert CategoryVersion.objects.count() == published
    restricted = Entry.objects.filter(type=EntryType.CATEGORY_RESTRICTED).order_by("resource")
    assert list(restricted.values_list("resource", flat=True)) == [
        "papers-and-status/immigration",
        "where-it-happened/location",
        "where/location",
    ]
    assert catalogue.load_standard(**stamp(world.convener)).changed == 0


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ('care = "immigration"', "", "care_stays"),
        ('care = "immigration"', 'care = "location"', "care_stays"),
        ('sensitivity = "quasi"', 'sensitivity = "location"', "field_misplaced"),
    ],
)
def test_a_file_that_would_take_a_category_out_of_its_rules_loads_nothing(
    tmp_path, before, after, code
):
    world = build(signed=False)
    catalogue.load_standard(**stamp(world.convener))
    shutil.copytree(SHIPPED, tmp_path, dirs_exist_ok=True)
    sheet = tmp_path / "htcds-2.0.toml"
    text = sheet.read_text(encoding="utf-8").replace('"Who I am"', '"Who I was"')
    assert before in text
    sheet.write_text(text.replace(before, after, 1), encoding="utf-8")
    refusal(code, catalogue.load_standard, folder=tmp_path, **stamp(world.convener))
    assert DataCategory.objects.get(code="who-i-am").label_en == "Who I am"
    assert DataCategory.objects.get(code="papers-and-status").care == Care.IMMIGRATION


@pytest.mark.django_db(transaction=True)
def test_after_a_restore_the_category_stands_under_its_rules_again_and_once():
    world = build()
    about = DataCategory.objects.get(code="about-me")
    catalogue.restrict(category=about, care=Care.SUBSTANCE_USE, **stamp(world.convener))
    with triggers_lifted():
        KeptNo.objects.all().delete()
        DataCategory.objects.update(care=Care.ORDINARY)
    assert replay(**stamp(world.convener)).said == 1
    assert DataCategory.objects.get(code="about-me").care == Care.SUBSTANCE_USE
    with triggers_lifted():
        KeptNo.objects.all().delete()
    assert replay(**stamp(world.convener)).said == 0
