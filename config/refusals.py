"""The web server does not start on keys that others can read or with a role that may do too much."""

import logging
from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse

from audit.queries import footing
from common.errors import NotReady

WATCHED = frozenset(["/healthz", "/readyz"])
log = logging.getLogger(__name__)


class Footing:
    """Looks once where the process begins. Where the database does not answer then, nothing is
    served until it has been looked at; that the process lives is told meanwhile.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.sure = self._look()
        if not connection.in_atomic_block:
            connection.close()  # threads to come have connections of their own

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.sure = self.sure or self._look()
        if self.sure or request.path_info in WATCHED:
            return self.get_response(request)
        return HttpResponse("Not at present.\n", status=503, content_type="text/plain")

    def _look(self) -> bool:
        try:
            footing.check()
        except NotReady as refusal:
            raise ImproperlyConfigured(f"Sayso does not start. {refusal.message}") from refusal
        except (DatabaseError, InterfaceError):
            log.warning("the database does not answer; nothing is served before it does")
            return False
        return True
