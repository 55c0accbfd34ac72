"""C2SP checkpoints, the signed heads of a log: https://c2sp.org/tlog-checkpoint."""

from collections.abc import Collection
from dataclasses import dataclass

from audit.tlog.notes import Known, Note, Signs, open_note, parse_note
from audit.tlog.texts import (
    HASH_SIZE,
    LARGEST_SIZE,
    Malformed,
    Unproven,
    parse_decimal,
    parse_hash,
    to_base64,
)


@dataclass(frozen=True)
class Checkpoint:
    """What a log says of itself at one size."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.origin or not all(self.extensions):
            raise Malformed("A checkpoint has an origin, and its extension lines are not empty.")
        if any("\n" in line for line in (self.origin, *self.extensions)):
            raise Malformed("A checkpoint's origin and extensions are single lines.")
        if not 0 <= self.size <= LARGEST_SIZE or len(self.root) != HASH_SIZE:
            raise Malformed("A checkpoint has a size below 2^63 and a root of 32 bytes.")

    def render(self) -> str:
        lines = (self.origin, str(self.size), to_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """Reads the text of a checkpoint's note."""
    if not text.endswith("\n"):
        raise Malformed("A checkpoint ends with a newline.")
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise Malformed("A checkpoint has at least three lines, none of them empty.")
    origin, size, root, *extensions = lines
    return Checkpoint(
        origin=origin,
        size=parse_decimal(size, what="tree size"),
        root=parse_hash(root, what="root hash"),
        extensions=tuple(extensions),
    )


def sign_checkpoint(checkpoint: Checkpoint, *signers: Signs) -> str:
    """The checkpoint's note with a line by each of the log's keys, the Ed25519 one first."""
    note = Note(checkpoint.render())
    for signer in signers:
        note = signer.sign(note)
    return note.render()


def read_checkpoint(note: str) -> Checkpoint:
    """Reads a checkpoint without believing it."""
    return parse_checkpoint(parse_note(note).text)


def open_checkpoint(note: str, *, origin: str, verifiers: Collection[Known]) -> Checkpoint:
    """Reads a checkpoint of this origin that one of these keys signed."""
    checkpoint = parse_checkpoint(open_note(note, verifiers).text)
    if checkpoint.origin != origin:
        raise Unproven("The checkpoint is of another log.")
    return checkpoint
