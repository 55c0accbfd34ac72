"""What a log asks of a witness, the body of `add-checkpoint`: https://c2sp.org/tlog-witness."""

from dataclasses import dataclass

from audit.tlog.proofs import LONGEST_PATH
from audit.tlog.texts import Malformed, parse_decimal, parse_hash, to_base64

LARGEST_BODY = 131_072  # 63 hashes, and a note with more signatures than anybody has


@dataclass(frozen=True)
class Request:
    """A checkpoint's note, and the path that shows it to go on from the tree of size `old`."""

    old: int
    path: tuple[bytes, ...]
    note: str

    def render(self) -> str:
        lines = [f"old {self.old}", *map(to_base64, self.path)]
        return "".join(f"{line}\n" for line in lines) + "\n" + self.note


def parse_request(body: bytes) -> Request:
    """Reads a body, and refuses with `Malformed` whatever is not of its form."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None
    head, border, note = text.partition("\n\n")
    if not border:
        raise Malformed("The body has an empty line before its checkpoint.")
    first, *lines = head.split("\n")
    if not first.startswith("old "):
        raise Malformed("The body begins with the line old and a size.")
    if len(lines) > LONGEST_PATH:
        raise Malformed(f"A consistency proof has {LONGEST_PATH} lines at most.")
    return Request(
        old=parse_decimal(first.removeprefix("old "), what="old size"),
        path=tuple(parse_hash(line, what="hash of the proof") for line in lines),
        note=note,
    )
