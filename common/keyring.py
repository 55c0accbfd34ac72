"""The key ring: a folder that stands outside the database and outside the data folder.

For each organisation one root key (client-number digests, people's keys and person keys are derived
from it) and one age identity (its sealed parts); for the service the key that signs the log and the
identity of the file of noes. They lie in `<name>.keys`, wrapped by that name's own key-encryption
key, which comes from a file, the environment or an agency's own agent (`common.keysources`).

An older installation has them unwrapped (`<name>.root`, `<name>.age`, `log.ed25519`); they are used
as they are until the first rotation wraps them. Nothing here is ever logged.
"""

import base64
import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyrage import IdentityError, RecipientError, x25519

from common import keysources
from common.errors import BadInput, NotReady
from common.keysources import decoded
from common.words import sentence as _

REFERENCE = re.compile(r"^[a-z0-9-]{1,80}$")
SERVICE = "service"
NOES = "noes.recipient"
BACKUPS = "backup.recipients"
IDENTITY = "AGE-SECRET-KEY-"
_kept: dict[Path, tuple[str, float, dict[str, Any]]] = {}  # what agents unwrapped, for seconds
# What files opened, as long as none of them changed. What is derived stays in memory anyway.
_opened: dict[tuple[Path, str], tuple[dict[Path, keysources.Stamp], dict[str, Any]]] = {}


@dataclass(frozen=True)
class KeyRing:
    """The keys of every organisation and of the service, by name.

    `may_create` is for the first use of a demonstration only; otherwise a missing key is `NotReady`
    (key_missing, key_wrong, key_unreadable, key_sources).
    """

    folder: Path
    may_create: bool = False

    # --- an organisation's keys ---

    def root(self, organisation: str) -> bytes:
        """The organisation's 32-byte root key."""
        return decoded(self._organisation(organisation)["root"])

    def derived(self, organisation: str, label: str) -> bytes:
        """32 bytes for one use, named by `label` (HKDF-SHA-256, RFC 5869)."""
        return self.derived_each(organisation, label)[0]

    def derived_each(self, organisation: str, *labels: str) -> list[bytes]:
        """32 bytes for each use; the root key is fetched once."""
        root = self.root(organisation)
        return [_derive(root, label) for label in labels]

    def identity(self, organisation: str) -> x25519.Identity:
        """The age identity to which this organisation's parts are sealed from now on."""
        return self.identities(organisation)[0]

    def identities(self, organisation: str) -> tuple[x25519.Identity, ...]:
        """All that open its parts, newest first; more than one while the identity is rotated."""
        ages = self._organisation(organisation)["ages"]
        return tuple(x25519.Identity.from_str(text) for text in ages)

    def install(self, organisation: str) -> None:
        """Make the keys of a new organisation; existing ones are left alone."""
        replace(self, may_create=True)._organisation(organisation)

    # --- the service's keys ---

    def log_seed(self) -> bytes:
        """The 32-byte Ed25519 seed that signs checkpoints."""
        return decoded(self._service("log")["log"])

    def log_second_seed(self) -> bytes:
        """The 32-byte seed of the log's ML-DSA-44 key, made from the first one (HKDF)."""
        return _derive(self.log_seed(), "log ml-dsa-44")

    def log_next(self) -> bytes | None:
        """The seed that a rotation has made and not yet taken into use."""
        found = self._service("log").get("log_next")
        return decoded(found) if found else None

    def log_past(self) -> tuple[bytes, ...]:
        """The public keys of those that signed before, oldest first: what they signed stands."""
        return tuple(decoded(text) for text in self._service("log").get("log_past", []))

    def noes_recipient(self) -> x25519.Recipient:
        """To whom the file of noes is sealed; made at its first use. Needs no secret."""
        path = self.folder / NOES
        if not path.exists():
            identity = self._service("noes", make=True)["noes"][0]
            public = x25519.Identity.from_str(identity).to_public()
            _writing(keysources.create, path, f"{public}\n")
        try:
            return x25519.Recipient.from_str(path.read_text(encoding="ascii").strip())
        except (OSError, UnicodeDecodeError, RecipientError) as error:
            raise NotReady(
                "key_unreadable", _("The key file %(name)s cannot be read.", name=NOES)
            ) from error

    def noes_identities(self) -> tuple[x25519.Identity, ...]:
        """What opens the file of noes, after a restore."""
        found = self._service("noes")["noes"]
        return tuple(x25519.Identity.from_str(text) for text in found)

    def backup_recipients(self) -> list[x25519.Recipient]:
        """To whom backups are sealed: public keys in the age format, one a line.

        Whose private half opens them lies on another machine, never in this folder.
        """
        path = self.folder / BACKUPS
        try:
            texts = keysources.lines(path)
            found = [x25519.Recipient.from_str(text) for text in texts]
        except FileNotFoundError:
            found = []
        except (OSError, ValueError, RecipientError) as error:
            raise NotReady(
                "key_unreadable",
                _(
                    "The key file %(name)s is not a list of age public keys, one a line (age1…).",
                    name=BACKUPS,
                ),
            ) from error
        if not found:
            raise NotReady(
                "backup_key_missing",
                _(
                    "A backup is sealed, and nobody is named who can open it. Put their age public "
                    "key into %(name)s in the key folder, or run `manage.py makekeys --backup FILE`.",
                    name=BACKUPS,
                ),
            )
        return found

    def add_backup_recipient(self, public: str) -> None:
        """One more who opens backups from now on."""
        with self._alone():
            path = self.folder / BACKUPS
            before = path.read_text(encoding="ascii") if path.exists() else ""
            _writing(keysources.replace, path, f"{before}{public}\n")

    # --- rotation, step by step; every step may be taken again ---

    def wrapped_by(self, name: str) -> str:
        """Which key-encryption key the keys of this name hang on; empty where on none yet."""
        path = self.folder / f"{_checked(name)}.keys"
        return str(_parsed(path)["by"]) if path.exists() else ""

    def rewrap(self, name: str) -> str:
        """Wrap all keys of this name by its next key-encryption key; says which that is."""
        with self._alone():
            payload = self._load(name)
            if payload is None:
                raise _not_there(name)
            _writing(self._source(name).prepare)
            return self._store(name, payload)

    def finish_rewrap(self, name: str) -> None:
        """Unwrapped files of an older installation go, and so does the former key-encryption key."""
        with self._alone():
            if not (self.folder / f"{_checked(name)}.keys").exists():
                return
            old = ["log.ed25519"] if name == SERVICE else [f"{name}.root", f"{name}.age"]
            for each in old:
                (self.folder / each).unlink(missing_ok=True)
            _writing(self._source(name).adopt)

    def begin_identity(self, organisation: str) -> None:
        """A new age identity stands first; the former still opens. Nothing where one stands so."""
        with self._alone():
            payload = self._load(_checked(organisation))
            if payload is None:
                raise _not_there(organisation)
            if len(payload["ages"]) == 1:
                payload["ages"] = [str(x25519.Identity.generate()), *payload["ages"]]
                self._store(organisation, payload)

    def finish_identity(self, organisation: str) -> None:
        """Only the newest identity is kept."""
        with self._alone():
            payload = self._load(_checked(organisation))
            if payload is not None and len(payload["ages"]) > 1:
                payload["ages"] = payload["ages"][:1]
                self._store(organisation, payload)

    def begin_log(self) -> bytes:
        """The next signing seed lies ready; gives it."""
        self._service("log")
        with self._alone():
            payload = self._load(SERVICE) or {}
            if "log_next" not in payload:
                payload["log_next"] = keysources.new_key().strip()
                self._store(SERVICE, payload)
            return decoded(payload["log_next"])

    def finish_log(self) -> None:
        """The next seed signs from now on; the former's public half is kept for ever."""
        with self._alone():
            payload = self._load(SERVICE) or {}
            if "log_next" in payload:
                former = _public(decoded(payload["log"]))
                payload["log_past"] = [*payload.get("log_past", []), former]
                payload["log"] = payload.pop("log_next")
                self._store(SERVICE, payload)

    # --- inside ---

    def _organisation(self, organisation: str) -> dict[str, Any]:
        name = _checked(organisation)
        found = self._load(name)
        if found is not None:
            return found
        if not self.may_create:
            raise _not_there(name)
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
            raise _not_there(SERVICE)
        with self._alone():
            found = self._load(SERVICE) or {}
            if needed not in found:
                key = keysources.new_key().strip()
                found[needed] = key if needed == "log" else [str(x25519.Identity.generate())]
                self._store(SERVICE, found)
        return found

    def _source(self, name: str) -> keysources.Source:
        return keysources.source_of(self.folder, _checked(name))

    def _load(self, name: str) -> dict[str, Any] | None:
        stamped, opened = _opened.get((self.folder, name), ({}, {}))
        if opened and all(keysources.stamp(each) == was for each, was in stamped.items()):
            return dict(opened)
        path = self.folder / f"{name}.keys"
        if not path.exists():
            return self._unwrapped(name)
        stamps = {each: keysources.stamp(each) for each in (path, self.folder / keysources.SOURCES)}
        written = _parsed(path)
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
            raise _not_there(name)
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
            _writing(keysources.create, source.path, keysources.new_key())
        by, sealed = source.wrap(name, json.dumps(payload).encode())
        text = json.dumps(
            {"version": 1, "name": name, "by": by, "sealed": base64.b64encode(sealed).decode()}
        )
        path = self.folder / f"{name}.keys"
        _writing(keysources.replace, path, f"{text}\n")
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


