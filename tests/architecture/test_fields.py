"""Every column of every model of ours says how sensitive it is."""

import pytest
from django.apps import apps
from django.db.models import Model

from common.sensitivity import Sensitivity
from tests.architecture.source import packages


def our_models() -> list[type[Model]]:
    return [
        model
        for name in packages()
        if apps.is_installed(name)
        for model in apps.get_app_config(name).get_models()
        if not model._meta.auto_created
    ]


def test_there_are_models_to_look_at():
    assert len(our_models()) > 40


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_every_column_says_how_sensitive_it_is(model):
    declared = vars(model).get("sensitivity")
    assert declared is not None, "the model itself declares `sensitivity`"
    columns = {
        field.name
        for field in model._meta.get_fields()
        if getattr(field, "column", None) and not field.many_to_many
    }
    assert set(declared) == columns
    assert all(isinstance(value, Sensitivity) for value in declared.values())


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_every_model_says_in_one_sentence_what_it_is(model):
    words = vars(model).get("__doc__") or ""
    assert words.strip().split("\n")[0].endswith("."), "one sentence about the world"
    assert not words.startswith(f"{model.__name__}("), "Django's own docstring says nothing"
