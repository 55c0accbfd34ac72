"""How often one token may ask."""

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from governance.models import ApiToken


class TokenThrottle(SimpleRateThrottle):
    """A generous number of requests in a minute for each token, kept in the default cache."""

    scope = "token"

    def get_cache_key(self, request: Request, view: object) -> str | None:
        if not isinstance(request.auth, ApiToken):
            return None  # answered 401 before anything else is done
        return self.cache_format % {"scope": self.scope, "ident": request.auth.pk}
