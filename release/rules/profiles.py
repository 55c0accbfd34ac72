"""What the cells of one column look like, and which type they may be. Guesses, said as guesses.

A guess never rests on a single cell, and nothing here gives out a value of fewer than 11 rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from governance.vocabulary import FieldType
from release.rules.values import DAY_FORMATS, ISO_DAY, SEPARATOR

FEWEST_ROWS = 11  # a value of fewer rows is never shown
MOST_CODES = 60
NEARLY_ALL = 0.95
_D, _M = "(0?[1-9]|[12][0-9]|3[01])", "(0?[1-9]|1[0-2])"
_YEAR = "[12][0-9]{3}"
# Shapes of a cell, spaces around it taken off; read by RE2.
SHAPES: Final[Mapping[str, str]] = {
    "integer": "^-?[0-9]{1,18}$",
    "decimal": r"^-?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?$",
    "comma": r"^-?[0-9]{1,3}([. ]?[0-9]{3})*,[0-9]+$",
    "zeros": "^0[0-9]+$",
    "boolean": "^(?i:true|false|yes|no)$",
    "email": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "phone": r"^(\+[0-9 ().-]{6,20}[0-9]|\(?[0-9]{2,4}[ ).-]{1,2}[0-9 .-]{4,14}[0-9])$",
    "identity": "^[0-9]{3}-[0-9]{2}-[0-9]{4}$",
    "moment": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}",
    "several": SEPARATOR,
    "code": "^([0-9]{1,4}|[A-Za-z]|[A-Z]{2,5}|[A-Z]{1,3}[0-9]{1,2})$",
    ISO_DAY: f"^{_YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
    "yyyy/mm/dd": f"^{_YEAR}/{_M}/{_D}$",
    "yyyymmdd": f"^{_YEAR}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$",
    "dd/mm/yyyy": f"^{_D}/{_M}/{_YEAR}$",
    "mm/dd/yyyy": f"^{_M}/{_D}/{_YEAR}$",
    "dd.mm.yyyy": rf"^{_D}\.{_M}\.{_YEAR}$",
    "dd-mm-yyyy": f"^{_D}-{_M}-{_YEAR}$",
    "mm-dd-yyyy": f"^{_M}-{_D}-{_YEAR}$",
}
IDENTIFIERS = ("email", "phone", "identity")


@dataclass(frozen=True)
class ColumnSummary:
    """One column, counted. `values` and `parts` (of cells with `;`) count rows per different word;
    None where there are many or long ones."""

    name: str
    place: int  # from 1
    rows: int
    filled: int
    distinct: int  # about
    longest: int
    spaced: int  # filled rows with a space or a line end inside
    fits: Mapping[str, int]  # shape → filled rows
    values: Mapping[str, int] | None
    parts: Mapping[str, int] | None
    least: float | None = None  # of the cells that are numbers; never shown
    most: float | None = None

    def share(self, shape: str) -> float:
        """Which share of the filled cells has this shape."""
        return self.fits.get(shape, 0) / self.filled if self.filled else 0.0


@dataclass(frozen=True)
class TypeGuess:
    """A type, what else may be needed for it, and what the guesser is not sure of."""

    type: FieldType
    codes: tuple[str, ...] = ()
    rare_codes: int = 0  # further words, each in fewer than 11 rows
    day_formats: tuple[str, ...] = ()  # more than one where nobody can say which
    minimum: int | None = None
    maximum: int | None = None
    unsure: tuple[str, ...] = field(default=())


def some(count: int) -> str:
    """A number of rows as it may be shown."""
    return f"{count} rows" if count >= FEWEST_ROWS else f"fewer than {FEWEST_ROWS} rows"


def guess_type(column: ColumnSummary) -> TypeGuess:
    """The narrowest type that nearly all cells have."""
    if not column.filled:
        return TypeGuess(FieldType.TEXT, unsure=("Every cell is empty, so the type is unknown.",))
    for guess in (_truth(column), _day(column), _number(column), _words(column)):
        if guess is not None:
            return guess
    return TypeGuess(FieldType.TEXT)


def _misfits(column: ColumnSummary, shape: str) -> tuple[str, ...]:
    wrong = column.filled - column.fits.get(shape, 0)
    if not wrong:
        return ()
    return (f"{some(wrong).capitalize()} do not fit this type and would be refused.",)


def _truth(column: ColumnSummary) -> TypeGuess | None:
    if column.share("boolean") < NEARLY_ALL:
        return None
    return TypeGuess(FieldType.BOOLEAN, unsure=_misfits(column, "boolean"))


def _day(column: ColumnSummary) -> TypeGuess | None:
    if column.share("moment") >= NEARLY_ALL:
        note = "The cells hold a day and an hour. Days alone can be loaded as dates."
        return TypeGuess(FieldType.TEXT, unsure=(note,))
    best = max(column.fits.get(form, 0) for form in DAY_FORMATS)
    if best < NEARLY_ALL * column.filled:
        return None
    forms = tuple(form for form in DAY_FORMATS if column.fits.get(form, 0) == best)
    unsure = _misfits(column, forms[0])
    if len(forms) > 1:
        unsure += (
            f"Every day fits {' and '.join(form.upper() for form in forms)}: the file alone cannot "
            "say which. Ask whoever made it, and write the one that is right.",
        )
    elif forms == ("yyyymmdd",):
        unsure += ("These are eight digits that read as days. Make sure they are no numbers.",)
    return TypeGuess(FieldType.DATE, day_formats=forms, unsure=unsure)


def _number(column: ColumnSummary) -> TypeGuess | None:
    if column.share("comma") >= NEARLY_ALL:
        note = "Numbers are written with a comma. Export them with a point to load them as numbers."
        return TypeGuess(FieldType.TEXT, unsure=(note,))
    zeros = column.fits.get("zeros", 0)
    if column.share("decimal") < NEARLY_ALL or zeros > 0.01 * column.filled:
        return None
    if column.share("integer") < NEARLY_ALL:
        return TypeGuess(FieldType.DECIMAL, unsure=_misfits(column, "decimal"))
    unsure = _misfits(column, "integer")
    if column.values is not None and set(column.values) <= {"0", "1"}:
        unsure += ("Only 0 and 1 occur. If they mean no and yes, write boolean.",)
        return TypeGuess(FieldType.CODE, codes=_shown(column.values), unsure=unsure)
    least, most = _bounds(column)
    return TypeGuess(FieldType.INTEGER, minimum=least, maximum=most, unsure=unsure)


def _bounds(column: ColumnSummary) -> tuple[int | None, int | None]:
    """Round limits beyond all cells, so that neither is anybody's number."""
    if column.least is None or column.most is None or column.least < 0:
        return None, None
    most = 10
    while most <= column.most:
        most *= 5 if str(most).startswith("2") else 2
    return 0, most if column.most < 10**9 else None


def _words(column: ColumnSummary) -> TypeGuess | None:
    several = column.fits.get("several", 0) > 0 and column.parts is not None
    words = column.parts if several else column.values
    if words is None or len(words) > MOST_CODES or column.distinct > column.filled / 2:
        return None
    shown = _shown(words)
    if not shown:
        return None
    kind = FieldType.CODES if several else FieldType.CODE
    return TypeGuess(kind, codes=shown, rare_codes=len(words) - len(shown))


def _shown(words: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted(word for word, rows in words.items() if rows >= FEWEST_ROWS))
