"""Who does a deed at the desk, when, and through which door: what every action asks for."""

from datetime import datetime
from typing import TypedDict

from django.http import HttpRequest
from django.utils import timezone

from audit.vocabulary import Via
from governance.models import User


class Hand(TypedDict):
    by: User
    at: datetime
    via: Via


def staff(request: HttpRequest) -> User:
    """The person at the desk; the middleware let nobody else in."""
    assert isinstance(request.user, User)
    return request.user


def hand(request: HttpRequest) -> Hand:
    return Hand(by=staff(request), at=timezone.now(), via=Via.DESK)
