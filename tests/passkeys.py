"""A passkey as a phone keeps one, made of a key and the bytes that the WebAuthn standard asks for."""

import json
import secrets
import struct
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode

ORIGIN = "https://testserver"


class Phone:
    """Answers what a page asks its browser, as the page's script sends it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.number = secrets.token_bytes(16)

    def make(self, asked: dict[str, Any], origin: str = ORIGIN) -> str:
        options = asked["publicKey"]
        public = ES256.from_cryptography_key(self.key.public_key())
        credential = bytes(16) + struct.pack(">H", 16) + self.number + cbor.encode(public)
        # user present and verified, and a credential follows
        data = self._data(options["rp"]["id"], 0x45) + credential
        said = {"fmt": "none", "attStmt": {}, "authData": data}
        return self._answer(
            attestationObject=cbor.encode(said),
            clientDataJSON=self._client("webauthn.create", options["challenge"], origin),
        )

    def show(self, asked: dict[str, Any], origin: str = ORIGIN) -> str:
        options = asked["publicKey"]
        client = self._client("webauthn.get", options["challenge"], origin)
        data = self._data(options["rpId"], 0x05)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(authenticatorData=data, clientDataJSON=client, signature=signature)

    def _data(self, place: str, flags: int) -> bytes:
        return sha256(place.encode()).digest() + bytes([flags]) + struct.pack(">I", 0)

    def _client(self, kind: str, challenge: str, origin: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": origin}).encode()

    def _answer(self, **response: bytes) -> str:
        number = websafe_encode(self.number)
        said = {name: websafe_encode(value) for name, value in response.items()}
        return json.dumps(
            {"id": number, "rawId": number, "type": "public-key", "response": said, "more": "x"}
        )
