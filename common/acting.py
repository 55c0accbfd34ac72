"""Who acts at present, as the change journal names them.

Deeds are told who does them; the journal's rows come from beneath the deeds, where nobody can tell
them. So each way in says it once, at its outermost border.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Who = Callable[[], str]

COMMAND = "command"
"""The actor where an operator's command acts."""

CLOCK = "clock"
"""The actor where the clock acts."""

_who: ContextVar[Who] = ContextVar("who")


@contextmanager
def acting(who: Who) -> Iterator[None]:
    """Inside, `who()` says in one opaque word who acts; empty where nobody is known.

    It is asked only when a row is written, so that a sign-in in between counts. Inside another
    `acting` the inner one holds, and afterwards the outer one again.
    """
    before = _who.set(who)
    try:
        yield
    finally:
        _who.reset(before)


def actor() -> str:
    """The opaque word for who acts now; empty where no border has said."""
    return _who.get(lambda: "")()
