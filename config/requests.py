"""Each request gets a number, one line in the journal of the process and one count.

Never its path, its query, its caller or its caller's address: the name of the route is enough.
"""

import logging
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from common import logs
from config import metrics

HEADER = "X-Request-ID"
NO_ROUTE = "none"
WATCH = frozenset(["healthz", "readyz", "metrics"])
log = logging.getLogger(__name__)


class Noted:
    """Stands outermost, so that every answer is counted, also those given before any door."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        with logs.numbered(request.headers.get(HEADER, "")) as number:
            response = self.get_response(request)
            seconds = time.perf_counter() - began
            route = route_of(request)
            door = door_of(request, route)
            method = request.method if request.method in metrics.METHODS else "other"
            status = response.status_code
            metrics.count(door=door, route=route, method=method, status=status, seconds=seconds)
            log.log(
                logging.DEBUG if route in WATCH and status < 400 else logging.INFO,
                "answered",
                extra={
                    "door": door,
                    "route": route,
                    "method": method,
                    "status": status,
                    "ms": round(seconds * 1000, 1),
                },
            )
        response[HEADER] = number
        return response


def route_of(request: HttpRequest) -> str:
    """The route's own name, or `none` where the address led nowhere."""
    return request.resolver_match.view_name if request.resolver_match else NO_ROUTE


def door_of(request: HttpRequest, route: str) -> str:
    """Which of the doors, in a word of our own."""
    if route in WATCH:
        return "watch"
    for door in ("desk", "api", "static"):
        if request.path_info.startswith(f"/{door}/"):
            return door
    return "portal"
