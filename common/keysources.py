"""Where key-encryption keys come from: a file, the environment, or an agency's own key agent.

One key-encryption key for each organisation, and one for the service itself, each from a source of
its own. `sources.json` in the key folder names those that are not a file beside it:

    {"org-2x…": {"command": ["/opt/agent/key"], "seconds": 5, "keep_seconds": 30},
     "org-7m…": {"environment": "RIVER_KEK"},
     "service": {"file": "/run/secrets/service.kek"}}

An agent is run without a shell. It reads one line of JSON and answers one line:

    {"version": 1, "do": "wrap" | "unwrap", "name": "org-2x…", "data": "<base64>"}
    {"data": "<base64>"}

What is unwrapped stays in memory for `keep_seconds` (0 to 300, default 30); nothing an agent says
is logged or shown.
"""

import base64
import json
import os
import secrets
import stat
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common.errors import NotReady

NONCE = 12
SOURCES = "sources.json"
SETTLES = 1_000_000_000  # nanoseconds
Stamp = tuple[int, int, int, int] | None
AGENT = "agent"  # how a wrapped key says that an agent wrapped it


class Source(Protocol):
    """One key-encryption key: wraps and unwraps what hangs on it."""

    @property
    def keep_seconds(self) -> float:
        """How long what was unwrapped may stay in memory."""

    @property
    def files(self) -> tuple[Path, ...] | None:
        """The files it hangs on, and nothing else; None where it can change without a file."""

    def wrap(self, name: str, data: bytes) -> tuple[str, bytes]:
        """Which key wrapped it, and the wrapped bytes; by the next key where one is prepared."""

    def unwrap(self, name: str, by: str, data: bytes) -> bytes:
        """Raises NotReady: key_missing where the key is not there, key_wrong where it is another."""

    def present(self) -> bool:
        """Whether a key is there at all (an agent: is configured)."""

    def prepare(self) -> None:
        """Make the next key beside the present one, where this source can."""

    def adopt(self) -> None:
        """The next key becomes the present one; the former is gone."""


@dataclass(frozen=True)
class FileSource:
    """A file of 32 bytes in base64; the next key lies beside it as `.next` until it is adopted."""

    path: Path
    keep_seconds: float = 0.0

    @property
    def next(self) -> Path:
        return self.path.with_name(f"{self.path.name}.next")

    @property
    def files(self) -> tuple[Path, ...]:
        return self.path, self.next

    def wrap(self, name: str, data: bytes) -> tuple[str, bytes]:
        path = self.next if self.next.exists() else self.path
        return _wrap(_read(path, name), name, data)

    def unwrap(self, name: str, by: str, data: bytes) -> bytes:
        found = [_read(path, name) for path in (self.path, self.next) if path.exists()]
        return _unwrap(found or [_read(self.path, name)], name, by, data)

    def present(self) -> bool:
        return self.path.exists()

    def prepare(self) -> None:
        if not self.next.exists():
            create(self.next, new_key())

    def adopt(self) -> None:
        if self.next.exists():
            self.next.rename(self.path)
            force(self.path.parent)


@dataclass(frozen=True)
class EnvironmentSource:
    """A variable of 32 bytes in base64; `<variable>_NEXT` holds the next key while it is rotated."""

    variable: str
    keep_seconds: float = 0.0
    files: ClassVar[None] = None

    def wrap(self, name: str, data: bytes) -> tuple[str, bytes]:
        found = self._keys(name)
        return _wrap(found[-1], name, data)

    def unwrap(self, name: str, by: str, data: bytes) -> bytes:
        return _unwrap(self._keys(name), name, by, data)

    def present(self) -> bool:
        return bool(os.environ.get(self.variable))

    def prepare(self) -> None:
        if not os.environ.get(f"{self.variable}_NEXT"):
            raise NotReady(
                "key_next_missing",
                f"Set {self.variable}_NEXT to the next key (32 random bytes in base64) and run "
                "this again.",
            )

    def adopt(self) -> None:
        """The operator does: both variables may stay set until the next start."""

    def _keys(self, name: str) -> list[bytes]:
        texts = [os.environ.get(each, "") for each in (self.variable, f"{self.variable}_NEXT")]
        found = [decoded(text) for text in texts if text]
        if not found:
            raise _missing(name, f"The variable {self.variable} is not set.")
        return found


