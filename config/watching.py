"""What a machine that watches over this one may ask: is it alive, is it ready, how much is there."""

import secrets
import threading
import time

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from config import metrics
from release.queries import readiness
from release.queries.readiness import Reading

FRESH = 2.0  # seconds in which many askings cost one look


class Look:
    """The last readings, looked at anew when they are no longer fresh."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self.readings: list[Reading] = []
        self.taken = -FRESH

    def now(self) -> list[Reading]:
        with self.lock:
            if time.monotonic() - self.taken >= FRESH:
                self.readings = readiness.readings()
                self.taken = time.monotonic()
            return self.readings


look = Look()


@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return HttpResponse("alive\n", content_type="text/plain")


@require_safe
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """Each check with a code and a sentence; 503 where one of them is not good."""
    readings = look.now()
    ready = all(reading.good for reading in readings)
    body = {
        "ready": ready,
        "checks": [{"check": one.check, "code": one.code, "says": one.says} for one in readings],
    }
    return JsonResponse(body, status=200 if ready else 503)


@login_not_required
def figures(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus; there is nothing here for whoever does not show the token."""
    wanted = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").encode()
    if not wanted or not secrets.compare_digest(given, f"Bearer {wanted}".encode()):
        raise Http404
    return _page(request)


@require_safe
def _page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(metrics.page(), content_type=CONTENT_TYPE_LATEST)
