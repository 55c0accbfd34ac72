"""HTTP for a witness, with nothing but the standard library.

One thread a connection and so many connections at most; a body has a length and a bound; who is
slow is left. Nothing is written about who came.
"""

import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from audit.tlog.asking import LARGEST_BODY
from audit.witness.judging import Answer, Witness
from audit.witness.keys import Unusable

PATIENCE = 10.0  # seconds for one line, one body, or the next request on a connection
MOST_AT_ONCE = 64


class Server(ThreadingHTTPServer):
    """Listens for as many as it can serve at once; the others wait in line."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self, host: str, port: int, witness: Witness, clock: Callable[[], float] = time.time
    ) -> None:
        self.witness = witness
        self.clock = clock
        self.free = threading.BoundedSemaphore(MOST_AT_ONCE)
        try:
            super().__init__((host, port), Handler)
        except (OSError, OverflowError) as error:
            raise Unusable(f"Nothing can listen at {host}:{port}: {error}.") from error

    def process_request(self, request: Any, client_address: Any) -> None:
        self.free.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        kind = sys.exc_info()[0]
        if kind is not None and not issubclass(kind, OSError):  # who left needs no line
            sys.stderr.write(f"a request broke: {kind.__name__}\n")


class Handler(BaseHTTPRequestHandler):
    """Two addresses: `POST …/add-checkpoint` and `GET …/<origin hash>/checkpoint`."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "witness"
    sys_version = ""
    timeout = PATIENCE

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path != "/add-checkpoint":
            self._answer(Answer(HTTPStatus.NOT_FOUND, "There is nothing here.\n"))
            return
        at = int(self.server.clock())
        self._answer(self._asked(lambda: self.server.witness.add_checkpoint(body, at=at)))

    def do_GET(self) -> None:
        parts = self.path.split("/")
        if len(parts) == 3 and parts[2] == "checkpoint":
            self._answer(self._asked(lambda: self.server.witness.checkpoint(parts[1])))
        else:
            self._answer(Answer(HTTPStatus.NOT_FOUND, "There is nothing here.\n"))

    def _asked(self, ask: Callable[[], Answer]) -> Answer:
        try:
            return ask()
        except sqlite3.Error as error:
            sys.stderr.write(f"the witness's file cannot be used: {error}\n")
            return Answer(HTTPStatus.SERVICE_UNAVAILABLE, "Nothing can be kept now; try again.\n")

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if (
            "Transfer-Encoding" in self.headers
            or not (length.isascii() and length.isdigit())
            or len(length) > 9
        ):
            self._gone(HTTPStatus.LENGTH_REQUIRED, "Say how long the body is.\n")
            return None
        if int(length) > LARGEST_BODY:
            self._gone(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{LARGEST_BODY} bytes are the most.\n")
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return None
        return body

    def _gone(self, status: HTTPStatus, says: str) -> None:
        self.close_connection = True  # what follows is no request
        self._answer(Answer(status, says))

    def _answer(self, answer: Answer) -> None:
        data = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: an address, and when it came, would be somebody's."""
