"""The sealed append-only file of noes: outside the database, outside the data folder and backups.

Lines are only added; the one exception takes out what leads to somebody who was shredded (ADR 14).

One line for each no: a random mark, the facts sealed in the age format, a check over both. The
first line names the file. A line that a crash cut off is closed with `~` by the next writer. What
a thief of the file learns is how many noes there were and when.
"""

import base64
import fcntl
import os
import re
import secrets
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import IO

import pyrage
from django.conf import settings
from pyrage import x25519

from common.errors import NotReady
from common.keysources import Stamp, settled, stamp

NAME = "noes.sealed"
HEADER = re.compile(rb"sayso-noes 1 ([0-9a-f]{32})\n")
HEADER_SIZE = 46
LINE = re.compile(rb"no ([0-9a-f]{32}) ([A-Za-z0-9+/=]+) ([0-9a-f]{16})\Z")
PADDING = 512  # so that a length does not tell what kind of no it was


@dataclass
class View:
    """What one process has read of the file so far: its name and the marks in it, in order."""

    file: str = ""
    offset: int = 0
    marks: dict[bytes, int] = field(default_factory=dict)  # mark → where its line begins
    damaged: int = 0
    place: int = 0  # the file's number on its disk
    stamp: Stamp = None  # of the file when all of it had been read
    known: int = 0  # how many of the marks were seen in the database


