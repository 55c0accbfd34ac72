"""Datasets, fields and categories: what a yes to a category is a yes to, and from when."""

import shutil
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry
from audit.vocabulary import EntryType
from common.errors import BadInput, NotPermitted, RuleBroken
from governance.actions import catalogue
from governance.actions.standard import SHIPPED
from governance.models import (
    CategoryVersion,
    DataCategory,
    Dataset,
    Field,
    FieldClassification,
    Purpose,
    StandardField,
)
from governance.queries import catalogue as readings
from governance.vocabulary import Care, DatasetState, FieldSensitivity, UserKind
from tests.integration.governance_world import build, spec, staff, stamp

pytestmark = pytest.mark.django_db


def refusal(code, deed, **given):
    with pytest.raises((RuleBroken, BadInput, NotPermitted)) as refused:
        deed(**given)
    assert refused.value.code == code, refused.value.message


def versions(code):
    return {
        version.number: readings.names(version)
        for version in CategoryVersion.objects.filter(category__code=code)
    }


def another_category(code="where", care=Care.ORDINARY):
    words = dict.fromkeys(["label_en", "label_es", "description_en", "description_es"], "-")
    return DataCategory.objects.create(code=code, care=care, **words)


def test_fields_are_described_once_and_in_their_order():
    world = build()
    here = {"dataset": world.dataset, **stamp(world.steward)}
    again = catalogue.define_fields(fields=[spec("language"), spec("shelter")], **here)
    assert [(field.name, field.position) for field in again] == [
        ("age_band", 1),
        ("language", 2),
        ("story", 3),
        ("shelter", 4),
    ]
    assert FieldClassification.objects.count() == 4
    refusal(
        "field_contradiction",
        catalogue.define_fields,
        fields=[spec("language", narrative=True)],
        **here,
    )
    refusal("category_unknown", catalogue.define_fields, fields=[spec("x", category="no")], **here)
    refusal(
        "may_not_steward",
        catalogue.define_fields,
        dataset=world.dataset,
        fields=[spec("x")],
        **stamp(world.holder_admin),
    )
    assert Field.objects.count() == 4


def test_a_category_that_gains_a_field_is_published_anew():
    world = build()
    first = ["age_band", "language", "story"]
    assert versions("about-me") == {1: first}
    here = {"dataset": world.dataset, **stamp(world.steward)}
    catalogue.define_fields(fields=[spec("language")], **here)
    assert versions("about-me") == {1: first}
    catalogue.define_fields(fields=[spec("shelter")], **here)
    assert versions("about-me") == {1: first, 2: ["age_band", "language", "shelter", "story"]}
    assert readings.latest_versions()["about-me"].number == 2


def test_a_field_that_moves_leaves_one_category_and_enters_another_as_a_new_version():
    world = build()
    where = another_category(care=Care.LOCATION)
    field = Field.objects.get(name="language")
    given = {"field": field, "field_sensitivity": FieldSensitivity.LOCATION, "narrative": False}
    catalogue.reclassify(category=where, **given, **stamp(world.steward))
    assert versions("about-me")[2] == ["age_band", "story"]
    assert versions("where") == {1: ["language"]}
    field.refresh_from_db()
    assert (field.category, field.field_sensitivity) == (where, FieldSensitivity.LOCATION)
    latest = FieldClassification.objects.filter(field=field).order_by("-pk").first()
    assert latest.category == where
    refusal(
        "same_classification", catalogue.reclassify, category=where, **given, **stamp(world.steward)
    )


def test_a_name_that_another_dataset_still_has_there_stays_in_the_category():
    world = build()
    other = catalogue.create_dataset(
        name="summer-cases",
        title="Summer cases",
        holder=world.holder,
        board=world.board,
        **stamp(world.steward),
    )
    catalogue.define_fields(dataset=other, fields=[spec("language")], **stamp(world.steward))
    catalogue.reclassify(
        field=world.fields[1],
        category=another_category(),
        field_sensitivity=FieldSensitivity.QUASI,
        narrative=False,
        **stamp(world.steward),
    )
    assert list(versions("about-me")) == [1]
    assert versions("where") == {1: ["language"]}


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("bad_name", {"name": "Winter Cases"}),
        ("dataset_name", {"name": "Winter-Cases"}),
        ("bad_name", {"name": "a" * 81}),
        ("dataset_name", {"name": "-a"}),
        ("bad_title", {"title": ""}),
        ("dataset_name_taken", {"name": "winter-cases"}),
    ],
)
def test_a_dataset_that_cannot_be_is_not_created(code, change):
    world = build()
    given = {"name": "spring", "title": "Spring", "holder": world.holder, "board": world.board}
    refusal(code, catalogue.create_dataset, **{**given, **change}, **stamp(world.steward))
    refusal("may_not_steward", catalogue.create_dataset, **given, **stamp(world.convener))
    assert Dataset.objects.count() == 1


