"""The files of the key ring: read, wrapped, written whole or not at all, by one at a time."""

import base64
import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pyrage import x25519

from common import keysources
from common.errors import NotReady
from common.words import sentence as _

REFERENCE = re.compile(r"^[a-z0-9-]{1,80}$")
SERVICE = "service"
_kept: dict[Path, tuple[str, float, dict[str, Any]]] = {}  # what agents unwrapped, for seconds
# What files opened, as long as none of them changed. What is derived stays in memory anyway.
_opened: dict[tuple[Path, str], tuple[dict[Path, keysources.Stamp], dict[str, Any]]] = {}


@dataclass(frozen=True)
class KeyFolder:
    """The folder of `common.keyring`, and what lies in it.

    `may_create` is for the first use of a demonstration only; otherwise a missing key is `NotReady`
    (key_missing, key_wrong, key_unreadable, key_sources).
    """

    folder: Path
    may_create: bool = False

    def install(self, organisation: str) -> None:
        """Make the keys of a new organisation; existing ones are left alone."""
        replace(self, may_create=True)._organisation(organisation)

    def _organisation(self, organisation: str) -> dict[str, Any]:
        name = checked(organisation)
        found = self._load(name)
        if found is not None:
            return found
        if not self.may_create:
            raise not_there(name)
        with self._alone():
            found = self._load(name)  # the first of two makers wins
            if found is None:
                found = {
                    "root": keysources.new_key().strip(),
                    "ages": [str(x25519.Identity.generate())],
                }
                self._store(name, found)
        return found

    def _service(self, needed: str, *, make: bool = False) -> dict[str, Any]:
        found = self._load(SERVICE) or {}
        if needed in found:
            return found
        if not (self.may_create or make):
            raise not_there(SERVICE)
        with self._alone():
            found = self._load(SERVICE) or {}
            if needed not in found:
                key = keysources.new_key().strip()
                identity = needed == "noes"
                found[needed] = [str(x25519.Identity.generate())] if identity else key
                self._store(SERVICE, found)
        return found

    def _source(self, name: str) -> keysources.Source:
        return keysources.source_of(self.folder, checked(name))

    def _load(self, name: str) -> dict[str, Any] | None:
        stamped, opened = _opened.get((self.folder, name), ({}, {}))
        if opened and all(keysources.stamp(each) == was for each, was in stamped.items()):
            return dict(opened)
        path = self.folder / f"{name}.keys"
        if not path.exists():
            return self._unwrapped(name)
        stamps = {each: keysources.stamp(each) for each in (path, self.folder / keysources.SOURCES)}
        written = parsed(path)
        sealed = str(written["sealed"])
        kept = _kept.get(path)
        if kept is not None and kept[0] == sealed and time.monotonic() < kept[1]:
            return dict(kept[2])
        source = self._source(name)
        stamps |= {each: keysources.stamp(each) for each in source.files or ()}
        data = source.unwrap(name, str(written["by"]), base64.b64decode(sealed))
        try:
            found: dict[str, Any] = json.loads(data)
        except ValueError as error:
            raise NotReady(
                "key_wrong", _("The keys of %(name)s were altered.", name=name)
            ) from error
        if source.keep_seconds:
            _kept[path] = (sealed, time.monotonic() + source.keep_seconds, dict(found))
        if source.files and keysources.settled(stamps.values()):
            _opened[self.folder, name] = (stamps, dict(found))
        return found

    def _unwrapped(self, name: str) -> dict[str, Any] | None:
        """The files of an older installation, as they are."""
        if name == SERVICE:
            log = self._text("log.ed25519")
            return None if log is None else {"log": log}
        root, age = self._text(f"{name}.root"), self._text(f"{name}.age")
        if root is None and age is None:
            return None
        if root is None or age is None:
            raise not_there(name)
        return {"root": root, "ages": [age]}

    def _text(self, name: str) -> str | None:
        try:
            return (self.folder / name).read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise NotReady(
                "key_unreadable", _("The key file %(name)s cannot be read.", name=name)
            ) from error

    def _store(self, name: str, payload: dict[str, Any]) -> str:
        source = self._source(name)
        if isinstance(source, keysources.FileSource) and not (
            source.present() or source.next.exists()
        ):
            writing(keysources.create, source.path, keysources.new_key())
        by, sealed = source.wrap(name, json.dumps(payload).encode())
        text = json.dumps(
            {"version": 1, "name": name, "by": by, "sealed": base64.b64encode(sealed).decode()}
        )
        path = self.folder / f"{name}.keys"
        writing(keysources.replace, path, f"{text}\n")
        _kept.pop(path, None)
        return by

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time changes the ring, in whatever process."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.folder / ".lock", os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            raise NotReady("key_unwritable", _("The key folder cannot be written now.")) from error
        with os.fdopen(handle, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def writing(write: Any, *given: Any) -> None:
    try:
        write(*given)
    except OSError as error:
        raise NotReady("key_unwritable", _("The key folder cannot be written now.")) from error


def parsed(path: Path) -> dict[str, Any]:
    try:
        found: Any = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise _unreadable(path) from error
    if not isinstance(found, dict) or found.get("version") != 1 or not {"by", "sealed"} <= {*found}:
        raise _unreadable(path)
    return found


def _unreadable(path: Path) -> NotReady:
    return NotReady("key_unreadable", _("The key file %(name)s cannot be read.", name=path.name))


def not_there(name: str) -> NotReady:
    return NotReady(
        "key_missing",
        _(
            "The keys of %(name)s are not in the key folder. Put them back, "
            "or run `manage.py makekeys` for a new installation.",
            name=name,
        ),
    )


def checked(organisation: str) -> str:
    if not REFERENCE.match(organisation):
        raise NotReady("key_name", _("An organisation's key name holds only a-z, 0-9 and hyphens."))
    return organisation
