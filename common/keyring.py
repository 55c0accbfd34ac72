"""Where keys come from: a folder that stands outside the database and outside the data folder.

One root key for each organisation (client-number digests, subject keys and person keys are derived
from it), one age identity for each organisation (its sealed parts), one signing key for the log.
Nothing here is cached on disk elsewhere and nothing here is ever logged.
"""

import base64
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyrage import x25519

from common.errors import NotReady
from common.words import sentence as _

REFERENCE = re.compile(r"^[a-z0-9-]{1,80}$")


@dataclass(frozen=True)
class KeyRing:
    """A folder of key files: `<organisation>.root`, `<organisation>.age`, `log.ed25519`.

    `may_create` is for the first use of a demonstration only; otherwise a missing key is `NotReady`.
    """

    folder: Path
    may_create: bool = False

    def root(self, organisation: str) -> bytes:
        """The organisation's 32-byte root key."""
        return _decode(self._read(f"{_checked(organisation)}.root", _new_root))

    def derived(self, organisation: str, label: str) -> bytes:
        """32 bytes for one use, named by `label` (HKDF-SHA-256, RFC 5869)."""
        return _derive(self.root(organisation), label)

    def identity(self, organisation: str) -> x25519.Identity:
        """The age identity that opens this organisation's sealed parts."""
        text = self._read(f"{_checked(organisation)}.age", _new_identity)
        return x25519.Identity.from_str(text.strip())

    def log_seed(self) -> bytes:
        """The 32-byte Ed25519 seed that signs checkpoints."""
        return _decode(self._read("log.ed25519", _new_root))

    def install(self, organisation: str) -> None:
        """Make the keys of a new organisation; existing ones are left alone."""
        writable = KeyRing(self.folder, may_create=True)
        writable.root(organisation)
        writable.identity(organisation)

    def _read(self, name: str, make: Callable[[], str]) -> str:
        path = self.folder / name
        try:
            return path.read_text(encoding="ascii")
        except FileNotFoundError:
            if not self.may_create:
                raise NotReady(
                    "key_missing",
                    _(
                        "The key file %(name)s is not in the key folder. Put it back, "
                        "or run `manage.py makekeys` for a new installation.",
                        name=name,
                    ),
                ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise NotReady(
                "key_unreadable", _("The key file %(name)s cannot be read.", name=name)
            ) from error
        return _create(path, make())


def _checked(organisation: str) -> str:
    if not REFERENCE.match(organisation):
        raise NotReady("key_name", _("An organisation's key name holds only a-z, 0-9 and hyphens."))
    return organisation


def _decode(text: str) -> bytes:
    try:
        value = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        value = b""
    if len(value) != 32:
        raise NotReady("key_unreadable", _("A key file does not hold 32 bytes in base64."))
    return value


def _new_root() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode("ascii") + "\n"


def _new_identity() -> str:
    return str(x25519.Identity.generate()) + "\n"


def _create(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # the first of two makers wins; both then read the same key
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii")


@lru_cache(maxsize=4096)
def _derive(root: bytes, label: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=label.encode()).derive(root)
