"""Named database constraints that many models need."""

from typing import Any

from django.db import models
from django.db.models import F, Q


def one_of(field: str, choices: type[models.TextChoices], *, name: str) -> models.CheckConstraint:
    """The column holds one of the vocabulary's words and nothing else."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": choices.values}), name=name)


def ordered(first: str, second: str, *, name: str) -> models.CheckConstraint:
    """`first` lies before `second` where both are set."""
    condition = Q(**{f"{first}__isnull": True}) | Q(**{f"{second}__isnull": True})
    return models.CheckConstraint(condition=condition | Q(**{f"{first}__lt": F(second)}), name=name)


def together(*fields: str, name: str) -> models.CheckConstraint:
    """The columns are all empty or all filled."""
    none: dict[str, Any] = {f"{field}__isnull": True for field in fields}
    every: dict[str, Any] = {f"{field}__isnull": False for field in fields}
    return models.CheckConstraint(condition=Q(**none) | Q(**every), name=name)
