"""What every page must say at once: that somebody may soon set new words for her sign-in."""

from django import template
from django.utils import timezone

from consent.models import EnrolmentCode
from consent.queries import enrolment
from governance.models import User
from governance.vocabulary import UserKind
from portal import second

register = template.Library()


@register.simple_tag(takes_context=True)
def coming_back(context: template.Context) -> list[EnrolmentCode]:
    """The codes with which that can happen; none for whoever is not signed in."""
    user = context.get("user")
    if not isinstance(user, User) or user.kind != UserKind.SURVIVOR:
        return []
    return enrolment.coming_back(user, timezone.now())


@register.simple_tag
def second_thing(user: User) -> bool:
    """Whether her sign-in asks for one: a new code takes it away."""
    return second.kinds(user).any
