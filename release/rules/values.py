"""One cell, as text, becomes one value or one problem. A problem never repeats the cell."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias, TypeVar, assert_never

from consent.vocabulary import LONGEST_NUMBER
from governance.vocabulary import FieldSensitivity, FieldType

LONGEST_CELL = 65_536
LEAST_INTEGER, MOST_INTEGER = -(2**63), 2**63 - 1
CODES_SHOWN = 12
SEPARATOR = ";"

INTEGER = re.compile(r"(?P<sign>-?)0*(?P<digits>[0-9]{1,19})\Z")
DECIMAL = re.compile(r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
ISO_DAY = "yyyy-mm-dd"
_YEAR, _MONTH, _DAY = "(?P<year>[0-9]{4})", "(?P<month>[0-9]{1,2})", "(?P<day>[0-9]{1,2})"
DAY_FORMATS: Mapping[str, re.Pattern[str]] = {
    form: re.compile(pattern + r"\Z")
    for form, pattern in {
        ISO_DAY: "(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})",
        "yyyy/mm/dd": f"{_YEAR}/{_MONTH}/{_DAY}",
        "yyyymmdd": "(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})",
        "dd/mm/yyyy": f"{_DAY}/{_MONTH}/{_YEAR}",
        "mm/dd/yyyy": f"{_MONTH}/{_DAY}/{_YEAR}",
        "dd.mm.yyyy": rf"{_DAY}\.{_MONTH}\.{_YEAR}",
        "dd-mm-yyyy": f"{_DAY}-{_MONTH}-{_YEAR}",
        "mm-dd-yyyy": f"{_MONTH}-{_DAY}-{_YEAR}",
    }.items()
}
YES = frozenset({"true", "yes", "1"})
NO = frozenset({"false", "no", "0"})

Value: TypeAlias = str | int | float | date | bool
Bound: TypeAlias = int | float | date
B = TypeVar("B", int, float, date)


class Trouble(StrEnum):
    """What can be wrong with a row or a cell, in words for the report."""

    RAGGED = "wrong number of cells"
    ENCODING = "bytes that are not text in the stated encoding"
    NUL = "a NUL character"
    TOO_LONG = "too long"
    MISSING = "required and empty"
    NO_PERSON = "no client number"
    NO_DAY = "no day of the record"
    NOT_A_CODE = "not on the list"
    TWICE = "the same code twice"
    NOT_AN_INTEGER = "not a whole number"
    NOT_A_DECIMAL = "not a number"
    NOT_A_DAY = "not a day"
    NOT_A_BOOLEAN = "neither yes nor no"
    TOO_LARGE = "too large to keep"
    SHEET_ERROR = "an error in place of a value"
    NOT_CALCULATED = "a formula without its result"
    NO_COLUMN = "a cell under no column name"
    INEXACT = "more digits than a spreadsheet keeps"
    BELOW = "below the least"
    ABOVE = "above the most"


@dataclass(frozen=True)
class Problem:
    """What is wrong with one cell, and what would help. Never the cell itself."""

    trouble: Trouble
    hint: str


@dataclass(frozen=True)
class FieldRule:
    """What one column of a file may hold, and which field of the dataset it becomes."""

    column: str
    name: str
    type: FieldType
    category: str
    sensitivity: FieldSensitivity
    narrative: bool = False
    codes: tuple[str, ...] = ()
    minimum: Bound | None = None
    maximum: Bound | None = None
    required: bool = False
    day_format: str = ISO_DAY  # one of DAY_FORMATS; for dates only


def read_cell(text: str | None, rule: FieldRule) -> Value | Problem | None:
    """The cell's value; None where nothing is recorded; or what is wrong with it.

    Text is kept exactly as given. All other types ignore spaces around the cell.
    """
    if text is None or text == "" or (rule.type != FieldType.TEXT and not text.strip()):
        return Problem(Trouble.MISSING, "fill the cell") if rule.required else None
    problem = unreadable(text)
    if problem is not None:
        return problem
    return _readers(rule.type)(text if rule.type == FieldType.TEXT else text.strip(), rule)


def read_number(text: str | None) -> str | Problem | None:
    """A client number without the spaces around it; None where the cell is empty."""
    if text is None or not text.strip():
        return None
    problem = unreadable(text)
    if problem is not None:
        return problem
    if len(text.strip()) > LONGEST_NUMBER:
        return Problem(Trouble.TOO_LONG, f"a client number has at most {LONGEST_NUMBER} signs")
    return text.strip()


def unreadable(text: str) -> Problem | None:
    """What makes a cell unusable whatever its type."""
    if "\0" in text:
        return Problem(Trouble.NUL, "export the file again as plain text")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return Problem(Trouble.ENCODING, "state the file's true encoding, or export it as UTF-8")
    if size > LONGEST_CELL:
        return Problem(Trouble.TOO_LONG, f"a cell has at most {LONGEST_CELL} bytes")
    return None


def read_day(text: str, form: str = ISO_DAY) -> date | Problem:
    """A day in the stated form or as YYYY-MM-DD, and in no other way.

    02/03 is two different days in two countries, so the form is never guessed.
    """
    found = DAY_FORMATS[ISO_DAY].match(text) or DAY_FORMATS[form].match(text)
    if found is None:
        example = "" if form != ISO_DAY else ", for example 2024-02-29"
        return Problem(Trouble.NOT_A_DAY, f"write it as {form.upper()}{example}")
    try:
        return date(*(int(found[part]) for part in ("year", "month", "day")))
    except ValueError:
        return Problem(Trouble.NOT_A_DAY, "there is no such day in the calendar")


def _readers(kind: FieldType) -> Callable[[str, FieldRule], Value | Problem]:
    match kind:
        case FieldType.TEXT:
            return _text
        case FieldType.CODE:
            return _code
        case FieldType.CODES:
            return _several_codes
        case FieldType.INTEGER:
            return _integer
        case FieldType.DECIMAL:
            return _decimal
        case FieldType.DATE:
            return _date
        case FieldType.BOOLEAN:
            return _boolean
        case _:
            assert_never(kind)


def _text(text: str, _rule: FieldRule) -> Value | Problem:
    return text


def _code(text: str, rule: FieldRule) -> Value | Problem:
    if text in rule.codes:
        return text
    return Problem(Trouble.NOT_A_CODE, _list_of(rule.codes))


def _several_codes(text: str, rule: FieldRule) -> Value | Problem:
    codes = [code.strip() for code in text.split(SEPARATOR)]
    if not set(codes) <= set(rule.codes):
        return Problem(Trouble.NOT_A_CODE, f"with {SEPARATOR} between them, {_list_of(rule.codes)}")
    if len(set(codes)) < len(codes):
        return Problem(Trouble.TWICE, "name each code once")
    return SEPARATOR.join(codes)


def _integer(text: str, rule: FieldRule) -> Value | Problem:
    found = INTEGER.match(text)
    if not found:
        return Problem(Trouble.NOT_AN_INTEGER, "digits only, with a minus sign where needed")
    number = int(found["sign"] + found["digits"])  # Python will not read very many noughts
    if not LEAST_INTEGER <= number <= MOST_INTEGER:
        return Problem(Trouble.TOO_LARGE, f"whole numbers go to {MOST_INTEGER}")
    return _within(number, rule)


def _decimal(text: str, rule: FieldRule) -> Value | Problem:
    if not DECIMAL.match(text):
        return Problem(Trouble.NOT_A_DECIMAL, "digits with a point, without separators: 1234.5")
    number = float(text)
    if not math.isfinite(number):
        return Problem(Trouble.TOO_LARGE, "use a number below 1e308")
    return _within(number, rule)


def _date(text: str, rule: FieldRule) -> Value | Problem:
    day = read_day(text, rule.day_format)
    return day if isinstance(day, Problem) else _within(day, rule)


def _boolean(text: str, _rule: FieldRule) -> Value | Problem:
    word = text.lower()
    if word in YES or word in NO:
        return word in YES
    return Problem(Trouble.NOT_A_BOOLEAN, "true or false, yes or no, 1 or 0")


def _within(value: B, rule: FieldRule) -> B | Problem:
    if rule.minimum is not None and rank(value) < rank(rule.minimum):
        return Problem(Trouble.BELOW, f"the least is {rule.minimum}")
    if rule.maximum is not None and rank(value) > rank(rule.maximum):
        return Problem(Trouble.ABOVE, f"the most is {rule.maximum}")
    return value


def rank(bound: Bound) -> int | float:
    """Where a bound stands among bounds of its own kind."""
    return bound.toordinal() if isinstance(bound, date) else bound


def _list_of(codes: tuple[str, ...]) -> str:
    shown = ", ".join(codes[:CODES_SHOWN])
    more = len(codes) - CODES_SHOWN
    return f"one of: {shown}" + (f" and {more} more" if more > 0 else "")
