"""The key ring: a folder that stands outside the database and outside the data folder.

For each organisation one root key (client-number digests, people's keys and person keys are derived
from it) and one age identity (its sealed parts); for the service the key that signs the log and the
identity of the file of noes. They lie in `<name>.keys`, wrapped by that name's own key-encryption
key, which comes from a file, the environment or an agency's own agent (`common.keysources`).

An older installation has them unwrapped (`<name>.root`, `<name>.age`, `log.ed25519`); they are used
as they are until the first rotation wraps them. Nothing here is ever logged.
"""

import base64
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyrage import IdentityError, RecipientError, x25519

from common import keysources
from common.errors import BadInput, NotReady
from common.keyfolder import SERVICE, KeyFolder, checked, not_there, parsed, writing
from common.keysources import decoded
from common.words import sentence as _

NOES = "noes.recipient"
BACKUPS = "backup.recipients"
IDENTITY = "AGE-SECRET-KEY-"


@dataclass(frozen=True)
class KeyRing(KeyFolder):
    """The keys of every organisation and of the service, by name."""

    # --- an organisation's keys ---

    def root(self, organisation: str) -> bytes:
        """The organisation's 32-byte root key."""
        return decoded(self._organisation(organisation)["root"])

    def derived(self, organisation: str, label: str) -> bytes:
        """32 bytes for one use, named by `label` (HKDF-SHA-256, RFC 5869)."""
        return self.derived_each(organisation, label)[0]

    def derived_each(self, organisation: str, *labels: str) -> list[bytes]:
        """32 bytes for each use; the root key is fetched once.

        What was derived from a former root and must not change is kept as it was.
        """
        found = self._organisation(organisation)
        root, stays = decoded(found["root"]), found.get("stays", {})
        return [decoded(stays[each]) if each in stays else _derive(root, each) for each in labels]

    def derived_all(self, organisation: str, label: str) -> list[bytes]:
        """What opens whatever was sealed for one use: two, newest first, while the root is rotated."""
        found = self._organisation(organisation)
        return [_derive(decoded(each), label) for each in (found["root"], *found.get("former", []))]

    def identity(self, organisation: str) -> x25519.Identity:
        """The age identity to which this organisation's parts are sealed from now on."""
        return self.identities(organisation)[0]

    def identities(self, organisation: str) -> tuple[x25519.Identity, ...]:
        """All that open its parts, newest first; more than one while the identity is rotated."""
        ages = self._organisation(organisation)["ages"]
        return tuple(x25519.Identity.from_str(text) for text in ages)

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

    def staff_wraps(self) -> list[bytes]:
        """The 32 bytes that wrap each staff member's data key; made at the first use, where the
        service has keys already. Two, newest first, while they are rotated."""
        make = self._load(SERVICE) is not None
        found = self._service("staff", make=make)
        return [decoded(each) for each in (found["staff"], *found.get("staff_former", []))]

    def noes_recipient(self) -> x25519.Recipient:
        """To whom the file of noes is sealed; made at its first use. Needs no secret."""
        path = self.folder / NOES
        if not path.exists():
            identity = self._service("noes", make=True)["noes"][0]
            public = x25519.Identity.from_str(identity).to_public()
            writing(keysources.create, path, f"{public}\n")
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
            writing(keysources.replace, path, f"{before}{public}\n")

    def keep_backup_recipients(self, kept: Collection[str]) -> bool:
        """Of those who open backups only these, from now on; whether anything changed.

        Remarks in the file go. Raises NotReady where nobody would be left.
        """
        with self._alone():
            before = [str(each) for each in self.backup_recipients()]
            after = [each for each in dict.fromkeys(before) if each in kept]
            if not after:
                raise NotReady(
                    "backup_key_missing",
                    _("Nobody would be left who can open a backup. Name another one first."),
                )
            if after == before:
                return False
            writing(keysources.replace, self.folder / BACKUPS, "\n".join([*after, ""]))
            return True

    # --- rotation, step by step; every step may be taken again ---

    def wrapped_by(self, name: str) -> str:
        """Which key-encryption key the keys of this name hang on; empty where on none yet."""
        path = self.folder / f"{checked(name)}.keys"
        return str(parsed(path)["by"]) if path.exists() else ""

    def rewrap(self, name: str) -> str:
        """Wrap all keys of this name by its next key-encryption key; says which that is."""
        with self._alone():
            payload = self._load(name)
            if payload is None:
                raise not_there(name)
            writing(self._source(name).prepare)
            return self._store(name, payload)

    def finish_rewrap(self, name: str) -> None:
        """Unwrapped files of an older installation go, and so does the former key-encryption key."""
        with self._alone():
            if not (self.folder / f"{checked(name)}.keys").exists():
                return
            old = ["log.ed25519"] if name == SERVICE else [f"{name}.root", f"{name}.age"]
            for each in old:
                (self.folder / each).unlink(missing_ok=True)
            writing(self._source(name).adopt)

    def begin_identity(self, organisation: str) -> None:
        """A new age identity stands first; the former still opens. Nothing where one stands so."""
        with self._alone():
            payload = self._load(checked(organisation))
            if payload is None:
                raise not_there(organisation)
            if len(payload["ages"]) == 1:
                payload["ages"] = [str(x25519.Identity.generate()), *payload["ages"]]
                self._store(organisation, payload)

    def finish_identity(self, organisation: str) -> None:
        """Only the newest identity is kept."""
        with self._alone():
            payload = self._load(checked(organisation))
            if payload is not None and len(payload["ages"]) > 1:
                payload["ages"] = payload["ages"][:1]
                self._store(organisation, payload)

    def begin_root(self, organisation: str, stays: Collection[str]) -> str:
        """A new root key; the former one still opens. Nothing is made anew where one stands so.

        `stays`: the uses whose derived keys must not change. They are kept, and lead to no root.
        Says which root it is, by 16 signs that tell nothing else about it.
        """
        with self._alone():
            payload = self._load(checked(organisation))
            if payload is None:
                raise not_there(organisation)
            if not payload.get("former"):
                root, kept = decoded(payload["root"]), payload.get("stays", {})
                fresh = {each: _encoded(_derive(root, each)) for each in {*stays} - {*kept}}
                payload |= {
                    "former": [payload["root"]],
                    "root": keysources.new_key().strip(),
                    "stays": {**kept, **fresh},
                }
                self._store(organisation, payload)
            return sha256(b"sayso root key" + decoded(payload["root"])).hexdigest()[:16]

    def finish_root(self, organisation: str) -> None:
        """The former root is gone."""
        with self._alone():
            payload = self._load(checked(organisation))
            if payload is not None and payload.pop("former", None):
                self._store(organisation, payload)

    def begin_noes(self) -> None:
        """A new identity stands first, and noes are sealed to it from now on; the former opens."""
        self._service("noes", make=True)
        with self._alone():
            payload = self._load(SERVICE) or {}
            if len(payload["noes"]) == 1:
                payload["noes"] = [str(x25519.Identity.generate()), *payload["noes"]]
                self._store(SERVICE, payload)
            public = x25519.Identity.from_str(payload["noes"][0]).to_public()
            writing(keysources.replace, self.folder / NOES, f"{public}\n")

    def finish_noes(self) -> None:
        """Only the newest identity of the file of noes is kept."""
        with self._alone():
            payload = self._load(SERVICE) or {}
            if len(payload.get("noes", [])) > 1:
                payload["noes"] = payload["noes"][:1]
                self._store(SERVICE, payload)

    def begin_staff(self) -> str:
        """A new key wraps the data keys of staff; the former one still opens. Nothing is made anew
        where one stands so. Says which it is, by 16 signs that tell nothing else about it."""
        self.staff_wraps()
        with self._alone():
            payload = self._load(SERVICE) or {}
            if not payload.get("staff_former"):
                payload["staff_former"] = [payload["staff"]]
                payload["staff"] = keysources.new_key().strip()
                self._store(SERVICE, payload)
            return sha256(b"sayso staff key" + decoded(payload["staff"])).hexdigest()[:16]

    def finish_staff(self) -> None:
        """The former key of the data keys of staff is gone."""
        with self._alone():
            payload = self._load(SERVICE) or {}
            if payload.pop("staff_former", None):
                self._store(SERVICE, payload)

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


def _encoded(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")


def _public(seed: bytes) -> str:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return _encoded(public)


@lru_cache(maxsize=4096)
def _derive(root: bytes, label: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=label.encode()).derive(root)
