"""Witnesses to test with: true ones that listen on this machine, and others that say what a test
tells them to."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

from audit.tlog.notes import Verifier
from audit.tlog.policy import Policy, parse_policy
from audit.witness import keys, store
from audit.witness.judging import Witness
from audit.witness.keys import AnyKey
from audit.witness.server import Server
from audit.witness.store import Store


def key_of(number: int) -> AnyKey:
    return keys._key(f"witness.example/w{number}", b"\x04", bytes([number + 1]) * 32)


def vkey(number: int) -> str:
    return key_of(number).cosigner.render()


def policy(urls: dict[int, str], least: int = 1) -> Policy:
    """`least` of the witnesses with these numbers, each at its address."""
    lines = [f"witness w{number} {vkey(number)} {url}".rstrip() for number, url in urls.items()]
    names = " ".join(f"w{number}" for number in urls)
    return parse_policy(
        "\n".join([*lines, f"group all {least} {names}", "quorum all", ""]).encode()
    )


@contextmanager
def witness(folder: Path, number: int, *logs: Verifier) -> Iterator[str]:
    """A true witness that watches these logs; where it answers."""
    place = Store(folder / f"witness-{number}.sqlite3")
    place.create()
    with place.writing() as database:
        for log in logs:
            store.add_key(database, log)
    with _listening(Server("127.0.0.1", 0, Witness([key_of(number)], place))) as url:
        yield url


@contextmanager
def saying(
    *answers: bytes | tuple[int, str, bytes], port: int = 0
) -> Iterator[tuple[str, list[bytes]]]:
    """Somebody who gives these answers in turn, the last one for ever; and what was sent there.

    An answer is status, kind and body, or every byte of it as it goes over the wire.
    """
    asked: list[bytes] = []

    class Says(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])))
            answer = answers[min(len(asked), len(answers)) - 1]
            if isinstance(answer, bytes):
                self.wfile.write(answer)
                return
            status, kind, body = answer
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    with _listening(ThreadingHTTPServer(("127.0.0.1", port), Says)) as url:
        yield url, asked


@contextmanager
def silent(drip: bytes = b"") -> Iterator[str]:
    """Somebody who takes a request and never ends an answer, dripping these bytes for ever."""
    ended = Event()
    with ExitStack() as held, socket.create_server(("127.0.0.1", 0)) as server:

        def serve(line: socket.socket) -> None:
            with line:
                while not ended.wait(0.02):
                    try:
                        line.sendall(drip)
                    except OSError:
                        return

        def take() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                thread = Thread(target=serve, args=(line,))
                thread.start()
                held.callback(thread.join)

        taking = Thread(target=take)
        taking.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            server.shutdown(socket.SHUT_RDWR)
            taking.join()


@contextmanager
def _listening(server: Any) -> Iterator[str]:
    with server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
