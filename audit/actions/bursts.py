"""Failed sign-ins: the log hears of a burst, never of a try, a name or an address."""

from datetime import datetime

from django.core.cache import cache
from django.db import transaction
from django.utils.crypto import salted_hmac

from audit.actions.entries import record
from audit.queries.log import bursts_since
from audit.rules import BURST, WINDOW, network
from audit.vocabulary import SYSTEM, Burst, Decision, EntryType, Via


def failed(*, door: Via, account: str, address: str, at: datetime) -> None:
    """Note one failed sign-in; the one that makes a burst leaves an entry, no other does.

    `account`: what was claimed, a name or a token, empty where nothing was; `address`: the
    caller's. Both are counted by keyed digest, for one window, and kept nowhere else. One entry for
    one account or address a window, and a bounded number for one door: the last says "many", so
    that whoever invents names and addresses cannot fill the log.
    """
    claimed = account.strip().casefold()
    for what, value in ((Burst.ONE_ACCOUNT, claimed), (Burst.ONE_ADDRESS, network(address))):
        if what == Burst.ONE_ACCOUNT and not value:
            continue
        if _count(f"{door}\n{what}\n{value}") == BURST[what]:
            _write(door, what, at)


def _write(door: Via, what: Burst, at: datetime) -> None:
    with transaction.atomic():
        before = bursts_since(at - WINDOW, via=door)
        if before >= BURST[Burst.MANY]:
            return
        record(
            type=EntryType.SIGNIN_FAILED,
            at=at,
            actor=SYSTEM,
            via=door,
            decision=Decision.REFUSED,
            reason=Burst.MANY if before == BURST[Burst.MANY] - 1 else what,
        )


def _count(value: str) -> int:
    """How many in this window, this one included; exactly one caller is told each number."""
    key = f"bursts:{salted_hmac('audit.actions.bursts', value).hexdigest()}"
    seconds = int(WINDOW.total_seconds())
    cache.add(key, 0, seconds)
    try:
        return cache.incr(key)
    except ValueError:  # it ran out between the two lines
        cache.set(key, 1, seconds)
        return 1