def test_what_the_holder_pauses_the_board_lets_run_again_and_retired_stays_retired():
    world = build()
    case = {"dataset": world.dataset}
    refusal("may_not_pause_dataset", catalogue.pause_dataset, **case, **stamp(world.requester))
    assert catalogue.pause_dataset(**case, **stamp(world.steward)).state == DatasetState.PAUSED
    refusal("dataset_state", catalogue.pause_dataset, **case, **stamp(world.steward))
    refusal("may_not_resume_dataset", catalogue.resume_dataset, **case, **stamp(world.steward))
    resumed = catalogue.resume_dataset(**case, **stamp(world.seats[0].user))
    assert resumed.state == DatasetState.ACTIVE
    refusal("may_not_administer", catalogue.retire_dataset, **case, **stamp(world.steward))
    catalogue.retire_dataset(**case, **stamp(world.holder_admin))
    refusal("dataset_state", catalogue.resume_dataset, **case, **stamp(world.seats[0].user))
    assert not readings.datasets(world.requester).exists()


def test_a_purpose_is_paused_by_any_board_and_resumed_by_the_community():
    world = build()
    case = {"purpose": world.purpose}
    refusal("may_not_pause_purpose", catalogue.pause_purpose, **case, **stamp(world.steward))
    catalogue.pause_purpose(**case, **stamp(world.seats[0].user))
    assert not readings.purposes().exists()
    refusal("purpose_state", catalogue.pause_purpose, **case, **stamp(world.convener))
    refusal("may_not_convene", catalogue.resume_purpose, **case, **stamp(world.seats[0].user))
    catalogue.resume_purpose(**case, **stamp(world.convener))
    refusal("purpose_state", catalogue.resume_purpose, **case, **stamp(world.convener))
    assert list(readings.purposes()) == [world.purpose]
    catalogue.retire_purpose(**case, **stamp(world.convener))
    refusal("purpose_state", catalogue.retire_purpose, **case, **stamp(world.convener))
    refusal("purpose_state", catalogue.resume_purpose, **case, **stamp(world.convener))


def test_the_catalogue_of_datasets_is_for_those_who_work_here():
    world = build()
    assert list(readings.datasets(world.requester)) == [world.dataset]
    survivor = staff(world.convener, "still-pond-02", UserKind.SURVIVOR)
    assert not readings.datasets(survivor).exists()


def test_the_shipped_catalogue_is_loaded_whole_and_a_second_time_nothing_changes():
    world = build(signed=False)
    Purpose.objects.filter(pk=world.purpose.pk).update(longest_days=30)
    loaded = catalogue.load_standard(**stamp(world.convener))
    assert loaded.fields == StandardField.objects.count() == 84
    assert loaded.purposes == Purpose.objects.count()
    assert loaded.categories == DataCategory.objects.count()
    assert StandardField.objects.filter(deprecated=True).count() == 3
    world.purpose.refresh_from_db()
    assert world.purpose.longest_days == 730
    in_versions = {
        name for version in readings.latest_versions().values() for name in readings.names(version)
    }
    assert set(StandardField.objects.values_list("name", flat=True)) <= in_versions
    entries, published = Entry.objects.count(), CategoryVersion.objects.count()
    again = catalogue.load_standard(**stamp(world.convener))
    assert again.changed == 0
    assert (Entry.objects.count(), CategoryVersion.objects.count()) == (entries, published)
    assert Entry.objects.filter(type=EntryType.CATALOGUE_LOADED).count() == 1
    # What a dataset had already put into a category is still in it.
    assert set(versions("about-me")[2]) >= {"age_band", "language", "story"}


def test_only_the_community_loads_the_catalogue():
    world = build(signed=False)
    refusal("may_not_convene", catalogue.load_standard, **stamp(world.steward))


def changed_files(folder, name, before, after):
    shutil.copytree(SHIPPED, folder, dirs_exist_ok=True)
    text = (folder / name).read_text(encoding="utf-8")
    assert before in text
    (folder / name).write_text(text.replace(before, after, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "before", "after", "code"),
    [
        ("htcds-2.0.toml", 'sensitivity = "quasi"', 'sensitivity = "odd"', "catalogue_file"),
        ("htcds-2.0.toml", 'category = "case-steps"', 'category = "odd"', "catalogue_file"),
        ("htcds-2.0.toml", 'section = "Organization"', "", "catalogue_file"),
        ("htcds-2.0.toml", "\n[[field]]\n", "\n[[field\n", "catalogue_file"),
        ("purposes.toml", 'kind = "service"', 'kind = "odd"', "catalogue_file"),
        ("purposes.toml", "aggregates_only = true", "aggregates_only = false", "purpose_kind"),
        ("purposes.toml", 'kind = "research"', 'kind = "justice"', "purpose_kind"),
    ],
)
def test_a_catalogue_file_that_is_wrong_loads_nothing(tmp_path, name, before, after, code):
    world = build(signed=False)
    changed_files(tmp_path, name, before, after)
    refusal(code, catalogue.load_standard, folder=tmp_path, **stamp(world.convener))


def test_the_command_loads_in_somebodys_name_or_says_what_is_wrong(tmp_path):
    world = build(signed=False)
    out = StringIO()
    call_command("loadcatalogue", by=world.convener.username, stdout=out)
    assert "84 fields" in out.getvalue()
    out = StringIO()
    call_command("loadcatalogue", by=world.convener.username, stdout=out)
    assert "no change" in out.getvalue()
    for wrong in (
        {"by": "nobody-here"},
        {"by": world.steward.username},
        {"by": world.convener.username, "folder": tmp_path},
    ):
        with pytest.raises(CommandError):
            call_command("loadcatalogue", **wrong)
