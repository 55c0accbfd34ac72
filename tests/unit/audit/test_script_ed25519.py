"""The script's Ed25519: RFC 8032's vectors, and the same verdict as the library on anything."""

import pytest
import verify_sayso as script
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

# RFC 8032, section 7.1, tests 1 to 3, 1024 left out, and SHA(abc).
VECTORS = [
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b4"
     "6bd25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d"
     "8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6"
     "594a7c15e9716ed28dc027beceea1ec40a"),
    ("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feeb"
     "bd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0"
     "303dca179c138ac17ad9bef1177331a704"),
]  # fmt: skip


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_the_vectors_of_rfc_8032(public, message, signature):
    public, message, signature = map(bytes.fromhex, (public, message, signature))
    assert script.ed25519(public, message, signature)
    assert script.usable(public)
    assert not script.ed25519(public, message + b"x", signature)
    for place in (0, 31, 32, 63):
        spoilt = bytearray(signature)
        spoilt[place] ^= 1
        assert not script.ed25519(public, message, bytes(spoilt))


def by_library(public, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@settings(max_examples=40, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=80), data=st.data())
def test_it_decides_as_the_library_does(seed, message, data):
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    signature = bytearray(key.sign(message))
    assert script.ed25519(public, message, bytes(signature))
    place, bit = data.draw(st.integers(0, 63)), data.draw(st.integers(0, 7))
    signature[place] ^= 1 << bit
    found = script.ed25519(public, message, bytes(signature))
    assert found == by_library(public, message, bytes(signature))


@settings(max_examples=60, deadline=None)
@given(public=st.binary(min_size=32, max_size=32), signature=st.binary(min_size=64, max_size=64))
def test_it_decides_as_the_library_does_on_anything(public, signature):
    assert script.ed25519(public, b"x", signature) == by_library(public, b"x", signature)


@given(size=st.integers(0, 100).filter(lambda size: size != 64))
def test_a_signature_of_another_length_is_none(size):
    assert not script.ed25519(bytes.fromhex(VECTORS[0][0]), b"", bytes(size))


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_a_second_spelling_of_a_signature_is_none(public, message, signature):
    """S + L verifies by the equation alone; Go and the library refuse it as well."""
    public, message, signature = map(bytes.fromhex, (public, message, signature))
    s = int.from_bytes(signature[32:], "little") + script.L
    second = signature[:32] + s.to_bytes(32, "little")
    assert not script.ed25519(public, message, second)
    assert not by_library(public, message, second)


# Points whose order divides eight: a signature of such a key can be made to fit many messages.
SMALL = [
    "01" + "00" * 31, "ec" + "ff" * 30 + "7f", "00" * 32, "00" * 31 + "80",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ee" + "ff" * 30 + "7f", "ed" + "ff" * 30 + "7f", "01" + "00" * 30 + "80",
]  # fmt: skip


@pytest.mark.parametrize("public", SMALL)
def test_a_key_of_small_order_or_with_a_second_spelling_is_refused_as_a_key(public):
    data = bytes.fromhex(public)
    assert not script.usable(data)
    for signature in (data + bytes(32), bytes(64), bytes.fromhex(SMALL[0]) + bytes(32)):
        assert script.ed25519(data, b"m", signature) == by_library(data, b"m", signature)
