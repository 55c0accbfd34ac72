"""What one session has proved about the person at the desk."""

import time

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.http import HttpRequest

FRESH = 10 * 60
"""Seconds for which a typed password is enough to set up a device."""

REPLACE = "desk.replace_until"


def enrolled(request: HttpRequest) -> bool:
    """This person has a device that shows codes."""
    devices = Authenticator.objects.filter(user_id=request.user.pk, type=Authenticator.Type.TOTP)
    return bool(devices.exists())


def passed(request: HttpRequest) -> bool:
    """A second factor was shown in this very session, and the device still stands."""
    methods = {record.get("method") for record in get_authentication_records(request, request.user)}
    return "mfa" in methods and enrolled(request)


def may_enrol(request: HttpRequest) -> bool:
    """No device yet, and the password was typed in this session a short while ago."""
    typed = [
        record.get("at", 0)
        for record in get_authentication_records(request, request.user)
        if record.get("method") == "password"
    ]
    return bool(typed) and time.time() - max(typed) < FRESH and not enrolled(request)


def allow_replacing(request: HttpRequest) -> None:
    """Password and code were typed again: for a short while a new device may be set up."""
    request.session[REPLACE] = time.time() + FRESH


def may_replace(request: HttpRequest) -> bool:
    return passed(request) and time.time() < request.session.get(REPLACE, 0)


def replaced(request: HttpRequest) -> None:
    request.session.pop(REPLACE, None)
