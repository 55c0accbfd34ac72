"""The project's addresses and two more that no project may have: for the test that must see them."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from config import urls
from tests.sheets import canary

handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500


def leak(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"what she said: {canary('c-1')}")


def leak_in_a_header(request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers={"X-Row": canary("c-1")})


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(canary("c-1"))


urlpatterns = [
    path("portal-leak/", leak, name="planted"),
    path("header-leak/", leak_in_a_header, name="planted-header"),
    path("broken/", broken, name="broken"),
    *urls.urlpatterns,
]
