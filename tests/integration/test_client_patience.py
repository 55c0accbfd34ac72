"""A download through a bad connection and a busy service: it waits, comes in anew, and goes on from
where it was; against a server of this machine's own that does what a test tells it to."""

import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import httpx
import pytest
from sayso_client import packages
from sayso_client.door import PATIENCE_SECONDS, TRIES, Door, Way
from sayso_client.trouble import Code, Trouble

FILE = bytes(range(256)) * 4000  # 1,024,000 bytes
ETAG = sha256(FILE).hexdigest()
PART = {"number": 1, "size": len(FILE), "sha256": ETAG}
Step = Callable[["Scripted"], None]


class Scripted(BaseHTTPRequestHandler):
    """Answers each request for the file by the next step; the last one stands for all that follow."""

    steps: list[Step]
    ranges: list[str]
    tokens: list[str]
    sent: list[tuple[str, bytes]]
    given: int

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if "/oauth/" not in self.path:
            boundary = self.headers["Content-Type"].partition("boundary=")[2].encode()
            self.sent.append((self.headers["Idempotency-Key"], body.replace(boundary, b"-")))
            self.do_GET()
            return
        type(self).given += 1
        answer = f'{{"access_token": "token-{self.given}", "expires_in": 900}}'.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self) -> None:
        self.ranges.append(self.headers.get("Range", ""))
        self.tokens.append(self.headers["Authorization"])
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        step(self)

    def log_message(self, *_words: Any) -> None:
        """Says nothing."""


def sends(most: int | None = None, file: bytes = FILE) -> Step:
    """The file from where it was asked for; the connection breaks after `most` bytes of it."""

    def step(self: Scripted) -> None:
        asked = self.headers.get("Range", "bytes=0-")
        same = self.headers.get("If-Range", f'"{ETAG}"') == f'"{sha256(file).hexdigest()}"'
        first = int(asked.removeprefix("bytes=").removesuffix("-")) if same else 0
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(file) - first))
        self.end_headers()
        self.wfile.write(file[first:] if most is None else file[first : first + most])
        self.close_connection = True

    return step


def refuses(status: int, retry_after: str = "") -> Step:
    def step(self: Scripted) -> None:
        self.send_response(status)
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    return step


def takes(self: Scripted) -> None:
    """What was sent is taken."""
    self.send_response(202)
    self.send_header("Content-Length", "16")
    self.end_headers()
    self.wfile.write(b'{"ref": "upl-1"}')


class Server:
    """The address, and what was seen there."""

    def __init__(self, *steps: Step) -> None:
        self.seen = type("Seen", (Scripted,), {"steps": [*steps], "ranges": [], "tokens": [], "sent": [], "given": 0})  # fmt: skip
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self.seen)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(*steps: Step) -> Server:
        started.append(Server(*steps))
        return started[-1]

    yield start
    for each in started:
        each.stop()


