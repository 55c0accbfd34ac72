"""A person's word in one audit case. Pure.

It is her tag under the case's nonce (`audit.rules.tag`), cut short: the same in one case however
often it is asked for, without relation to that of another case for whoever has not her own key, and
leading to nobody once that key is destroyed.
"""

from common.ids import ALPHABET

PREFIX = "hdl-"
SIGNS = 13  # 64 bits: nobody meets another's word by chance, and it can be read aloud


def word(tag: bytes) -> str:
    """How a tag of 32 bytes is written where people handle it."""
    number = int.from_bytes(tag, "big")
    signs = []
    for _ in range(SIGNS):
        number, place = divmod(number, len(ALPHABET))
        signs.append(ALPHABET[place])
    return PREFIX + "".join(signs)
