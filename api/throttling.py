"""How often one machine may ask, and how often one address may ask for a token."""

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from governance.queries.machines import Access


class MachineThrottle(SimpleRateThrottle):
    """A generous number of requests in a minute for each machine, kept in the default cache.

    A second token of the same machine gives it no second allowance.
    """

    scope = "machine"

    def get_cache_key(self, request: Request, view: object) -> str | None:
        if not isinstance(request.auth, Access):
            return None  # answered 401 before anything else is done
        return self.cache_format % {"scope": self.scope, "ident": request.auth.key}


class DoorThrottle(SimpleRateThrottle):
    """Before anybody is known only the address can be counted."""

    scope = "door"

    def get_cache_key(self, request: Request, view: object) -> str | None:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}
