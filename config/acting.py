"""Whoever makes a request is who acts in it, for the change journal."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from common.acting import acting
from governance.actions import trail
from governance.models import User


class Acting:
    """Says at the outermost border of every door who acts: the one place for all three.

    It is asked when a row is written, so that whoever signs in within the request counts, and at
    the machines' door the owner of the token: REST framework gives the request its user.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting(lambda: who(request)):
            return self.get_response(request)


def who(request: HttpRequest) -> str:
    """The opaque word for whoever makes this request; empty for a stranger."""
    user = request.user
    return trail.actor(user) if isinstance(user, User) else ""
