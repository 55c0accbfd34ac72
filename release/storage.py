"""Where sealed bytes lie, how they are sealed, and memory that never becomes a file.

Nothing here knows what the bytes mean. What is put into a store is sealed already, but for the
reports of refused rows, which hold no value of any row.
"""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Protocol

import pyrage
from django.conf import settings
from pyrage import x25519

from common.errors import NotReady
from common.words import sentence as _
from release import age

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}(/[a-z0-9][a-z0-9._-]{0,79}){0,5}\Z")
DRAFT = ".draft-"


@dataclass(frozen=True)
class Stored:
    """What now lies in the store: how many bytes, and their digest."""

    size: int
    sha256: str


class Store(Protocol):
    """Named bytes. A folder now; anything that can keep whole objects later."""

    def put(self, name: str, data: bytes, *, lasting: bool = True) -> Stored:
        """Keep the bytes under the name, whole or not at all; if lasting, they survive a crash."""

    def settle(self, name: str) -> None:
        """What was put without being lasting survives a crash from now on."""

    def open(self, name: str) -> bytes:
        """The bytes. Raises FileNotFoundError where there are none."""

    def delete(self, name: str) -> None:
        """Forget the name; nothing happens where there is none."""

    def exists(self, name: str) -> bool:
        """Whether bytes lie under the name."""

    def names(self, prefix: str) -> Iterator[str]:
        """The names that lie in the folder `prefix`, sorted, deep."""


@dataclass(frozen=True)
class LocalStore:
    """A folder. A draft is written, forced to disk, renamed, and the folder forced to disk."""

    folder: Path

    def put(self, name: str, data: bytes, *, lasting: bool = True) -> Stored:
        path = self.path(name)
        draft = path.with_name(f"{DRAFT}{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(draft, data, lasting=lasting)
            draft.rename(path)
            if lasting:
                _force(path.parent)
        except OSError as error:
            with suppress(OSError):  # a file where a folder should be
                draft.unlink()
            raise NotReady(
                "storage_unwritable", _("The data folder cannot take this now.")
            ) from error
        return Stored(size=len(data), sha256=sha256(data).hexdigest())

    def settle(self, name: str) -> None:
        path = self.path(name)
        try:
            _force(path)
            _force(path.parent)
        except OSError as error:
            raise NotReady(
                "storage_unwritable", _("The data folder cannot take this now.")
            ) from error

    def open(self, name: str) -> bytes:
        return self.path(name).read_bytes()

    def delete(self, name: str) -> None:
        path = self.path(name)
        path.unlink(missing_ok=True)
        # Empty folders go too, but for the topmost ones, which loads at the same time share.
        for parent in path.parents:
            if parent == self.folder or parent.parent == self.folder:
                return
            try:
                parent.rmdir()
            except OSError:
                return

    def exists(self, name: str) -> bool:
        return self.path(name).is_file()

    def names(self, prefix: str) -> Iterator[str]:
        for path in sorted(self.path(prefix).rglob("*")):
            if path.is_file() and not path.name.startswith(DRAFT):
                yield path.relative_to(self.folder).as_posix()

    def path(self, name: str) -> Path:
        """Where the name lies. Raises ValueError for a name that could leave the folder."""
        if not NAME.match(name):
            raise ValueError("A stored name is a few plain words with slashes between them.")
        return self.folder / name

    def clear_drafts(self, before: float) -> int:
        """Remove drafts that a crash left behind before this POSIX time; returns how many."""
        drafts = [path for path in self.folder.rglob(f"{DRAFT}*") if path.stat().st_mtime < before]
        for path in drafts:
            path.unlink(missing_ok=True)
        return len(drafts)


def store() -> LocalStore:
    """The store of this installation."""
    return LocalStore(settings.SAYSO_DATA)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Nothing else copies or replaces whole stores of parts meanwhile, in whatever process.

    Raises NotReady where a backup, a restore or a change of keys is at it already.
    """
    try:
        settings.SAYSO_DATA.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = (settings.SAYSO_DATA / ".undisturbed").open("w")
    except OSError as error:
        raise NotReady("storage_unwritable", _("The data folder cannot take this now.")) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotReady(
                "undisturbed", _("A backup, a restore or a change of keys runs. Try again later.")
            ) from error
        yield


def seal(data: bytes, recipients: Sequence[x25519.Recipient]) -> bytes:
    """The bytes in the age format: only the recipients' identities open them."""
    return age.sealed(data, recipients)


def unseal(data: bytes, *identities: x25519.Identity) -> bytes:
    """What was sealed. Raises NotReady where no key opens it or the bytes changed."""
    try:
        return age.opened(data, identities)
    except age.NotOpenedError as error:
        raise NotReady("not_opened", _("A sealed part does not open with its key.")) from error


def seal_stream(
    source: IO[bytes], target: IO[bytes], recipients: Sequence[x25519.Recipient]
) -> None:
    """As `seal`, for what is too large for memory. Raises OSError where it cannot be written."""
    try:
        pyrage.encrypt_io(source, target, list(recipients))
    except pyrage.EncryptError as error:  # it calls a full disk so, too
        raise OSError("It could not be sealed.") from error


def unseal_stream(
    source: IO[bytes], target: IO[bytes], identities: Sequence[x25519.Identity]
) -> None:
    """As `unseal`, for what is too large for memory. Raises OSError where it was altered, cut off or
    cannot be written: what has been written by then must not be used."""
    try:
        pyrage.decrypt_io(source, target, list(identities))
    except pyrage.DecryptError as error:
        raise NotReady("not_opened", _("What was sealed does not open with this key.")) from error


@dataclass(frozen=True)
class Memory:
    """Bytes with a path that other libraries can open, and no place on any disk."""

    handle: int

    @property
    def path(self) -> str:
        return f"/proc/self/fd/{self.handle}"

    def read(self) -> bytes:
        size = os.fstat(self.handle).st_size
        return os.pread(self.handle, size, 0) if size else b""


@contextmanager
def memory(data: bytes = b"") -> Iterator[Memory]:
    """Anonymous memory holding `data`; gone when the block ends.

    Raises NotReady where the system has none: rows never touch a disk in clear.
    """
    if not hasattr(os, "memfd_create"):
        raise NotReady("no_memory_files", _("This system has no memory files; rows stay sealed."))
    handle = os.memfd_create("sayso", os.MFD_CLOEXEC)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
        yield Memory(handle)
    finally:
        os.close(handle)


def _write(path: Path, data: bytes, *, lasting: bool) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        if lasting:
            os.fsync(file.fileno())


def _force(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
