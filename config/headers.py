"""Headers that stand on every answer of every door."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class NothingKept:
    """No browser and no cache in between keeps a page. Together with a session ended on the server
    this is what makes Back show nothing after leaving; either alone was seen to fail.

    What a view calls everybody's (a tile of the log: `public`) may be kept, unless a cookie goes
    along with it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.cookies or not response.get("Cache-Control", "").startswith("public"):
            response["Cache-Control"] = "no-store"
        return response


class Compressed(GZipMiddleware):
    """Pages travel compressed, for old phones and slow lines, with Django's own random padding in
    them, by which no length tells what a page holds. Files travel as they are: their length counts.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.streaming or not response.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)
