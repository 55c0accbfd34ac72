"""C2SP cosignatures, Ed25519 (0x04) and ML-DSA-44 (0x06): https://c2sp.org/tlog-cosignature.

A cosigner says of a checkpoint: at this second it was the largest head of this log that I have
seen, and it holds all that those before it held. Both types end in a `timestamped_signature`, eight
bytes of POSIX seconds and then the signature; they differ in what exactly is signed.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from audit.tlog.checkpoints import parse_checkpoint
from audit.tlog.notes import (
    Note,
    Signature,
    check_ed25519,
    key_id,
    parse_signature_lines,
    parse_vkey,
)
from audit.tlog.texts import LARGEST_SIZE, Malformed, Unproven, to_base64

ED25519_COSIGNATURE = b"\x04"
MLDSA44_COSIGNATURE = b"\x06"
STAMP = 8
ED25519_BYTES = STAMP + 64
MLDSA44_BYTES = STAMP + 2420


@dataclass(frozen=True)
class Cosigner:
    """The public half of an Ed25519 cosigner's key."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if len(self.public_key) != 32:
            raise Malformed("An Ed25519 public key has 32 bytes.")

    @cached_property
    def key_id(self) -> bytes:
        return key_id(self.name, ED25519_COSIGNATURE, self.public_key)

    def render(self) -> str:
        return _vkey(self.name, self.key_id, ED25519_COSIGNATURE + self.public_key)

    def check(self, text: str, signature: bytes) -> None:
        parse_checkpoint(text)
        at, value = _stamped(self.name, signature, ED25519_BYTES)
        check_ed25519(self.name, self.public_key, value, ed25519_message(text, at))


@dataclass(frozen=True)
class QuantumCosigner:
    """The public half of an ML-DSA-44 cosigner's key."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if len(self.public_key) != 1312:
            raise Malformed("An ML-DSA-44 public key has 1312 bytes.")

    @cached_property
    def key_id(self) -> bytes:
        return key_id(self.name, MLDSA44_COSIGNATURE, self.public_key)

    def render(self) -> str:
        return _vkey(self.name, self.key_id, MLDSA44_COSIGNATURE + self.public_key)

    def check(self, text: str, signature: bytes) -> None:
        at, value = _stamped(self.name, signature, MLDSA44_BYTES)
        message = mldsa44_message(self.name, text, at)
        try:
            MLDSA44PublicKey.from_public_bytes(self.public_key).verify(value, message)
        except (InvalidSignature, ValueError):
            raise Unproven(f"The signature of {self.name} is not over this text.") from None


AnyCosigner: TypeAlias = Cosigner | QuantumCosigner


@dataclass(frozen=True)
class CosigningKey:
    """The private half of an Ed25519 cosigner's key, and the second at which it signs."""

    name: str
    seed: bytes = field(repr=False)
    at: int = 0

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @cached_property
    def cosigner(self) -> Cosigner:
        return Cosigner(self.name, self._key.public_key().public_bytes_raw())

    def sign(self, note: Note) -> Note:
        """The checkpoint's note with the cosignature below whatever stood there."""
        parse_checkpoint(note.text)
        value = self._key.sign(ed25519_message(note.text, self.at))
        return _with(note, self.name, self.cosigner.key_id, self.at, value)


@dataclass(frozen=True)
class QuantumCosigningKey:
    """The same with an ML-DSA-44 key, which is made of a 32-byte seed as well."""

    name: str
    seed: bytes = field(repr=False)
    at: int = 0

    @cached_property
    def _key(self) -> MLDSA44PrivateKey:
        return MLDSA44PrivateKey.from_seed_bytes(self.seed)

    @cached_property
    def cosigner(self) -> QuantumCosigner:
        return QuantumCosigner(self.name, self._key.public_key().public_bytes_raw())

    def sign(self, note: Note) -> Note:
        """The checkpoint's note with the cosignature below whatever stood there."""
        value = self._key.sign(mldsa44_message(self.name, note.text, self.at))
        return _with(note, self.name, self.cosigner.key_id, self.at, value)


def parse_cosigner(text: str) -> AnyCosigner:
    """Reads a cosigner's verifier key of either type."""
    name, kind, public_key = parse_vkey(text)
    if kind == ED25519_COSIGNATURE:
        return Cosigner(name, public_key)
    if kind == MLDSA44_COSIGNATURE:
        return QuantumCosigner(name, public_key)
    raise Malformed("The verifier key is not one of a cosigner (type 0x04 or 0x06).")


def ed25519_message(text: str, at: int) -> bytes:
    """What an Ed25519 cosigner signs: two lines, then the whole text of the checkpoint."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def mldsa44_message(name: str, text: str, at: int) -> bytes:
    """What an ML-DSA-44 cosigner signs: `cosigned_message` over the whole tree.

    It names the cosigner; a checkpoint's extension lines are not in it.
    """
    head = parse_checkpoint(text)
    return (
        b"subtree/v1\n\0"
        + _opaque(name)
        + at.to_bytes(STAMP, "big")
        + _opaque(head.origin)
        + bytes(8)
        + head.size.to_bytes(8, "big")
        + head.root
    )


def stamp(signature: Signature) -> int:
    """The second that a cosignature names; believe it only once the cosignature is checked."""
    return int.from_bytes(signature.value[:STAMP], "big")


def cosignatures(
    text: str, lines: str, cosigners: Collection[AnyCosigner]
) -> tuple[Signature, ...]:
    """Of signature lines that a witness answered, those of these cosigners, each one checked.

    Raises Malformed where a line is none, Unproven where one of theirs is not over `text`.
    """
    known = {(each.name, each.key_id): each for each in cosigners}
    found = []
    for signature in parse_signature_lines(lines):
        cosigner = known.get((signature.name, signature.key_id))
        if cosigner is not None:
            cosigner.check(text, signature.value)
            found.append(signature)
    return tuple(found)


def _stamped(name: str, signature: bytes, size: int) -> tuple[int, bytes]:
    at = int.from_bytes(signature[:STAMP], "big")
    if len(signature) != size or not 0 < at <= LARGEST_SIZE:
        raise Malformed(f"The cosignature of {name} has no time in it or another length.")
    return at, signature[STAMP:]


def _with(note: Note, name: str, identity: bytes, at: int, value: bytes) -> Note:
    if not 0 < at <= LARGEST_SIZE:
        raise Malformed("A cosignature is made at a second after 1970.")
    signature = Signature(name, identity, at.to_bytes(STAMP, "big") + value)
    return replace(note, signatures=(*note.signatures, signature))


def _opaque(text: str) -> bytes:
    value = text.encode()
    if not 0 < len(value) < 256:
        raise Malformed("A name in an ML-DSA-44 cosignature has 1 to 255 bytes.")
    return bytes([len(value)]) + value


def _vkey(name: str, identity: bytes, material: bytes) -> str:
    return f"{name}+{identity.hex()}+{to_base64(material)}"
