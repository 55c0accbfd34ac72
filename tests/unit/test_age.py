"""What we seal the age library opens, what it seals we open, and what was changed nobody opens."""

import base64
import os

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrage import x25519

from release.age import CHUNK, NotOpenedError, opened, sealed
from tests.made_age import FILE_KEY, made, stanza

OURS, THEIRS = x25519.Identity.generate(), x25519.Identity.generate()
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7]
CLEAR = os.urandom(2 * CHUNK + 7)
SEALED = sealed(CLEAR, [OURS.to_public()])
SHARE, BODY, MAC = (
    SEALED.split(b"\n")[1].removeprefix(b"-> X25519 "),
    SEALED.split(b"\n")[2],
    SEALED.split(b"\n")[3].removeprefix(b"--- "),
)
START = SEALED.index(MAC) + len(MAC) + 1  # of the nonce
CHUNKS = START + 16


@pytest.mark.parametrize("size", SIZES)
def test_each_opens_what_the_other_sealed(size: int) -> None:
    data = CLEAR[:size]
    assert pyrage.decrypt(sealed(data, [OURS.to_public()]), [OURS]) == data
    assert opened(pyrage.encrypt(data, [OURS.to_public()]), [OURS]) == data


@given(st.binary(max_size=300), st.integers(0, 2))
def test_each_of_several_recipients_opens_it(data: bytes, place: int) -> None:
    people = [x25519.Identity.generate() for _ in range(3)]
    whole = sealed(data, [each.to_public() for each in people])
    assert pyrage.decrypt(whole, [people[place]]) == opened(whole, [people[place]]) == data


def test_a_former_identity_opens_what_was_sealed_to_it() -> None:
    assert opened(SEALED, [THEIRS, OURS]) == CLEAR


def test_another_identity_or_none_opens_nothing() -> None:
    for identities in ([THEIRS], []):
        with pytest.raises(NotOpenedError):
            opened(SEALED, identities)


def test_the_same_bytes_are_never_sealed_twice_alike() -> None:
    assert sealed(CLEAR, [OURS.to_public()])[START:] != SEALED[START:]


def test_nothing_is_sealed_to_nobody() -> None:
    with pytest.raises(ValueError, match="somebody"):
        sealed(CLEAR, [])


def chunk(number: int) -> bytes:
    return SEALED[CHUNKS + number * (CHUNK + 16) : CHUNKS + (number + 1) * (CHUNK + 16)]


def low_order() -> bytes:
    """A share with which every secret makes nothing but zeros."""
    return SEALED.replace(SHARE, base64.b64encode(bytes(32)).rstrip(b"="))


CHANGED = {
    "empty": b"",
    "not this format at all": b"PAR1" + CLEAR,
    "another version": SEALED.replace(b"/v1", b"/v2", 1),
    "lines that end as elsewhere": SEALED[:START].replace(b"\n", b"\r\n") + SEALED[START:],
    "without the line that closes the header": SEALED.replace(b"\n--- ", b"\n-- ", 1),
    "closed and never ended": SEALED[: START - 1],
    "a code that is not the header's": SEALED.replace(MAC, base64.b64encode(bytes(32))[:-1], 1),
    "a code cut short": SEALED.replace(MAC, MAC[:-4], 1),
    "a header added to": SEALED.replace(b"--- ", b"-> grease\n\n--- ", 1),
    "a share cut short": SEALED.replace(SHARE, SHARE[:-4], 1),
    "a share of zeros": low_order(),
    "two shares": SEALED.replace(SHARE, SHARE + b" " + SHARE, 1),
    "an empty argument": SEALED.replace(SHARE, SHARE + b" ", 1),
    "an argument beyond ASCII": SEALED.replace(SHARE, SHARE + " é".encode(), 1),
    "a stanza of another kind alone": SEALED.replace(b"X25519", b"x25519", 1),
    "text that is not base64": SEALED.replace(BODY, b"?" + BODY[1:], 1),
    "base64 with padding": SEALED.replace(BODY, BODY + b"=", 1),
    "a body cut short": SEALED.replace(BODY, BODY[:-4], 1),
    "a body without an end": SEALED.replace(BODY, b"A" * 64, 1),
    "a line too long": SEALED.replace(BODY, b"A" * 65, 1),
    "no nonce": SEALED[:START],
    "half a nonce": SEALED[: START + 8],
    "no rows": SEALED[:CHUNKS],
    "half a tag": SEALED[: CHUNKS + 8],
    "without its last stretch": SEALED[: CHUNKS + 2 * (CHUNK + 16)],
    "cut within a stretch": SEALED[:-1],
    "one byte more": SEALED + b"\0",
    "an empty stretch behind": SEALED + bytes(16),
    "stretches exchanged": SEALED[:CHUNKS] + chunk(1) + chunk(0) + chunk(2),
    "a stretch twice": SEALED[:CHUNKS] + chunk(0) + chunk(0) + chunk(1) + chunk(2),
    "a stretch left out": SEALED[:CHUNKS] + chunk(1) + chunk(2),
    "a stretch of another file": SEALED[:CHUNKS]
    + sealed(CLEAR, [OURS.to_public()])[CHUNKS : CHUNKS + CHUNK + 16]
    + chunk(1)
    + chunk(2),
}


