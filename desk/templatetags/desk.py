"""How the desk words what it shows."""

from datetime import date, datetime, timedelta
from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils.formats import date_format, number_format, time_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from common.days import here
from desk import standing
from release.rules import bands

register = template.Library()


@register.filter
def label(named: Any) -> str:
    """A purpose or category in the reader's language."""
    language = (get_language() or "en").split("-")[0]
    return str(getattr(named, f"label_{language}", named.label_en))


@register.filter
def band(count: int) -> str:
    """How many, in a band; the exact number is nobody's business at the desk."""
    lowest, highest = bands.edges(count)
    if not lowest:
        return _("fewer than %(number)s") % {"number": bands.SMALLEST}
    if not highest:
        return _("more than %(number)s") % {
            "number": number_format(lowest - 1, force_grouping=True)
        }
    return _("%(lowest)s to %(highest)s") % {
        "lowest": number_format(lowest, force_grouping=True),
        "highest": number_format(highest, force_grouping=True),
    }


@register.filter
def day(at: date | None) -> str:
    """A day as the reader's language writes it; of an instant, the day that it is here then."""
    if isinstance(at, datetime):
        at = here(at)
    return date_format(at, "DATE_FORMAT") if at else ""


@register.filter
def later(at: datetime, by: timedelta) -> datetime:
    """So much later."""
    return at + by


@register.filter
def moment(at: datetime | None) -> str:
    """A day and a time of day, with the clock it is told by."""
    return f"{day(at)}, {time_format(here(at), 'H:i e')}" if at else ""


@register.filter
def state_look(state: str) -> str:
    """Which of the three looks a state has: going, waiting, or over."""
    if state in {"in_force", "approved", "active", "prepared", "yes"}:
        return "on"
    if state in {"draft", "submitted", "suspended", "paused", "waiting", "more"}:
        return "paused"
    return "ended"


@register.inclusion_tag("desk/navigation.html", takes_context=True)
def navigation(context: Context) -> dict[str, Any]:
    request: HttpRequest | None = context.get("request")
    return {"links": standing.links(request) if request is not None else []}


@register.filter
def unlocalised(number: float) -> str:
    """A number as a drawing takes it, whatever the reader's language."""
    return str(number)
