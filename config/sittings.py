"""Every session that somebody is signed in with has a sitting behind it, at every door.

Its page shows where somebody is signed in; its row gone, or its longest time over, the session ends
at the next request.
"""

import re
from collections.abc import Callable

from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from governance.actions import sittings
from governance.models import User
from governance.queries import sittings as queries
from governance.queries.sittings import KEY
from governance.vocabulary import Device

SEEMS: tuple[tuple[Device, re.Pattern[str]], ...] = (
    (Device.TABLET, re.compile(r"iPad|Tablet|Android(?!.*Mobile)", re.IGNORECASE)),
    (Device.PHONE, re.compile(r"Mobi|iPhone|Android", re.IGNORECASE)),
    (Device.COMPUTER, re.compile(r"Windows|Macintosh|X11|CrOS", re.IGNORECASE)),
)


class Sittings:
    """Begins one where somebody has signed in, and forgets it where they have signed out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        before = kept(request)
        if before:
            self._look(request, before)
        response = self.get_response(request)
        after = kept(request)
        if before and after != before:
            sittings.leave(ref=before, at=timezone.now())
        if request.session.session_key and not after and isinstance(request.user, User):
            sitting = sittings.begin(user=request.user, device=device(request), at=timezone.now())
            request.session[KEY] = sitting.ref
        return response

    def _look(self, request: HttpRequest, ref: str) -> None:
        """Ends the session where its sitting is gone; otherwise the person is still there."""
        if not isinstance(request.user, User):
            return  # signed out everywhere, which ends the session by itself
        at = timezone.now()
        sitting = queries.sitting(ref, request.user, at)
        if sitting is None:
            auth.logout(request)
        else:
            sittings.see(sitting=sitting, at=at)


def kept(request: HttpRequest) -> str:
    """The reference in this session; where there is no session it is not touched, so that what
    everybody may read stays everybody's."""
    return str(request.session.get(KEY, "")) if request.session.session_key else ""


def device(request: HttpRequest) -> Device:
    """What the browser says it runs on, in a word too coarse to know anybody by."""
    said = request.headers.get("User-Agent", "")
    return next((each for each, seems in SEEMS if seems.search(said)), Device.OTHER)