@pytest.mark.parametrize("what", CHANGED)
def test_what_was_changed_does_not_open(what: str) -> None:
    changed = CHANGED[what]
    assert changed != SEALED
    with pytest.raises(NotOpenedError):
        opened(changed, [OURS])


TO_OURS = stanza(OURS.to_public())
ARROW, WRAPPED = TO_OURS
LONG = base64.b64encode(bytes(96)).rstrip(b"=")  # two lines of 64 signs
MISMADE = {
    "another version": made([*TO_OURS], version=b"age-encryption.org/v2"),
    "two shares": made([ARROW + b" " + ARROW.split()[2], WRAPPED]),
    "a share cut short": made([ARROW[:-4], WRAPPED]),
    "no share": made([b"-> X25519", WRAPPED]),
    "an empty argument": made([*TO_OURS, b"-> other  words", b""]),
    "an argument beyond ASCII": made([*TO_OURS, "-> otro año".encode(), b""]),
    "no arrow": made([*TO_OURS, b"other words", b""]),
    "no kind": made([*TO_OURS, b"-> ", b""]),
    "a body that never ends": made([*TO_OURS, b"-> other", LONG[:64]]),
    "a line too long": made([*TO_OURS, b"-> other", LONG[:68], b""]),
    "no body": made([*TO_OURS, b"-> other"]),
    "a body with padding": made([*TO_OURS, b"-> other", b"AA=="]),
    "a body in another form": made([*TO_OURS, b"-> other", b"AB"]),  # AA says the same byte
    "a key of another size": made(stanza(OURS.to_public(), file_key=FILE_KEY * 2)),
    "an empty last stretch": made([*TO_OURS], stretches=[bytes(CHUNK), b""]),
    "a short stretch before the last": made([*TO_OURS], stretches=[b"one", b"two"]),
}


@pytest.mark.parametrize("what", MISMADE)
def test_what_is_made_otherwise_than_the_format_says_does_not_open(what: str) -> None:
    """With every seal right: strangeness alone is enough."""
    with pytest.raises(NotOpenedError):
        opened(MISMADE[what], [OURS])


def test_what_is_made_by_the_format_by_hand_opens() -> None:
    whole = made(
        [
            b"-> other with words",
            LONG[:64],
            b"AA",
            *TO_OURS,
            b"-> other",
            LONG[:64],
            LONG[64:],
            b"",
        ],
        stretches=[bytes(CHUNK), b"end"],
    )
    assert opened(whole, [OURS]) == pyrage.decrypt(whole, [OURS]) == bytes(CHUNK) + b"end"
    assert opened(made([*TO_OURS], stretches=[b""]), [OURS]) == b""


@given(st.data())
def test_a_byte_changed_anywhere_is_noticed(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(SEALED) - 1))
    other = data.draw(st.integers(1, 255))
    changed = bytearray(SEALED)
    changed[place] ^= other
    with pytest.raises(NotOpenedError):
        opened(bytes(changed), [OURS])


def test_stanzas_of_other_kinds_are_passed_over() -> None:
    """Some programs put one that means nothing into each file, so that nobody forgets to."""
    seen = 0
    for _ in range(200):
        whole = pyrage.encrypt(b"words", [OURS.to_public()])
        seen += whole.count(b"\n-> ") > 1
        assert opened(whole, [OURS]) == b"words"
    assert seen, "The age library no longer puts one in: write one here by hand."
