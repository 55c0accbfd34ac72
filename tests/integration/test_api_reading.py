"""How the machines' door reads what is sent, apart from any address."""

from io import BytesIO

import pytest
from rest_framework.exceptions import ParseError

from api.parsers import StrictJSON
from api.ranges import Unsatisfiable, Window, window

DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        ("bytes=0-0", Window(0, 0)),
        ("bytes=0-99", Window(0, 99)),
        ("bytes=10-", Window(10, 99)),
        ("bytes=99-", Window(99, 99)),
        ("bytes=0-1000", Window(0, 99)),
        ("bytes=-1", Window(99, 99)),
        ("bytes=-100", Window(0, 99)),
        ("bytes=-1000", Window(0, 99)),
        (" bytes=5-6 ", Window(5, 6)),
        ("", None),
        ("bytes=-", None),
        ("bytes=6-5", None),
        ("bytes=0-1,3-4", None),
        ("rows=0-1", None),
        ("bytes=a-b", None),
        ("bytes=0-" + "9" * 30, None),
        ("bytes=\u0661-\u0662", None),
    ],
)
def test_a_range_header_asks_for_one_window_or_for_everything(header, answer):
    assert window(header, size=100) == answer


@pytest.mark.parametrize(
    ("header", "size"),
    [
        ("bytes=100-", 100),
        ("bytes=100-200", 100),
        ("bytes=-0", 100),
        ("bytes=0-", 0),
        ("bytes=-1", 0),
    ],
)
def test_a_range_beyond_the_file_cannot_be_satisfied(header, size):
    with pytest.raises(Unsatisfiable):
        window(header, size=size)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b'{"a": 1,}', "not JSON"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"a\\u0000": 1}', "NUL"),
        (b'{"a": ["x", {"b": "\\ud800"}]}', "half a character"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        ('{"a": "\udcff"}'.encode("utf-8", "surrogatepass"), "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"9" * 5000, "too long"),
        (DEEP, "too deeply"),
    ],
)
def test_a_body_that_is_not_plain_json_is_refused_without_repeating_it(body, says):
    with pytest.raises(ParseError, match=says):
        StrictJSON().parse(BytesIO(body))


def test_a_whole_character_outside_the_first_plane_is_kept():
    assert StrictJSON().parse(BytesIO(b'{"a": "\\ud83d\\ude00"}')) == {"a": "\U0001f600"}
