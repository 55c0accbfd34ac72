"""Talking to the service: a token for each quarter of an hour, patience where it says wait."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from sayso_client.trouble import Code, Trouble

EARLY_SECONDS = 30.0
LONGEST_WAIT = 60.0
PATIENCE_SECONDS = 120.0
TRIES = 5  # so often a broken download is taken up again without a byte between
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
Json = dict[str, Any]
Pieces = Iterator[tuple[int, bytes]]  # where each begins in the file, and it


@dataclass(frozen=True)
class Way:
    """How to come in: a token, or an application's id and its secret."""

    url: str
    token: str = ""
    client_id: str = ""
    client_secret: str = ""

    def __repr__(self) -> str:
        return f"Way({self.url})"  # secrets are printed nowhere


class Door:
    """One service. Everything it answers is JSON, text or bytes; every refusal is a Trouble."""

    def __init__(
        self,
        way: Way,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._way = way
        self._sleep = sleep
        self._token, self._until = way.token, float("inf") if way.token else 0.0
        self._http = httpx.Client(
            base_url=way.url.rstrip("/"), timeout=TIMEOUT, transport=transport
        )

    def __enter__(self) -> "Door":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def read(self, path: str) -> Json:
        """What stands at this address."""
        found: Json = self._asked("GET", path).json()
        return found

    def text(self, path: str) -> str:
        return self._asked("GET", path).text

    def bytes(self, path: str) -> bytes:
        return self._asked("GET", path).content

    def post(self, path: str, **body: Any) -> Json:
        """Do it once, even if the answer is lost and it is sent again.

        Files among `body` are sent again from their first byte, where the service says wait.
        """
        key = {"Idempotency-Key": uuid.uuid4().hex}
        found: Json = self._asked("POST", path, headers=key, **body).json()
        return found

    def post_anew(self, path: str, asked: Json) -> Json:
        """Do it; where the answer is lost and it is sent again, it is done anew: so never a file."""
        found: Json = self._asked("POST", path, json=asked).json()
        return found

    def wait(
        self, path: str, tell: Callable[[str], None] = lambda _state: None, *, most: float = 3600
    ) -> Json:
        """Ask again whenever the service says to, until it waits no more."""
        ends = time.monotonic() + most
        while True:
            response = self._asked("GET", path)
            found: Json = response.json()
            tell(str(found.get("state", "")))
            if response.status_code != httpx.codes.ACCEPTED:
                return found
            if time.monotonic() >= ends:
                raise Trouble(Code.NOT_NOW, "It is still being prepared. Try again later.")
            self._sleep(_pause(response))

    def pieces(self, path: str, *, etag: str, came: int = 0) -> Pieces:
        """The bytes of the file at this address from byte `came` on: where each piece begins, and it.

        A connection that breaks is opened again for what is missing. The service sends from the first
        byte where the file is no longer the one of this `etag`: then a piece begins at 0 again.
        Raises Trouble where it is refused, or breaks too often without a byte between.
        """
        begun, tries = False, 0
        while True:
            try:
                for begins, piece in self._attempt(path, etag, came):
                    yield begins, piece
                    begun, tries, came = True, 0, begins + len(piece)
                break
            except httpx.TransportError as error:
                if tries == TRIES:
                    raise stopped() from error
            except Trouble as trouble:
                if trouble.code != Code.OFFLINE or not begun or tries == TRIES:
                    raise
            tries += 1
            self._sleep(min(0.5 * 2**tries, LONGEST_WAIT))

    def _attempt(self, path: str, etag: str, came: int) -> Pieces:
        own = {"Range": f"bytes={came}-", "If-Range": f'"{etag}"'} if came else {}
        with closing(self._patiently(partial(self._opened, path, own))) as response:
            begins = came if response.status_code == httpx.codes.PARTIAL_CONTENT else 0
            for piece in response.iter_bytes():
                yield begins, piece
                begins += len(piece)

    def _opened(self, path: str, own: Mapping[str, str], way: Mapping[str, str]) -> httpx.Response:
        request = self._http.build_request("GET", path, headers={**way, **own})
        return self._http.send(request, stream=True)

    def _asked(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **body: Any
    ) -> httpx.Response:
        def send(way: Mapping[str, str]) -> httpx.Response:
            return self._http.request(method, path, headers={**way, **(headers or {})}, **body)

        return self._patiently(send)  # httpx reads a file from its first byte each time

    def _patiently(self, send: Callable[[Mapping[str, str]], httpx.Response]) -> httpx.Response:
        """The answer, once it is no longer "later"; with a new token where the old one ran out early.
        Its body may still be to come. Raises Trouble where it is a refusal. Only waiting tries
        patience, not the minutes that it takes to send a large file."""
        waited = 0.0
        renewed = False
        while True:
            way = self._bearer()
            try:
                response = send(way)
                if response.status_code < httpx.codes.BAD_REQUEST:
                    return response
                with closing(response):
                    response.read()
            except httpx.TransportError as error:
                raise offline(self._way.url) from error
            if response.status_code == httpx.codes.UNAUTHORIZED and self._renewable(renewed):
                renewed = True
                continue
            busy = response.status_code in (
                httpx.codes.TOO_MANY_REQUESTS,
                httpx.codes.SERVICE_UNAVAILABLE,
            )
            if not busy or waited >= PATIENCE_SECONDS:
                raise told(response)
            pause = _pause(response)
            waited += pause
            self._sleep(pause)

    def _renewable(self, renewed: bool) -> bool:
        """A token that ran out early is asked for anew, once."""
        if renewed or not self._way.client_id:
            return False
        self._until = 0.0
        return True

    def _bearer(self) -> dict[str, str]:
        if time.monotonic() >= self._until:
            self._come_in()
        return {"Authorization": f"Bearer {self._token}"}

    def _come_in(self) -> None:
        if not self._way.client_id:
            raise Trouble(
                Code.TOKEN,
                "No way in: set SAYSO_CLIENT_ID and SAYSO_CLIENT_SECRET, or SAYSO_TOKEN.",
            )
        # A colon would end the id, so both are spelled as RFC 6749 says.
        pair = (quote(self._way.client_id, safe=""), quote(self._way.client_secret, safe=""))
        try:
            response = self._http.post(
                "/api/oauth/token/", data={"grant_type": "client_credentials"}, auth=pair
            )
        except httpx.TransportError as error:
            raise offline(self._way.url) from error
        if response.status_code != httpx.codes.OK:
            raise Trouble(
                Code.TOKEN,
                "The service does not know this client id and secret, or they have ended. "
                "Ask your administrator for a new secret.",
            )
        given = response.json()
        self._token = str(given["access_token"])
        self._until = time.monotonic() + float(given["expires_in"]) - EARLY_SECONDS


def offline(url: str) -> Trouble:
    return Trouble(
        Code.OFFLINE, f"Cannot reach {url}. Check the address and your connection, then try again."
    )


def stopped() -> Trouble:
    return Trouble(
        Code.VOID,
        "The service stopped sending: what was shared changed, or the connection broke. "
        "Fetch again: what came is kept and goes on from there.",
    )


def told(response: httpx.Response) -> Trouble:
    """What the service's refusal means, in one sentence."""
    problem = _problem(response)
    code, detail = str(problem.get("code", "")), str(problem.get("detail", ""))
    match response.status_code:
        case 401:
            return Trouble(
                Code.TOKEN,
                "The token has expired, was revoked or is not known. "
                "Ask your administrator for a new one.",
            )
        case 403:
            return Trouble(Code.NOT_ALLOWED, f"You may not do this: {detail} ({code})")
        case 404:
            return Trouble(Code.NOT_THERE, "There is no such thing for your organisation.")
        case 410:
            return Trouble(Code.VOID, f"This package is void: {detail} ({code})")
        case 429 | 503:
            return Trouble(Code.NOT_NOW, f"Not now: {detail} ({code})")
        case _:
            wrong = "; ".join(
                f"{one['where']}: {one['detail']}" for one in problem.get("errors", [])
            )
            return Trouble(Code.REFUSED, f"Refused: {wrong or detail} ({code})")


def _problem(response: httpx.Response) -> Json:
    try:
        found = json.loads(response.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _pause(response: httpx.Response) -> float:
    try:
        return min(max(float(response.headers.get("Retry-After", "2")), 0.1), LONGEST_WAIT)
    except ValueError:
        return 2.0
