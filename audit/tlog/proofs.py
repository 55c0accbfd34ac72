"""C2SP log proofs, one text that shows an entry in a log: https://c2sp.org/tlog-proof."""

from collections.abc import Collection
from dataclasses import dataclass

from audit.tlog.checkpoints import Checkpoint, open_checkpoint, read_checkpoint
from audit.tlog.notes import Known
from audit.tlog.texts import Malformed, parse_base64, parse_decimal, parse_hash, to_base64
from audit.tlog.tree import check_inclusion

HEADER = "c2sp.org/tlog-proof@v1"
LONGEST_PATH = 63


@dataclass(frozen=True)
class LogProof:
    """An entry's index, its path to the root, and the checkpoint's note as the log issued it."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def render(self) -> str:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {to_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines.extend(to_base64(step) for step in self.path)
        return "".join(f"{line}\n" for line in lines) + "\n" + self.checkpoint


def parse_proof(text: str) -> LogProof:
    """Reads a proof without believing it."""
    head, border, checkpoint = text.partition("\n\n")
    if not border:
        raise Malformed("A proof has an empty line before its checkpoint.")
    lines = head.split("\n")
    if lines.pop(0) != HEADER:
        raise Malformed(f"A proof begins with the line {HEADER}.")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = parse_base64(lines.pop(0).removeprefix("extra "), what="extra data")
    if not lines or not lines[0].startswith("index "):
        raise Malformed("A proof names the index of its entry.")
    index = parse_decimal(lines.pop(0).removeprefix("index "), what="index")
    if len(lines) > LONGEST_PATH:
        raise Malformed("The path is longer than any tree is high.")
    path = tuple(parse_hash(line, what="hash of the path") for line in lines)
    if index >= read_checkpoint(checkpoint).size:
        raise Malformed("The index is not below the checkpoint's tree size.")
    return LogProof(index=index, path=path, checkpoint=checkpoint, extra=extra)


def check_proof(text: str, *, leaf: bytes, origin: str, verifiers: Collection[Known]) -> Checkpoint:
    """The checkpoint under which leaf hash `leaf` stands, or `Malformed` or `Unproven`."""
    proof = parse_proof(text)
    checkpoint = open_checkpoint(proof.checkpoint, origin=origin, verifiers=verifiers)
    check_inclusion(
        leaf=leaf,
        index=proof.index,
        size=checkpoint.size,
        path=proof.path,
        root=checkpoint.root,
    )
    return checkpoint
