"""What a person is called in the packages of one agreement. Pure.

AES-256 of her slot under the agreement's own key: a permutation. Two people never share one, and
without the key none leads to a slot or to the same person's key under another agreement.
"""

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from consent.rules import Slots

SIZE = 16  # bytes a person


def key_blocks(key: bytes, slots: Slots) -> bytes:
    """The keys as bytes, 16 a person."""
    blocks = np.zeros((len(slots), 4), dtype=">u4")
    blocks[:, 3] = slots
    encryptor = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()  # noqa: S305 - single blocks
    return encryptor.update(blocks.tobytes()) + encryptor.finalize()


def in_hexadecimal(blocks: bytes) -> list[str]:
    """Each key as 32 signs."""
    return [blocks[start : start + SIZE].hex() for start in range(0, len(blocks), SIZE)]
