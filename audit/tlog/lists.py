"""One person's list as a text that shows each of its events in a log.

    sayso-list@v1
    events 2

    index 17
    leaf <base64>                 the entry's bytes
    hash <base64>                 its path to the root, from the entry upward
    tag <base64>                  the person's tag in this entry, where it is one of its tags
    left <base64>, right <base64> the tag's path to the entry's subjects_root
    tree                          what was reached is itself a leaf of the tree that goes on
    detail <base64>               the bytes that the entry's detail_commit is the digest of

An entry that was written while the person's key was away bears no tag of hers. A later one does, and
then these lines stand after the event's own path: what is below them is about that later entry, and
only the tag itself is made under the first one's nonce.

    later 29
    leaf <base64>
    hash <base64>

    ... one block an event ...

    <the checkpoint's note>

One head for all: a signature is checked once, however many events there are. `tree` stands where an
entry covers parts, each with a small tree of its own people.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from audit.tlog.subjects import Step
from audit.tlog.texts import to_base64

HEADER = "sayso-list@v1"
KEYS_HEADER = "sayso-keys@v1"


@dataclass(frozen=True)
class Way:
    """From one person's tag to an entry's `subjects_root`, a tree after another, lowest first."""

    tag: bytes
    trees: Sequence[Sequence[Step]]


@dataclass(frozen=True)
class Later:
    """The later entry that bears the tag of an earlier one, with its path in the log."""

    index: int
    leaf: bytes
    path: Sequence[bytes]


@dataclass(frozen=True)
class Event:
    """One entry with its path in the log and, where it covers her tag, the way to it; where a later
    one covers it, that one, and the way in there."""

    index: int
    leaf: bytes
    path: Sequence[bytes]
    way: Way | None = None
    detail: bytes | None = None
    later: Later | None = None

    def render(self) -> str:
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield from _stands("index", self)
        if self.later is not None:
            yield from _stands("later", self.later)
        if self.way is not None:
            yield f"tag {to_base64(self.way.tag)}"
            for number, tree in enumerate(self.way.trees):
                if number:
                    yield "tree"
                for step in tree:
                    yield f"{'left' if step.left else 'right'} {to_base64(step.hash)}"
        if self.detail is not None:
            yield f"detail {to_base64(self.detail)}"


def _stands(word: str, entry: Event | Later) -> Iterator[str]:
    yield f"{word} {entry.index}"
    yield f"leaf {to_base64(entry.leaf)}"
    for each in entry.path:
        yield f"hash {to_base64(each)}"


def rendered(count: int, events: Iterable[Event], checkpoint: str) -> Iterator[str]:
    """The text, a piece at a time; there must be as many events as `count` says."""
    yield f"{HEADER}\nevents {count}\n\n"
    for event in events:
        yield f"{event.render()}\n"
    yield checkpoint


def rendered_keys(keys: Iterable[bytes]) -> str:
    """A person's own keys, with which her tags can be made again."""
    return "".join(f"{line}\n" for line in (KEYS_HEADER, *map(to_base64, keys)))
