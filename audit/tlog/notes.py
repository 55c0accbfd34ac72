"""C2SP signed notes with Ed25519 keys: https://c2sp.org/signed-note."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from audit.tlog.texts import Malformed, Unproven, parse_base64, to_base64

ED25519 = b"\x01"
DASH = "\u2014"
MOST_SIGNATURES = 64
LARGEST_NOTE = 1_000_000


@dataclass(frozen=True)
class Signature:
    """One line below a note: who claims to have signed, and with what bytes."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        return f"{DASH} {self.name} {to_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True)
class Note:
    """A text and the signatures below it, known and unknown ones alike."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def render(self) -> str:
        return self.text + "\n" + "".join(signature.line() for signature in self.signatures)


class Known(Protocol):
    """The public half of a key of any kind: what tells its lines from others, and checks them."""

    @property
    def name(self) -> str: ...

    @property
    def key_id(self) -> bytes: ...

    def check(self, text: str, signature: bytes) -> None:
        """Raises `Malformed` or `Unproven` unless `signature` is this key's over `text`."""


class Signs(Protocol):
    """The private half of a key of any kind: one more line below a note."""

    def sign(self, note: Note) -> Note: ...


def key_id(name: str, kind: bytes, public_key: bytes) -> bytes:
    """The four bytes that C2SP signed-note gives a key of this name, type and encoding."""
    return sha256(name.encode() + b"\n" + kind + public_key).digest()[:4]


@dataclass(frozen=True)
class Verifier:
    """The public half of a note key."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.public_key) != 32:
            raise Malformed("An Ed25519 public key has 32 bytes.")

    @cached_property
    def key_id(self) -> bytes:
        return key_id(self.name, ED25519, self.public_key)

    def render(self) -> str:
        """The key in the one-line form that other verifiers take."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(ED25519 + self.public_key)}"

    def check(self, text: str, signature: bytes) -> None:
        check_ed25519(self.name, self.public_key, signature, text.encode())


@dataclass(frozen=True)
class Signer:
    """The private half of a note key: a name and a 32-byte Ed25519 seed."""

    name: str
    seed: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.seed) != 32:
            raise Malformed("An Ed25519 seed has 32 bytes.")

    def __repr__(self) -> str:
        return f"Signer(name={self.name!r})"

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @cached_property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self._key.public_key().public_bytes_raw())

    def sign(self, note: Note) -> Note:
        """The note with one more signature; those that stood below it are kept."""
        _check_text(note.text)
        signature = Signature(self.name, self.verifier.key_id, self._key.sign(note.text.encode()))
        return replace(note, signatures=(*note.signatures, signature))


def parse_verifier(text: str) -> Verifier:
    """Reads `name+8 hex digits+base64` of an Ed25519 note key, such as a log's."""
    name, kind, public_key = parse_vkey(text)
    if kind != ED25519:
        raise Malformed("The verifier key is not of the Ed25519 kind.")
    return Verifier(name, public_key)


def parse_vkey(text: str) -> tuple[str, bytes, bytes]:
    """Name, type byte and public key of a verifier key of any type; an id not its own is refused."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise Malformed("A verifier key has three parts joined by plus signs.")
    name, identity, encoded = parts
    check_name(name)
    material = parse_base64(encoded, what="verifier key")
    kind, public_key = material[:1], material[1:]
    if key_id(name, kind, public_key).hex() != identity:
        raise Malformed("The verifier key's id is not the one of its name and key.")
    return name, kind, public_key


def check_ed25519(name: str, public_key: bytes, signature: bytes, message: bytes) -> None:
    """Raises `Unproven` unless the signature is over this very message."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise Unproven(f"The signature of {name} is not over this text.") from None


def parse_note(text: str) -> Note:
    """Reads a note without believing it."""
    if len(text) > LARGEST_NOTE:
        raise Malformed("The note is too long.")
    _check_characters(text)
    border = text.rfind("\n\n")
    if border < 0 or not text.endswith("\n"):
        raise Malformed("A note is a text, an empty line and signature lines, each ended.")
    body, lines = text[: border + 1], text[border + 2 :].split("\n")[:-1]
    if not lines:
        raise Malformed("The note has no signature.")
    if len(lines) > MOST_SIGNATURES:
        raise Malformed(f"The note has more than {MOST_SIGNATURES} signatures.")
    return Note(body, tuple(_parse_signature(line) for line in lines))


def parse_signature_lines(text: str) -> tuple[Signature, ...]:
    """Reads signature lines that stand alone, as a witness answers them."""
    if text.startswith("\n") or "\n\n" in text:
        raise Malformed("Signature lines that stand alone have no empty line among them.")
    return parse_note("-\n\n" + text).signatures


def open_note(text: str, verifiers: Collection[Known]) -> Note:
    """Reads a note that at least one of these keys signed, and none of them falsely.

    Lines of keys that are not among these are kept and believed in nothing: another key of the
    log's, a witness, a kind of signature that nobody knew when this was written.
    """
    note = parse_note(text)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    proven = 0
    for signature in note.signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is not None:
            verifier.check(note.text, signature.value)
            proven += 1
    if not proven:
        raise Unproven("No known key has signed this note.")
    return note


def _parse_signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != DASH:
        raise Malformed("A signature line is a dash, a name and base64, with single spaces.")
    check_name(parts[1])
    value = parse_base64(parts[2], what="signature")
    if len(value) < 5:
        raise Malformed("A signature has four bytes of key id and at least one more.")
    return Signature(parts[1], value[:4], value[4:])


def check_name(name: str) -> None:
    """Raises `Malformed` unless this may be the name of a key."""
    if not name or "+" in name or any(sign.isspace() or sign < " " for sign in name):
        raise Malformed("A key name is not empty and holds no space and no plus sign.")


def _check_text(text: str) -> None:
    _check_characters(text)
    if not text.endswith("\n"):
        raise Malformed("The text of a note ends with a newline.")


def _check_characters(text: str) -> None:
    if any(sign < " " and sign != "\n" for sign in text):
        raise Malformed("A note holds no control character other than newline.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Malformed("The note is not valid UTF-8.") from None
