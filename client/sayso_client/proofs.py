"""Checking that an answer stands in a signed log, from the published formats alone.

C2SP tlog-proof, tlog-checkpoint and signed-note over an RFC 6962 tree; nothing of the service's own
code is used, so that a mistake there is not repeated here.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sayso_client.trouble import Code, Trouble

HEADER = "c2sp.org/tlog-proof@v1"
ED25519 = b"\x01"


@dataclass(frozen=True)
class LogKey:
    """The log's public key, as `manage.py log_key` prints it."""

    name: str
    key_id: bytes
    public: bytes

    @classmethod
    def read(cls, text: str) -> "LogKey":
        try:
            name, key_id, encoded = text.strip().split("+", 2)
            material = base64.b64decode(encoded, validate=True)
            key = cls(name, bytes.fromhex(key_id), material[1:])
        except (ValueError, binascii.Error):
            raise Trouble(Code.USAGE, "The log key is not of the form name+id+key.") from None
        own = sha256(name.encode() + b"\n" + material).digest()[:4]
        if material[:1] != ED25519 or own != key.key_id:
            raise Trouble(Code.USAGE, "The log key does not agree with its own id.")
        return key


@dataclass(frozen=True)
class Proven:
    """What a proof shows: the entry, and the log's size and root that hold it."""

    entry: dict[str, Any]
    index: int
    size: int
    signed: bool


def check(text: str, key: LogKey | None) -> Proven:
    """The entry that this proof shows. Raises Trouble where it shows nothing.

    Without a key the path is checked and the signature is not: `signed` says so.
    """
    try:
        return _check(text, key)
    except (ValueError, KeyError, IndexError, binascii.Error):
        raise _broken("is not of the form that such proofs have") from None


def _check(text: str, key: LogKey | None) -> Proven:
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    if lines.pop(0) != HEADER:
        raise ValueError
    leaf = base64.b64decode(lines.pop(0).removeprefix("extra "), validate=True)
    index = int(lines.pop(0).removeprefix("index "))
    path = [base64.b64decode(line, validate=True) for line in lines]
    body, _, signatures = note.rpartition("\n\n")
    origin, size, root = (body + "\n").split("\n")[:3]
    value = _root(sha256(b"\x00" + leaf).digest(), index, int(size), path)
    if value != base64.b64decode(root, validate=True):
        raise _broken("does not lead from this answer to the log's signed head")
    if key is not None:
        _check_signature(body + "\n", signatures, origin, key)
    entry = json.loads(leaf)
    return Proven(entry, index, int(size), signed=key is not None)


def _root(value: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        raise ValueError
    place, edge = index, size - 1
    for sibling in path:
        if edge == 0:
            raise ValueError
        if place & 1 or place == edge:
            value = sha256(b"\x01" + sibling + value).digest()
            while not place & 1 and place:
                place, edge = place >> 1, edge >> 1
        else:
            value = sha256(b"\x01" + value + sibling).digest()
        place, edge = place >> 1, edge >> 1
    if edge:
        raise ValueError
    return value


def _check_signature(body: str, signatures: str, origin: str, key: LogKey) -> None:
    for line in signatures.splitlines():
        _, name, encoded = line.split(" ")
        value = base64.b64decode(encoded, validate=True)
        if name == key.name == origin and value[:4] == key.key_id:
            try:
                Ed25519PublicKey.from_public_bytes(key.public).verify(value[4:], body.encode())
            except InvalidSignature:
                break
            return
    raise _broken("was not signed with the log key you gave")


def _broken(what: str) -> Trouble:
    return Trouble(
        Code.TAMPERED, f"The proof {what}. Do not use the files; tell the service's administrator."
    )
