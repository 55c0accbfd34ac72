"""What one session has proved about the person at the desk, and setting up what proves it."""

import time
from datetime import datetime
from textwrap import wrap

from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest

from audit.vocabulary import Via
from governance import permissions
from governance.actions import keyrings
from governance.models import User

FRESH = 10 * 60
"""Seconds for which a typed password is enough to set up a device."""

REPLACE, LINK = "desk.replace_until", "desk.link_until"
PROVIDER = "provider"
"""How a session calls the second factor that somebody's OpenID Connect provider has asked for."""
DRAFT = "desk.device"
SEALED_IN = {"secret", "seed"}
"""Where a device keeps its secret, and recovery codes keep theirs."""


def enrolled(request: HttpRequest) -> bool:
    """This person has a device that shows codes."""
    devices = Authenticator.objects.filter(user_id=request.user.pk, type=Authenticator.Type.TOTP)
    return bool(devices.exists())


def passed(request: HttpRequest) -> bool:
    """A second factor was shown in this very session, and the device still stands; or the provider
    that signed them in asked for one."""
    methods = {record.get("method") for record in get_authentication_records(request, request.user)}
    return "mfa" in methods and (enrolled(request) or by_provider(request, request.user))


def by_provider(request: HttpRequest, user: User | AnonymousUser) -> bool:
    return any(
        (record.get("method"), record.get("type")) == ("mfa", PROVIDER)
        for record in get_authentication_records(request, user)
    )


def may_enrol(request: HttpRequest) -> bool:
    """No device yet, and the password was typed in this session a short while ago."""
    typed = [
        record.get("at", 0)
        for record in get_authentication_records(request, request.user)
        if record.get("method") == "password"
    ]
    return bool(typed) and time.time() - max(typed) < FRESH and not enrolled(request)


def allow(request: HttpRequest, what: str) -> None:
    """Password and code were typed again: for a short while a new device may be set up (REPLACE), or
    the provider linked (LINK)."""
    request.session[what] = time.time() + FRESH


def may(request: HttpRequest, what: str) -> bool:
    return passed(request) and time.time() < request.session.get(what, 0)


def done(request: HttpRequest, what: str) -> None:
    request.session.pop(what, None)


def drafted(request: HttpRequest) -> str:
    """The secret of a device that is being set up; it waits sealed in the session until then."""
    if DRAFT not in request.session:
        request.session[DRAFT] = get_adapter().encrypt(generate_totp_secret())
    secret: str = get_adapter().decrypt(request.session[DRAFT])
    return secret


def drawn(name: str, secret: str) -> dict[str, str]:
    """For the page: the secret as a square to photograph, and in groups to type."""
    url = get_adapter().build_totp_url(User(username=name), secret)
    return {"drawn": get_adapter().build_totp_svg(url), "spaced": " ".join(wrap(secret, 4))}


def keep(user: User, secret: str, code: str) -> Authenticator:
    """In the caller's transaction: this device and new recovery codes, in place of all former."""
    Authenticator.objects.filter(user=user).delete()
    kept = TOTP.activate(user, secret)
    RecoveryCodes.activate(user)
    kept.validate_code(code)  # used up: nobody signs in with it again
    device: Authenticator = kept.instance
    return device


def seal_all_anew(*, by: User, at: datetime, via: Via) -> int:
    """Every device's secret hangs on the present secret of the service; gives how many.

    Broken off, it is done again. Raises NotPermitted unless `by` convenes; NotReady where neither
    the present secret nor a former one opens one of them.
    """
    permissions.check_can_keep_keys(by, None)
    done, adapter = 0, get_adapter()
    for pk in list(Authenticator.objects.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            kept = Authenticator.objects.select_for_update().filter(pk=pk).first()
            if kept is None:
                continue  # replaced a moment ago, under the present secret
            for name in SEALED_IN & kept.data.keys():
                kept.data[name] = adapter.encrypt(adapter.decrypt(kept.data[name]))
            kept.save(update_fields=["data"])
            done += 1
    keyrings.told_second_factors(by=by, at=at, via=via)
    return done