class Cut(httpx.SyncByteStream):
    """The first half of what the service sends; then the connection is gone."""

    def __init__(self, whole: Any) -> None:
        self.whole = whole

    def __iter__(self) -> Iterator[bytes]:
        data = b"".join(self.whole)
        yield data[: len(data) // 2]
        raise httpx.ReadError("gone")

    def close(self) -> None:
        self.whole.close()


class Cutting(httpx.HTTPTransport):
    """Cuts the first answer with a part in it."""

    cut = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if "/parts/" in request.url.path and not self.cut:
            self.cut = True
            response.stream = Cut(response.stream)
        return response


def pushed(server: Server, file: IO[bytes], slept: list[float]) -> Any:
    """What the service answers to a mapping and this file."""
    parts = {"mapping": ("mapping.toml", BytesIO(b"[file]")), "file": ("file", file)}
    way = Way(server.url, client_id="one", client_secret="two")
    with Door(way, sleep=slept.append) as door:
        return door.post("/api/datasets/dst-1/uploads/", files=parts)


def fetched(server: Server, folder: Path, slept: list[float] | None = None) -> bytes:
    """The part as it lies in the folder at the end."""
    way = Way(server.url, client_id="one", client_secret="two")
    waited: list[float] = [] if slept is None else slept
    with Door(way, sleep=waited.append) as door:
        packages._part(door, "rel-2", PART, folder, lambda _came: None)
    return (folder / "part-00001.age").read_bytes()


def test_a_broken_download_goes_on_from_where_it_was(server: Any, tmp_path: Path) -> None:
    found = server(sends(300_000), sends(0), sends(500_000), sends())
    assert fetched(found, tmp_path) == FILE
    assert found.seen.ranges == ["", "bytes=300000-", "bytes=300000-", "bytes=800000-"]


def test_what_breaks_without_a_byte_between_is_given_up_and_kept(
    server: Any, tmp_path: Path
) -> None:
    slept: list[float] = []
    found = server(sends(1_000), sends(0))
    with pytest.raises(Trouble, match="stopped sending") as told:
        fetched(found, tmp_path, slept)
    assert told.value.code == Code.VOID
    assert (tmp_path / "part-00001.partial").read_bytes() == FILE[:1_000]
    assert len(found.seen.ranges) == 1 + TRIES
    assert slept == sorted(slept)


def test_a_service_that_goes_away_is_waited_for_only_once_something_came(
    server: Any, tmp_path: Path
) -> None:
    found = server(sends(1_000))
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            found._server.server_close()

    way = Way(found.url, token="held")
    with Door(way, sleep=sleep) as door:
        with pytest.raises(Trouble, match="Cannot reach"):
            packages._part(door, "rel-2", PART, tmp_path, lambda _came: None)
        assert len(slept) == TRIES
        slept.clear()
        with pytest.raises(Trouble, match="Cannot reach"):
            packages._part(door, "rel-2", PART, tmp_path, lambda _came: None)
    assert slept == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_says_how_long_to_wait_also_in_the_middle(
    server: Any, tmp_path: Path, status: int
) -> None:
    busy = refuses(status, "7")
    slept: list[float] = []
    found = server(busy, busy, sends(400_000), busy, sends())
    assert fetched(found, tmp_path, slept) == FILE
    assert slept == [7.0, 7.0, 1.0, 7.0]
    assert found.seen.ranges == ["", "", "", "bytes=400000-", "bytes=400000-"]


def test_a_token_that_runs_out_in_the_middle_is_asked_for_anew(server: Any, tmp_path: Path) -> None:
    found = server(sends(400_000), refuses(401), sends())
    assert fetched(found, tmp_path) == FILE
    assert found.seen.tokens == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_a_token_that_is_refused_twice_is_a_refusal(server: Any, tmp_path: Path) -> None:
    found = server(refuses(401))
    with pytest.raises(Trouble) as told:
        fetched(found, tmp_path)
    assert told.value.code == Code.TOKEN
    assert len(found.seen.tokens) == 2


def test_a_package_that_is_void_by_now_is_not_asked_for_again(server: Any, tmp_path: Path) -> None:
    found = server(sends(400_000), refuses(410))
    with pytest.raises(Trouble) as told:
        fetched(found, tmp_path)
    assert told.value.code == Code.VOID
    assert len(found.seen.ranges) == 2


def test_a_file_that_is_another_one_by_now_begins_anew_and_is_not_taken(
    server: Any, tmp_path: Path
) -> None:
    found = server(sends(400_000), sends(file=b"another" * 1000))
    with pytest.raises(Trouble) as told:
        fetched(found, tmp_path)
    assert told.value.code == Code.TAMPERED
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("status", [429, 503])
def test_a_file_is_sent_again_whole_and_under_the_same_key_where_the_service_says_wait(
    server: Any, tmp_path: Path, status: int
) -> None:
    (tmp_path / "rows.csv").write_bytes(FILE)
    slept: list[float] = []
    found = server(refuses(status, "7"), refuses(401), refuses(status), takes)
    with (tmp_path / "rows.csv").open("rb") as file:
        assert pushed(found, file, slept) == {"ref": "upl-1"}
    assert slept == [7.0, 2.0]
    assert found.seen.tokens[-1] == "Bearer token-2"
    keys, bodies = ({*each} for each in zip(*found.seen.sent, strict=True))
    assert len(found.seen.sent) == 4
    assert len(keys) == len(bodies) == 1
    assert FILE in bodies.pop()


def test_a_service_that_never_has_time_for_a_file_is_told_so_after_two_minutes_of_waiting(
    server: Any,
) -> None:
    slept: list[float] = []
    with pytest.raises(Trouble, match="Not now") as told:
        pushed(server(refuses(503, "50")), BytesIO(FILE), slept)
    assert told.value.code == Code.NOT_NOW
    assert sum(slept[:-1]) < PATIENCE_SECONDS <= sum(slept)
