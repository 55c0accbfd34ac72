"""Kinds of Redis that are of no help: nobody there, and one that never says a word."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from config import cache
from release import broker

NOBODY = "redis://127.0.0.1:9/0"


def forget() -> None:
    broker._connection.cache_clear()
    broker._reader.cache_clear()
    cache.Counting.away_until = 0.0


@contextmanager
def silent() -> Iterator[str]:
    """The address of something that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"
