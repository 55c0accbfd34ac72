"""Slows down guessing, counted by name and address together.

Never by name alone: somebody who knows a person's name must not be able to lock her out.
"""

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from audit.actions import bursts
from audit.vocabulary import Via
from governance.models import User

WINDOW = 15 * 60  # seconds
MOST_FOR_ONE_NAME = 5
MOST_COPIES = 10  # of one person's list
MOST_FOR_ONE_ADDRESS = 100  # a shelter's people may share one
# A code has 49 random bits. With a thousand of them open, whoever may try this often for three days
# finds one with a chance below one in a million, from however many addresses.
MOST_CODES_FOR_ONE_ADDRESS = 20
MOST_CODES = 1000
# Of an app, for whoever has her words already, from however many addresses: a code is right once in a
# million. Her paper and her passkey still let her in where somebody has used these up.
MOST_APP_CODES = 30
DAY = 24 * 60 * 60


def take(request: HttpRequest, name: str) -> bool:
    """Count one try before it is made, so that many at once count too. False: wait."""
    address = get_adapter().get_client_ip(request)
    by_name = _count(_key("name", f"{name.strip().casefold()}\n{address}"))
    by_address = _count(_key("address", address))
    return by_name <= MOST_FOR_ONE_NAME and by_address <= MOST_FOR_ONE_ADDRESS


def take_code(request: HttpRequest) -> bool:
    """Count one code before it is looked at, by address and over all of them. False: wait."""
    own = _count(_key("code", get_adapter().get_client_ip(request)))
    if own > MOST_CODES_FOR_ONE_ADDRESS:
        return False  # who tries too often does not use up everybody's
    return _count(_key("codes", "")) <= MOST_CODES


def take_app_code(user: User) -> bool:
    """Count one code of her app before it is looked at, over all addresses. False: another way."""
    return _count(_key("app", str(user.pk)), DAY) <= MOST_APP_CODES


def failed(request: HttpRequest, name: str) -> None:
    """The try was wrong, or one too many: the log hears of it where it makes a burst."""
    bursts.failed(
        door=Via.PORTAL,
        account=name,
        address=get_adapter().get_client_ip(request),
        at=timezone.now(),
    )


def forget(request: HttpRequest, name: str) -> None:
    """The try was right: what that name and address did before no longer counts."""
    address = get_adapter().get_client_ip(request)
    cache.delete(_key("name", f"{name.strip().casefold()}\n{address}"))


def copies_left(request: HttpRequest) -> bool:
    """Count one copy before it is made: each is work, and nobody needs many."""
    assert isinstance(request.user, User)
    return _count(_key("copies", str(request.user.pk))) <= MOST_COPIES


def _key(what: str, value: str) -> str:
    """A digest: the cache never holds a name or an address."""
    return f"attempts:{what}:{salted_hmac('portal.attempts', value).hexdigest()}"


def _count(key: str, window: int = WINDOW) -> int:
    cache.add(key, 0, window)
    try:
        return cache.incr(key)
    except ValueError:  # it ran out between the two lines
        cache.set(key, 1, window)
        return 1