@dataclass(frozen=True)
class AgentSource:
    """An agency's own program that wraps and unwraps; its key never comes here."""

    command: tuple[str, ...]
    seconds: float = 5.0
    keep_seconds: float = 30.0
    files: ClassVar[None] = None

    def wrap(self, name: str, data: bytes) -> tuple[str, bytes]:
        return AGENT, self._ask("wrap", name, data)

    def unwrap(self, name: str, by: str, data: bytes) -> bytes:
        return self._ask("unwrap", name, data)

    def present(self) -> bool:
        return True

    def prepare(self) -> None:
        """The agent chooses: it wraps with its newest key and unwraps with any it has kept."""

    def adopt(self) -> None:
        """Nothing here to change."""

    def _ask(self, do: str, name: str, data: bytes) -> bytes:
        text = base64.b64encode(data).decode("ascii")
        question = json.dumps({"version": 1, "do": do, "name": name, "data": text}) + "\n"
        try:
            ended = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
                self.command,
                input=question.encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self.seconds,
                check=False,
                env={"PATH": os.environ.get("PATH", "")},  # our own secrets are not handed on
            )
        except subprocess.TimeoutExpired:
            raise _missing(name, "Its key agent did not answer in time.") from None
        except OSError:
            raise _missing(name, "Its key agent cannot be started.") from None
        if ended.returncode:
            raise _missing(name, "Its key agent refused.")
        try:
            answer = base64.b64decode(json.loads(ended.stdout)["data"], validate=True)
        except (ValueError, KeyError, TypeError):
            raise NotReady("key_unreadable", f"The key agent of {name} spoke no sense.") from None
        return answer


def source_of(folder: Path, name: str) -> Source:
    """Where the key-encryption key of `name` comes from: a file beside, unless said otherwise."""
    given = _sources(folder / SOURCES).get(name)
    if given is None:
        return FileSource(folder / f"{name}.kek")
    match given:
        case {"file": str(path), **rest} if not rest:
            return FileSource(Path(path))
        case {"environment": str(variable), **rest} if not rest and variable:
            return EnvironmentSource(variable)
        case {"command": [*argv], **rest} if argv and all(isinstance(each, str) for each in argv):
            return AgentSource(tuple(argv), **_times(rest))
        case _:
            raise _bad_sources(f"The source of {name} is none of file, environment and command.")


def key_id(key: bytes) -> str:
    """16 signs that tell one key-encryption key from another and nothing else about it."""
    return sha256(b"sayso key-encryption key" + key).hexdigest()[:16]


def decoded(text: str) -> bytes:
    """32 bytes from base64. Raises NotReady."""
    try:
        value = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        value = b""
    if len(value) != 32:
        raise NotReady("key_unreadable", "A key file does not hold 32 bytes in base64.")
    return value


def new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode("ascii") + "\n"


def stamp(path: Path) -> Stamp:
    """What changes whenever a file is written, replaced or allowed to others; None: it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def settled(stamps: Iterable[Stamp]) -> bool:
    """Whether none is so young that another writing within the same tick would look like it."""
    newest = max((changed for each in stamps if each for changed in each[2:]), default=0)
    return newest + SETTLES < time.time_ns()


def lines(path: Path) -> list[str]:
    """What a file says, line by line, without remarks (#) and empty lines."""
    found = (line.strip() for line in path.read_text(encoding="ascii").splitlines())
    return [line for line in found if line and not line.startswith("#")]


def create(path: Path, text: str) -> None:
    """Keep the text under this name, whole or not at all; the first of two makers wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = _draft(path, text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    force(path.parent)


def replace(path: Path, text: str) -> None:
    """The text takes the place of what was there, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _draft(path, text).rename(path)
    force(path.parent)


def force(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _draft(path: Path, text: str) -> Path:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sources(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise _bad_sources("Others than its owner may write to it.")
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise _bad_sources("It cannot be read as JSON.") from None
    if not isinstance(found, dict):
        raise _bad_sources("It is not one object of names.")
    return found


def _times(rest: dict[Any, Any]) -> dict[str, float]:
    most = {"seconds": 60, "keep_seconds": 300}
    for name, value in rest.items():
        if name not in most or not isinstance(value, int | float) or not 0 <= value <= most[name]:
            raise _bad_sources("An agent has a command, seconds (to 60), keep_seconds (to 300).")
    return {name: float(value) for name, value in rest.items()}


def _bad_sources(problem: str) -> NotReady:
    return NotReady("key_sources", f"The file sources.json in the key folder: {problem}")


def _missing(name: str, problem: str) -> NotReady:
    return NotReady("key_missing", f"The key of {name} is not there. {problem}")


def _read(path: Path, name: str) -> bytes:
    try:
        return decoded(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        raise _missing(
            name, f"The key file {path.name} is not in the key folder. Put it back."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise NotReady("key_unreadable", f"The key file {path.name} cannot be read.") from error


def _wrap(key: bytes, name: str, data: bytes) -> tuple[str, bytes]:
    nonce = secrets.token_bytes(NONCE)
    return key_id(key), nonce + AESGCM(key).encrypt(nonce, data, name.encode())


def _unwrap(keys: list[bytes], name: str, by: str, data: bytes) -> bytes:
    for key in keys:
        if key_id(key) == by:
            try:
                return AESGCM(key).decrypt(data[:NONCE], data[NONCE:], name.encode())
            except InvalidTag as error:
                raise NotReady("key_wrong", f"The keys of {name} were altered.") from error
    raise NotReady("key_wrong", f"The key of {name} that is there is not the one it needs.")