def identities_in(path: Path) -> list[x25519.Identity]:
    """The private keys in a file of the age format. Raises BadInput; repeats nothing of them."""
    try:
        texts = keysources.lines(path)
        found = [x25519.Identity.from_str(text) for text in texts if text.startswith(IDENTITY)]
    except (OSError, ValueError, IdentityError):
        found = []
    if not found:
        raise BadInput(
            "identity", _("This file holds no age private key (a line AGE-SECRET-KEY-1…).")
        )
    return found


def _writing(write: Any, *given: Any) -> None:
    try:
        write(*given)
    except OSError as error:
        raise NotReady("key_unwritable", _("The key folder cannot be written now.")) from error


def _parsed(path: Path) -> dict[str, Any]:
    try:
        found: Any = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise _unreadable(path) from error
    if not isinstance(found, dict) or found.get("version") != 1 or not {"by", "sealed"} <= {*found}:
        raise _unreadable(path)
    return found


def _unreadable(path: Path) -> NotReady:
    return NotReady("key_unreadable", _("The key file %(name)s cannot be read.", name=path.name))


def _not_there(name: str) -> NotReady:
    return NotReady(
        "key_missing",
        _(
            "The keys of %(name)s are not in the key folder. Put them back, "
            "or run `manage.py makekeys` for a new installation.",
            name=name,
        ),
    )


def _checked(organisation: str) -> str:
    if not REFERENCE.match(organisation):
        raise NotReady("key_name", _("An organisation's key name holds only a-z, 0-9 and hyphens."))
    return organisation


def _public(seed: bytes) -> str:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return base64.b64encode(public).decode("ascii")


@lru_cache(maxsize=4096)
def _derive(root: bytes, label: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=label.encode()).derive(root)