@dataclass(frozen=True)
class NoesFile:
    """The file in one folder."""

    folder: Path

    @cached_property
    def path(self) -> Path:
        return self.folder / NAME

    def append(
        self, noes: Sequence[tuple[bytes, bytes]], recipient: Callable[[], x25519.Recipient]
    ) -> str:
        """Keep these noes (mark, facts) through any crash; gives the file's name.

        `recipient` says to whom they are sealed; it is asked once more when nobody else writes, since
        that key may have been rotated meanwhile. Raises NotReady (noes_unwritable) where the disk
        does not take them.
        """
        sealed_to = recipient()
        lines = _lines(noes, sealed_to)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._locked(os.O_CREAT) as file:
                handle = file.fileno()
                size = os.fstat(handle).st_size
                if str(newest := recipient()) != str(sealed_to):
                    lines = _lines(noes, newest)
                if size < HEADER_SIZE:  # new, or cut off in its first line
                    os.truncate(handle, 0)
                    lines = f"sayso-noes 1 {secrets.token_hex(16)}\n".encode() + lines
                    _force(self.folder)
                elif os.pread(handle, 1, size - 1) != b"\n":
                    lines = b"~\n" + lines
                if size >= HEADER_SIZE:
                    _name(os.pread(handle, HEADER_SIZE, 0))  # nothing is added to another file
                _write(handle, lines)
                name = _name(os.pread(handle, HEADER_SIZE, 0))
                # Whole and in its place: those who wait may write, and one fsync may serve several.
                fcntl.flock(file, fcntl.LOCK_UN)
                os.fsync(handle)
                return name
        except (OSError, ValueError) as error:
            raise NotReady("noes_unwritable", "The file of noes cannot be written.") from error

    def rewrite(
        self, noes: Sequence[tuple[bytes, bytes]], recipient: Callable[[], x25519.Recipient]
    ) -> int:
        """Put these facts in the place of those that stand under the same marks; gives how many.

        The one exception to adding only: what leads to somebody whose key was destroyed goes. Every
        other line stays byte for byte, in its order; the former file is gone once the new one is
        whole. Raises NotReady (noes_unwritable) where the disk does not take it: nothing changed.
        """
        beside = self._beside()
        try:
            with self._locked():
                done, newest = 0, recipient()
                fresh = {mark: _line(mark, _sealed(facts, newest)) for mark, facts in noes}
                self._sweep(beside)
                handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with self.path.open("rb") as before, os.fdopen(handle, "wb") as target:
                    for line in before:
                        match = LINE.match(line[:-1])
                        mark = bytes.fromhex(match.group(1).decode()) if match else b""
                        done += mark in fresh
                        target.write(fresh.get(mark, line))
                    target.flush()
                    os.fsync(target.fileno())
                beside.rename(self.path)  # under the lock: whoever waits for it looks again
                _force(self.folder)
                return done
        except FileNotFoundError:
            return 0  # there is no file yet
        except OSError as error:
            raise NotReady("noes_unwritable", "The file of noes cannot be written.") from error
        finally:
            beside.unlink(missing_ok=True)

    def seal_anew(self, newest: x25519.Identity, former: Sequence[x25519.Identity]) -> int:
        """Every no opens with `newest` alone; gives how many lines were sealed anew.

        Others may say no meanwhile: the file is held only for what came since it was read. Broken
        off, nothing has changed. Raises NotReady (noes_sealed) where neither opens a line,
        noes_unwritable where the disk does not take it.
        """
        try:
            while True:
                done = self._sealed_anew(newest, former)
                if done is not None:
                    return done
        except FileNotFoundError:
            return 0  # there is no file yet
        except OSError as error:
            raise NotReady("noes_unwritable", "The file of noes cannot be written.") from error

    def _sealed_anew(
        self, newest: x25519.Identity, former: Sequence[x25519.Identity]
    ) -> int | None:
        """As `seal_anew`; None where another file took its place meanwhile (somebody was shredded)."""
        beside = self._beside()
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with self.path.open("rb") as before, os.fdopen(handle, "wb") as target:
                done = _copy_anew(before, target, newest, former)
                with self._locked() as file:
                    if os.fstat(file.fileno()).st_ino != os.fstat(before.fileno()).st_ino:
                        return None
                    self._sweep(beside)
                    done += _copy_anew(before, target, newest, former)
                    target.write(before.read())  # a line that a crash cut off
                    target.flush()
                    os.fsync(target.fileno())
                    beside.rename(self.path)
                    _force(self.folder)
                    return done
        finally:
            beside.unlink(missing_ok=True)

    def _sweep(self, own: Path) -> None:
        """Under the lock: drafts that were left by somebody who was killed go."""
        for left in self.folder.glob(f"{NAME}.*.draft"):
            if left != own:
                left.unlink(missing_ok=True)

    def _beside(self) -> Path:
        return self.path.with_name(f"{NAME}.{secrets.token_hex(4)}.draft")

    @contextmanager
    def _locked(self, flags: int = 0) -> Iterator[IO[bytes]]:
        """The file that stands there now, held: one that was replaced meanwhile is let go."""
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | flags, 0o600)
            with os.fdopen(handle, "rb+", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if self._stands(handle):
                    yield file
                    return

    def _stands(self, handle: int) -> bool:
        try:
            return os.stat(self.path).st_ino == os.fstat(handle).st_ino
        except FileNotFoundError:
            return False

    def settle(self) -> None:
        """What stands in the file survives a crash, whoever wrote it. Raises NotReady."""
        try:
            _force(self.path)
        except OSError as error:
            raise NotReady("noes_unwritable", "The file of noes cannot be written.") from error

    def refresh(self, view: View) -> None:
        """Read what has come since; another file than before is read from its beginning.

        Raises NotReady (noes_unreadable) where it cannot be read.
        """
        try:
            now = stamp(self.path)
            if now is not None and now == view.stamp:
                return  # as it was when all of it had been read
            view.stamp = None
            with self.path.open("rb") as file:
                name = _name(file.read(HEADER_SIZE))
                found = os.fstat(file.fileno())
                other = name != view.file or found.st_ino != view.place
                if other or found.st_size < view.offset or view.damaged:  # or put right by now
                    view.file, view.offset, view.damaged, view.known = name, HEADER_SIZE, 0, 0
                    view.place = found.st_ino
                    view.marks.clear()
                file.seek(view.offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        return  # being written, or cut off by a crash: nobody was told of it
                    _take(line[:-1], view)
                if now and view.offset == found.st_size == now[1] and not view.damaged:
                    view.stamp = now if settled([now]) else None
        except FileNotFoundError:
            view.file, view.offset, view.known = "", 0, 0
            view.marks.clear()
        except (OSError, ValueError) as error:
            raise NotReady("noes_unreadable", "The file of noes cannot be read.") from error

    def opened(
        self, marks: Sequence[bytes], view: View, identities: Sequence[x25519.Identity]
    ) -> Iterator[tuple[bytes, bytes]]:
        """The facts of these noes, in the order of the file.

        Raises NotReady (noes_sealed) where no identity opens one.
        """
        if not marks:
            return  # there may be no file yet
        with self.path.open("rb") as file:
            for mark in marks:
                file.seek(view.marks[mark])
                match = LINE.match(file.readline()[:-1])
                sealed = base64.b64decode(match.group(2)) if match else b""
                yield mark, _opened(sealed, identities)


def noes_file() -> NoesFile:
    """The file of this installation."""
    return _file_in(settings.SAYSO_NOES)


@lru_cache(maxsize=8)
def _file_in(folder: Path) -> NoesFile:
    return NoesFile(folder)


def packed(facts: bytes) -> bytes:
    return zlib.compress(facts, 6)


def unpacked(data: bytes) -> bytes:
    return zlib.decompress(data)


def _sealed(facts: bytes, recipient: x25519.Recipient) -> bytes:
    body = struct.pack(">I", len(facts)) + facts
    sealed: bytes = pyrage.encrypt(body + bytes(-len(body) % PADDING), [recipient])
    return sealed


def _unpadded(data: bytes) -> bytes:
    (size,) = struct.unpack(">I", data[:4])
    return data[4 : 4 + size]


def _lines(noes: Sequence[tuple[bytes, bytes]], recipient: x25519.Recipient) -> bytes:
    return b"".join(_line(mark, _sealed(facts, recipient)) for mark, facts in noes)


def _copy_anew(
    before: IO[bytes],
    target: IO[bytes],
    newest: x25519.Identity,
    former: Sequence[x25519.Identity],
) -> int:
    """Copy whole lines, each sealed to `newest` alone; what is no whole no stays byte for byte."""
    done, recipient = 0, newest.to_public()
    for line in iter(before.readline, b""):
        if not line.endswith(b"\n"):
            before.seek(-len(line), os.SEEK_CUR)
            break
        match = LINE.match(line[:-1])
        if match and match.group(3) == _check(
            bytes.fromhex(match.group(1).decode()), match.group(2)
        ):
            mark = bytes.fromhex(match.group(1).decode())
            sealed = base64.b64decode(match.group(2))
            try:
                pyrage.decrypt(sealed, [newest])
            except pyrage.DecryptError:
                line = _line(mark, _sealed(_opened(sealed, former), recipient))
                done += 1
        target.write(line)
    return done


def _opened(sealed: bytes, identities: Sequence[x25519.Identity]) -> bytes:
    try:
        return _unpadded(pyrage.decrypt(sealed, list(identities)))
    except pyrage.DecryptError as error:
        raise NotReady("noes_sealed", "A no does not open with its key.") from error


def _line(mark: bytes, sealed: bytes) -> bytes:
    text = base64.b64encode(sealed)
    return b"no " + mark.hex().encode() + b" " + text + b" " + _check(mark, text) + b"\n"


def _check(mark: bytes, text: bytes) -> bytes:
    return sha256(mark + text).hexdigest()[:16].encode()


def _take(line: bytes, view: View) -> None:
    at = view.offset
    view.offset += len(line) + 1
    match = LINE.match(line)
    mark = bytes.fromhex(match.group(1).decode()) if match else b""
    if match and match.group(3) == _check(mark, match.group(2)):
        view.marks.setdefault(mark, at)
    elif not line.endswith(b"~"):
        view.damaged += 1


def _name(header: bytes) -> str:
    match = HEADER.match(header)
    if match is None:
        raise ValueError("This is no file of noes.")
    return match.group(1).decode()


def _write(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _force(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
