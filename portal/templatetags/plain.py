"""Words and days as the survivors' pages write them."""

from datetime import date, datetime

from django import template
from django.utils import formats, timezone
from django.utils.translation import get_language, pgettext

from governance.models import DataCategory, Purpose
from portal import words

register = template.Library()


@register.filter
def day(value: date) -> str:
    """22 November 2026."""
    if isinstance(value, datetime):
        value = timezone.localtime(value)
    return formats.date_format(value, pgettext("how a date is written", "j F Y"))


@register.filter
def moment(value: datetime) -> str:
    """22 November 2026, 14:05 (UTC): the deployment's own time zone, which is said."""
    local = timezone.localtime(value)
    return formats.date_format(local, pgettext("how a time is written", "j F Y, H:i (T)"))


@register.filter
def month(value: date) -> str:
    """November 2026."""
    return formats.date_format(value, pgettext("how a month is written", "F Y"))


@register.filter
def label(value: DataCategory | Purpose) -> str:
    return value.label_es if _spanish() else value.label_en


@register.filter
def description(value: DataCategory | Purpose) -> str:
    return value.description_es if _spanish() else value.description_en


@register.filter
def why(ground: str) -> str:
    """Why her record was kept back or a package was blocked, in a sentence for her."""
    return words.why(ground)


def _spanish() -> bool:
    return (get_language() or "").startswith("es")
