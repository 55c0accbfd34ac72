"""Work done by a thread of its own, one step before it is asked for or one step after.

Arrow, the disk and the database leave Python's lock alone while they work, so one load has use of
a second core. Each thread is at most one step away: memory stays bounded.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import pyarrow as pa

T = TypeVar("T")
FRUGAL = "jemalloc"


@contextmanager
def frugal() -> Iterator[None]:
    """Arrow takes its memory where threads share one reserve, if it was built with that.

    Its usual one keeps a reserve for each thread: 470 MB instead of 340 for the same load.
    """
    if FRUGAL not in pa.supported_memory_backends():
        yield
        return
    usual = pa.default_memory_pool()
    pa.set_memory_pool(pa.jemalloc_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(usual)


@contextmanager
def ahead(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """The same items in the same order, the next one made while the last one is worked on.

    What making one raises is raised where it is asked for. When the block ends, nothing is being made.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:

        def given() -> Iterator[T]:
            waiting = deque([pool.submit(next, items, None)])
            while (item := waiting.popleft().result()) is not None:
                waiting.append(pool.submit(next, items, None))
                yield item

        yield given()


class Behind:
    """Does one thing at a time, in the order they were given, while the caller goes on."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._last: Future[None] | None = None

    def do(self, deed: Callable[..., None], *given: Any) -> None:
        """Begin it once the one before has ended. Raises what that one raised."""
        self.settle()
        self._last = self._pool.submit(deed, *given)

    def settle(self) -> None:
        """Wait until all is done. Raises what the last one raised."""
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def end(self) -> None:
        """Wait, whatever came of it, and begin nothing more."""
        self._pool.shutdown(wait=True)
