"""Made-up names and secret words on offer, and what waits sealed in a session on the way in."""

import secrets

from allauth.mfa.adapter import get_adapter
from django.http import HttpRequest
from django.utils.translation import get_language

from governance.models import User
from portal import lists

NAMES = 4
WORDS = 5
"""Five words out of 400 and more: 43 random bits behind slow hashing and slowed tries."""


def language() -> str:
    """Whose words: the page's language, where we have any."""
    spoken = (get_language() or "en").partition("-")[0]
    return spoken if spoken in lists.OF else "en"


def names() -> list[str]:
    """Some that nobody has, such as `meadow-kettle-41`."""
    found: list[str] = []
    words = lists.OF[language()]
    while len(found) < NAMES:
        first, second = secrets.SystemRandom().sample(words, 2)
        name = f"{first}-{second}-{secrets.randbelow(90) + 10}"
        if name not in found and not User.objects.filter(username__iexact=name).exists():
            found.append(name)
    return found


def phrase() -> str:
    """Five words with single spaces between."""
    return " ".join(secrets.choice(lists.OF[language()]) for _each in range(WORDS))


def keep(request: HttpRequest, key: str, value: str) -> None:
    """It waits in the session, sealed: whoever reads the database there reads nothing."""
    request.session[key] = get_adapter().encrypt(value)


def kept(request: HttpRequest, key: str) -> str:
    """Empty where nothing waits."""
    found = request.session.get(key)
    return get_adapter().decrypt(found) if isinstance(found, str) else ""


def drop(request: HttpRequest, *keys: str) -> None:
    for key in keys:
        request.session.pop(key, None)
