"""Headers that stand on every answer of every door."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class NothingKept:
    """No browser and no cache in between keeps a page. Together with a session ended on the server
    this is what makes Back show nothing after leaving; either alone was seen to fail.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Cache-Control"] = "no-store"
        return response
