"""Named constraints on the size of binary columns."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact, LessThanOrEqual


def exactly(field: str, size: int, *, name: str) -> models.CheckConstraint:
    """The column holds `size` bytes, or nothing where it may be null."""
    return models.CheckConstraint(
        condition=Q(**{f"{field}__isnull": True}) | Q(Exact(Length(field), size)), name=name
    )


def at_most(field: str, size: int, *, name: str) -> models.CheckConstraint:
    """The column holds no more than `size` bytes."""
    return models.CheckConstraint(condition=LessThanOrEqual(Length(field), size), name=name)
