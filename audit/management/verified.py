"""A small file that says up to where a log was verified, so that the next look goes on from there."""

import json
import os
import time
from pathlib import Path

from audit.tlog.checkpoints import Checkpoint
from audit.tlog.texts import Malformed, parse_hash, to_base64

LARGEST = 4096  # bytes; ours has about 150
EVERY = 2.0  # seconds between two writings


class Keeper:
    """Writes down, now and then, the head up to which all holds."""

    def __init__(self, file: Path) -> None:
        self.file, self.written = file, 0.0

    def keep(self, head: Checkpoint) -> None:
        """Raises Malformed where the file cannot be written."""
        if time.monotonic() - self.written >= EVERY:
            self.write(head)

    def write(self, head: Checkpoint) -> None:
        """The same at once."""
        draft = self.file.with_name(f"{self.file.name}.draft")
        said = {"origin": head.origin, "size": head.size, "root": to_base64(head.root)}
        try:
            draft.write_text(json.dumps(said) + "\n", encoding="utf-8")
            os.replace(draft, self.file)
        except OSError:
            raise Malformed(f"The file {self.file.name} cannot be written.") from None
        self.written = time.monotonic()


def read(file: Path, origin: str) -> Checkpoint | None:
    """What was verified before; None where there is no such file yet.

    Raises Malformed where it is not such a file, or about another log.
    """
    try:
        with file.open("rb") as opened:
            said = json.loads(opened.read(LARGEST + 1)[:LARGEST])
        head = Checkpoint(
            str(said["origin"]), int(said["size"]), parse_hash(str(said["root"]), what="root")
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise Malformed(
            f"The file {file.name} does not say what was verified. Remove it."
        ) from None
    if head.origin != origin or head.size < 0:
        raise Malformed(f"The file {file.name} is about another log. Remove it.")
    return head
