"""What no page of ours can have sent is refused, or left unread, before anybody looks at it."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

NUL = "\0"


class Readable:
    """UTF-8 only, and no NUL in a question or a cookie: no database can look for one.

    It stands before the session, which looks its cookie up. No path of ours matches a NUL.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        charset = request.content_params.get("charset", "utf-8") if request.content_params else ""
        if charset.lower() not in {"", "utf-8", "utf8"}:
            request.encoding = "utf-8"  # the page that says so reads the address
            raise BadRequest("Another code than UTF-8.")
        if "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("NUL in a question.")
        request.COOKIES = {
            name: value for name, value in request.COOKIES.items() if NUL not in name + value
        }
        return self.get_response(request)
