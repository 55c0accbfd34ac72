"""A file on its way in through a door: sealed piece by piece, never in clear on any disk."""

import io
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256

from pyrage import x25519

from common.errors import BadInput
from release.storage import Store, seal, unseal

PIECE = 1024 * 1024
KEPT = 4  # opened pieces that stay in memory: a Parquet file is read from both its ends


class Arrival:
    """Takes bytes as they come; what is in memory is never more than one piece and what was given."""

    def __init__(
        self, *, store: Store, folder: str, recipient: x25519.Recipient, most_bytes: int
    ) -> None:
        self.folder = folder
        self.recipient = recipient
        self.pieces = self.size = 0
        self._store = store
        self._most = most_bytes
        self._digest = sha256()
        self._waiting = bytearray()

    def write(self, data: bytes) -> None:
        """Raises BadInput where it is more than one load may be, NotReady where the disk is full."""
        self.size += len(data)
        if self.size > self._most:
            raise BadInput("too_large", "The file is larger than one upload may be. Divide it.")
        self._digest.update(data)
        self._waiting += data
        while len(self._waiting) >= PIECE:
            self._seal(bytes(self._waiting[:PIECE]))
            del self._waiting[:PIECE]

    def finish(self) -> str:
        """Seal the rest and give the SHA-256 of all of it. Raises BadInput where nothing came."""
        if self._waiting:
            self._seal(bytes(self._waiting))
            self._waiting.clear()
        if not self.size:
            raise BadInput("empty_file", "The file is empty. Export it again.")
        return self._digest.hexdigest()

    def forget(self) -> None:
        """Whatever came of it so far goes."""
        for name in list(self._store.names(self.folder)):
            self._store.delete(name)

    def _seal(self, piece: bytes) -> None:
        self.pieces += 1
        sealed = seal(piece, [self.recipient])
        self._store.put(piece_name(self.folder, self.pieces), sealed)


class SealedFile(io.RawIOBase):
    """An arrived file as others read files: its pieces are opened in memory when they are asked for."""

    def __init__(
        self, *, store: Store, folder: str, size: int, identities: Sequence[x25519.Identity]
    ) -> None:
        self._store = store
        self._folder = folder
        self._size = size
        self._identities = identities
        self._at = 0
        self._opened: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._at >= self._size:
            return 0
        number, start = divmod(self._at, PIECE)
        data = self._piece(number + 1)[start : start + len(buffer)]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _piece(self, number: int) -> bytes:
        if number in self._opened:
            self._opened.move_to_end(number)
            return self._opened[number]
        data = unseal(self._store.open(piece_name(self._folder, number)), *self._identities)
        self._opened[number] = data
        if len(self._opened) > KEPT:
            self._opened.popitem(last=False)
        return data


def piece_name(folder: str, number: int) -> str:
    return f"{folder}/{number:07d}.age"
