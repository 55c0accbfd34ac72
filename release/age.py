"""The age format, version 1, for X25519 recipients, its bytes run through OpenSSL's cipher.

Source: https://github.com/C2SP/C2SP/blob/main/age.md. Keys are made, read and printed by the age
library; only whole parts in memory go this way, because that library holds Python's lock while it
seals and takes four to six times as long (ADR 31). The tests hold the two to each other.
"""

import base64
import binascii
import hmac
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyrage import x25519

VERSION = b"age-encryption.org/v1"
WRAPPING = VERSION + b"/X25519"
STANZA = re.compile(rb"->( [!-~]+)+")
CLOSING = b"---"
HEADER = re.compile(
    rb"(?P<header>age-encryption\.org/v1\n(?P<stanzas>(?:[^\n]*\n)*?)---) (?P<mac>[A-Za-z0-9+/]{43})\n"
)
LINE = 64  # signs of a stanza's body on each line but its last, which is shorter
CHUNK = 64 * 1024
TAG = 16
NONCE = 16
FILE_KEY = 16
WRAPPED = FILE_KEY + TAG
MOST_HEADER = 64 * 1024
NO_NONCE = bytes(12)  # each of these keys seals one thing only
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
CHECKSUM = 6  # signs


class NotOpenedError(Exception):
    """It is not in the age format, no given identity opens it, or its bytes were changed."""


def sealed(data: bytes, recipients: Sequence[x25519.Recipient]) -> bytes:
    """The bytes, sealed so that each recipient alone opens them; at least one is named."""
    if not recipients:
        raise ValueError("Something is sealed to somebody.")
    file_key = os.urandom(FILE_KEY)
    lines = [VERSION]
    for recipient in recipients:
        lines += _stanza(file_key, public_bytes(recipient))
    header = b"\n".join([*lines, CLOSING])
    nonce = os.urandom(NONCE)
    cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
    start = b"".join([header, b" ", _text(_mac(file_key, header)), b"\n", nonce])
    whole = bytearray(len(start) + len(data) + TAG * max(1, -(-len(data) // CHUNK)))
    whole[: len(start)] = start
    left = memoryview(whole)[len(start) :]
    for number, chunk in _numbered(memoryview(data), CHUNK):
        left = left[cipher.encrypt_into(number, chunk, None, left[: len(chunk) + TAG]) :]
    return bytes(whole)


def opened(data: bytes, identities: Iterable[x25519.Identity]) -> bytes:
    """What was sealed to one of the identities. Raises NotOpenedError."""
    header, mac, stanzas, start = _header(data)
    file_key = _file_key(stanzas, identities)
    if not hmac.compare_digest(_mac(file_key, header), mac):
        raise NotOpenedError
    view = memoryview(data)[start:]
    nonce, rest = bytes(view[:NONCE]), view[NONCE:]
    cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
    count = max(1, -(-len(rest) // (CHUNK + TAG)))
    last = len(rest) - (count - 1) * (CHUNK + TAG)
    if last < TAG or (last == TAG and count > 1):  # only what is empty as a whole ends with nothing
        raise NotOpenedError
    whole = bytearray(len(rest) - count * TAG)
    left = memoryview(whole)
    try:
        for number, chunk in _numbered(rest, CHUNK + TAG):
            left = left[cipher.decrypt_into(number, chunk, None, left[: len(chunk) - TAG]) :]
    except (InvalidTag, ValueError) as error:
        raise NotOpenedError from error
    return bytes(whole)


def public_bytes(recipient: x25519.Recipient) -> bytes:
    """The recipient's X25519 public key, 32 bytes."""
    return _raw(str(recipient))


def _numbered(view: memoryview, size: int) -> Iterator[tuple[bytes, memoryview]]:
    """Each chunk with its nonce: eleven bytes that count and one that marks the last."""
    last = max(0, -(-len(view) // size) - 1)
    for number in range(last + 1):
        mark = b"\x01" if number == last else b"\x00"
        yield number.to_bytes(11, "big") + mark, view[number * size : (number + 1) * size]


def _stanza(file_key: bytes, recipient: bytes) -> list[bytes]:
    own = X25519PrivateKey.generate()
    share = own.public_key().public_bytes_raw()
    wrapping = _wrapping(own, recipient, share + recipient)
    body = ChaCha20Poly1305(wrapping).encrypt(NO_NONCE, file_key, None)
    return [b"-> X25519 " + _text(share), _text(body)]  # one short line: 43 signs


def _file_key(stanzas: list[tuple[bytes, bytes]], identities: Iterable[x25519.Identity]) -> bytes:
    for identity in identities:
        secret = X25519PrivateKey.from_private_bytes(_raw(str(identity)))
        public = secret.public_key().public_bytes_raw()
        for share, body in stanzas:
            try:
                wrapping = _wrapping(secret, share, share + public)
                return ChaCha20Poly1305(wrapping).decrypt(NO_NONCE, body, None)
            except (InvalidTag, ValueError):  # another's; or a share that gives a secret of zeros
                continue
    raise NotOpenedError


def _wrapping(secret: X25519PrivateKey, share: bytes, salt: bytes) -> bytes:
    return _derived(secret.exchange(X25519PublicKey.from_public_bytes(share)), salt, WRAPPING)


def _header(data: bytes) -> tuple[bytes, bytes, list[tuple[bytes, bytes]], int]:
    """The header up to its MAC, the MAC, share and body of each X25519 stanza, where the rest begins."""
    found = HEADER.match(data, 0, MOST_HEADER)
    if found is None:
        raise NotOpenedError
    lines = found["stanzas"].split(b"\n")[:-1]
    return found["header"], _bytes(found["mac"]), list(_stanzas(lines)), found.end()


def _stanzas(lines: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Share and body of the X25519 stanzas; those of other kinds are somebody else's."""
    left = iter(lines)
    for line in left:
        if not STANZA.fullmatch(line):
            raise NotOpenedError
        _arrow, kind, *arguments = line.split(b" ")
        body = []
        for each in left:
            body.append(each)
            if len(each) < LINE:
                break
        if not body or len(body[-1]) >= LINE or any(len(each) > LINE for each in body):
            raise NotOpenedError
        content = _bytes(b"".join(body))
        if kind != b"X25519":
            continue
        shares = [_bytes(each) for each in arguments]
        if [len(each) for each in [*shares, content]] != [32, WRAPPED]:
            raise NotOpenedError
        yield shares[0], content


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.digest(_derived(file_key, None, b"header"), header, "sha256")


def _derived(secret: bytes, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)


def _text(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _bytes(text: bytes) -> bytes:
    """Base64 without padding, in its one canonical form."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise NotOpenedError from error
    if _text(data) != text:
        raise NotOpenedError
    return data


@lru_cache(maxsize=64)
def _raw(key: str) -> bytes:
    """The 32 bytes of a key that the age library printed: Bech32, which it has checked."""
    signs = key.lower().rpartition("1")[2][:-CHECKSUM]
    bits = 0
    for sign in signs:
        bits = bits << 5 | BECH32.index(sign)
    return (bits >> (5 * len(signs) - 256)).to_bytes(32, "big")
