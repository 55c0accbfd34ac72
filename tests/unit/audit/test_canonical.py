"""Canonical JSON: the quick spelling is RFC 8785's own, and what has no spelling is refused alike."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit.tlog.canonical import LARGEST, canonical_bytes

VALUES = st.none() | st.integers() | st.integers(-LARGEST, LARGEST) | st.text()
SIGNS = [chr(number) for number in (*range(0x100), 0x2028, 0x2029, 0xFFFD, 0xFFFF, 0x1F600)]


def spelled(value):
    try:
        return rfc8785.dumps(dict(value))
    except rfc8785.CanonicalizationError:
        return None


@given(value=st.dictionaries(st.text(), VALUES, max_size=8))
def test_the_quick_spelling_is_the_library_s(value):
    wanted = spelled(value)
    if wanted is None:
        with pytest.raises(rfc8785.CanonicalizationError):
            canonical_bytes(value)
    else:
        assert canonical_bytes(value) == wanted


@pytest.mark.parametrize("sign", SIGNS)
def test_every_sign_is_escaped_as_the_library_escapes_it(sign):
    for value in ({"a": sign}, {sign: "a", "b": None}, {"a": f"x{sign}y", "A": 1, "_": -1}):
        assert canonical_bytes(value) == spelled(value)


@pytest.mark.parametrize("value", [{"a": "\ud800"}, {"a": LARGEST + 1}, {"a": -LARGEST - 1}])
def test_what_has_no_spelling_is_refused(value):
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical_bytes(value)
