"""Files in the age format put together by hand, each seal right however strange the rest is."""

import base64
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyrage import x25519

from release.age import public_bytes

FILE_KEY = bytes(range(16))
NONCE = bytes(range(100, 116))


def text(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def key(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)


def stanza(recipient: x25519.Recipient, *, file_key: bytes = FILE_KEY) -> list[bytes]:
    """The two lines or more that hold the file key for one recipient."""
    theirs = public_bytes(recipient)
    own = X25519PrivateKey.from_private_bytes(bytes([7]) * 32)
    share = own.public_key().public_bytes_raw()
    secret = own.exchange(X25519PublicKey.from_public_bytes(theirs))
    wrapping = key(secret, share + theirs, b"age-encryption.org/v1/X25519")
    body = text(ChaCha20Poly1305(wrapping).encrypt(bytes(12), file_key, None))
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return [b"-> X25519 " + text(share), *lines, *([b""] if len(lines[-1]) == 64 else [])]


def made(
    lines: list[bytes],
    *,
    version: bytes = b"age-encryption.org/v1",
    stretches: list[bytes] | None = None,
) -> bytes:
    header = b"\n".join([version, *lines, b"---"])
    mac = hmac.digest(key(FILE_KEY, b"", b"header"), header, "sha256")
    cipher = ChaCha20Poly1305(key(FILE_KEY, NONCE, b"payload"))
    parts = stretches or [b"words"]
    sealed = [
        cipher.encrypt(at.to_bytes(11, "big") + bytes([at == len(parts) - 1]), part, None)
        for at, part in enumerate(parts)
    ]
    return b"".join([header, b" ", text(mac), b"\n", NONCE, *sealed])
