"""A witness's own key files: one line, the seed behind the name it belongs to.

`PRIVATE+KEY+<name>+<key id>+<base64 of type and seed>`, as Go's note package writes its own.
"""

import os
import secrets
import stat
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from audit.tlog.cosignatures import (
    ED25519_COSIGNATURE,
    MLDSA44_COSIGNATURE,
    CosigningKey,
    QuantumCosigningKey,
)
from audit.tlog.notes import check_name
from audit.tlog.texts import Malformed, parse_base64, to_base64

PREFIX = "PRIVATE+KEY+"
KINDS = {"ed25519": ED25519_COSIGNATURE, "ml-dsa-44": MLDSA44_COSIGNATURE}
AnyKey: TypeAlias = CosigningKey | QuantumCosigningKey


class Unusable(Exception):
    """Something that must be there before a witness can begin is not, or not as it must be."""


def make(file: Path, *, name: str, kind: str) -> AnyKey:
    """A new key in a new file that nobody else can read."""
    try:
        check_name(name)
    except Malformed as error:
        raise Unusable(str(error)) from error
    seed = secrets.token_bytes(32)
    key = _key(name, KINDS[kind], seed)
    identity = key.cosigner.key_id.hex()
    line = f"{PREFIX}{name}+{identity}+{to_base64(KINDS[kind] + seed)}\n"
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Unusable(f"{file.name} is there already; it is left alone.") from None
    except OSError as error:
        raise Unusable(f"{file.name} cannot be written: {error.strerror}.") from error
    with os.fdopen(handle, "w", encoding="ascii") as opened:
        opened.write(line)
        opened.flush()
        os.fsync(opened.fileno())
    return key


def read(file: Path) -> AnyKey:
    """The key of a file; Unusable where it is none, or where others could read it."""
    try:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise Unusable(f"Others can read {file.name}. Take that away: chmod 600.")
        line = file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise Unusable(f"The key file {file.name} cannot be read.") from None
    try:
        return _parsed(line.removesuffix("\n"))
    except Malformed as error:
        raise Unusable(f"The key file {file.name} holds no witness's key. {error}") from None


def signing(key: AnyKey, at: int) -> AnyKey:
    """The same key, about to sign at this second."""
    return replace(key, at=at)


def _parsed(line: str) -> AnyKey:
    if not line.startswith(PREFIX):
        raise Malformed(f"It begins with {PREFIX}.")
    parts = line.removeprefix(PREFIX).split("+", 2)
    if len(parts) != 3:
        raise Malformed("It has five parts joined by plus signs.")
    name, identity, encoded = parts
    check_name(name)
    material = parse_base64(encoded, what="key")
    if len(material) != 33 or material[:1] not in KINDS.values():
        raise Malformed("It is of another kind.")
    key = _key(name, material[:1], material[1:])
    if key.cosigner.key_id.hex() != identity:
        raise Malformed("Its id is not the one of its name and key.")
    return key


def _key(name: str, kind: bytes, seed: bytes) -> AnyKey:
    return (CosigningKey if kind == ED25519_COSIGNATURE else QuantumCosigningKey)(name, seed)
