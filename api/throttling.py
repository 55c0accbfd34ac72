"""How often one machine may ask, and how often one address may ask for a token or read the log."""

from typing import Any

from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from governance.queries.machines import Access

LONGER = 60  # a counter outlives its period by so many seconds, whichever process's clock is ahead


class Counted(SimpleRateThrottle):
    """One count for each period: nothing grows with how often somebody asks."""

    num_requests: int
    duration: int
    rest = 0.0  # seconds until the next period

    def allow_request(self, request: Request, view: Any) -> bool:
        key = self.get_cache_key(request, view)
        if key is None:
            return True
        now = self.timer()
        period = int(now // self.duration)
        self.rest = (period + 1) * self.duration - now
        return self._count(f"{key}.{period}") <= self.num_requests

    def wait(self) -> float:
        return self.rest

    def _count(self, name: str) -> int:
        try:
            return int(cache.incr(name))
        except ValueError:  # the first of this period
            cache.add(name, 0, self.duration + LONGER)
            return int(cache.incr(name))


class MachineThrottle(Counted):
    """A generous number of requests in a minute for each machine, kept in the default cache.

    A second token of the same machine gives it no second allowance.
    """

    scope = "machine"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if not isinstance(request.auth, Access):
            return None  # answered 401 before anything else is done
        return self.cache_format % {"scope": self.scope, "ident": request.auth.key}


class DecisionThrottle(MachineThrottle):
    """A system that shares many records asks about each: 300 a second, and a count of its own."""

    scope = "decision"


class DoorThrottle(Counted):
    """Before anybody is known only the address can be counted."""

    scope = "door"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class LogThrottle(DoorThrottle):
    """Whoever checks the log reads many tiles, and nobody is known; still only so many a minute."""

    scope = "log"
