"""How every error page looks, in each frame: no accessibility fault, nothing sideways, both languages."""

from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from common.errors import BadInput, NotReady, RuleBroken, Void
from config import urls
from tests import staffroom, survivors
from tests.functional.conftest import Visit
from tests.functional.test_desk_look import ASKED, give, looked_at

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.urls("tests.functional.test_error_pages"),
]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
FAILING: dict[int, Exception] = {
    400: BadInput("bad_period", "The period ends before it starts. Write a later end."),
    403: PermissionDenied(),
    404: Http404(),
    409: RuleBroken("not_open", "The agreement is not in force."),
    410: Void("void", "This package may no longer be handed over."),
    500: RuntimeError(),
    503: NotReady("log_unavailable", "The log cannot be written now."),
    # What cannot be read at all, before anybody is recognised.
    4000: SuspiciousOperation(),
}


def fail(request: HttpRequest, kind: int) -> HttpResponse:
    raise FAILING[kind]


urlpatterns = [path("broken/<int:kind>/", fail), path("desk/broken/<int:kind>/", fail)]
urlpatterns += urls.urlpatterns


@pytest.mark.parametrize(("width", "language"), sorted(ASKED))
@pytest.mark.parametrize("door", ["desk", "portal", "nobody"])
def test_each_error_page_of_each_door(
    visit: Visit, live_server: Any, door: str, width: int, language: str
) -> None:
    cache.clear()
    page = visit(width=width, language=language, guarded=False)
    at = "/broken/"
    if door == "desk":
        give(page, staffroom.enter(Client(), staffroom.build().requester), live_server)
        at = "/desk/broken/"
    elif door == "portal":
        client = Client()
        client.force_login(survivors.build().her)
        give(page, client, live_server)
    faults = []
    for kind in FAILING:
        faults += looked_at(page, f"{at}{kind}/", f"error-{door}-{kind}", width, language)
        faults += [] if page.title() else [f"{door} {kind} has no title"]
    assert faults == []
