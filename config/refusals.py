"""The web server does not start on keys that others can read or with a role that may do too much."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connection

from audit.queries import footing
from common.errors import NotReady

WATCHED = frozenset(["/healthz", "/readyz"])
log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Footing:
    """Stands around the application and looks once where the process begins. Where the database
    does not answer then, nothing is served until it has been looked at; that the process lives is
    told meanwhile.
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        self.sure = self._look()
        if not connection.in_atomic_block:
            connection.close()  # threads to come have connections of their own

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.sure = self.sure or self._look()
        if self.sure or environ.get("PATH_INFO") in WATCHED:
            return self.application(environ, start_response)
        start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"Not at present.\n"]

    def _look(self) -> bool:
        try:
            footing.check()
        except NotReady as refusal:
            raise ImproperlyConfigured(f"Sayso does not start. {refusal.message}") from refusal
        except (DatabaseError, InterfaceError):
            log.warning("the database does not answer; nothing is served before it does")
            return False
        return True
