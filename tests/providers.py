"""A provider of OpenID Connect that really runs, in a process of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx


@contextmanager
def running(people: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    """Its address, while it runs; `people`: what it says of each, by what it calls them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://localhost:{port}"
    try:
        _wait_for(address)
        for sub, claims in people.items():
            httpx.put(f"{address}/users/{sub}", json=claims).raise_for_status()
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(address: str) -> None:
    late = time.monotonic() + 30
    while True:
        try:
            httpx.get(f"{address}/.well-known/openid-configuration").raise_for_status()
        except httpx.HTTPError:
            assert time.monotonic() < late, "the provider did not start"
            time.sleep(0.1)
        else:
            return
