"""What a mapping file says: which column of a file is which field, whose row it is, and of when.

A mapping is the steward's own writing, so its words may be repeated in messages; a file's may not.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from common.errors import BadInput
from governance.rules.fields import PLAIN_NAME
from governance.vocabulary import FieldSensitivity, FieldType
from release.rules.values import DAY_FORMATS, ISO_DAY, Bound, FieldRule, rank

MOST_FIELDS = 2000
MOST_PEOPLE_IN_A_ROW = 8
MOST_HEADER_ROW = 100
MOST_SHARE = 0.5
DEFAULT_SHARE = 0.01
PROBLEMS_SHOWN = 20
ENCODINGS = ("utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15")
DELIMITERS = (",", ";", "\t", "|")
TOP = {
    "format",
    "encoding",
    "delimiter",
    "reject_share",
    "sheet",
    "person",
    "record",
    "field",
    "ignore",
}
FIELD = {
    "column",
    "name",
    "type",
    "codes",
    "catalogue",
    "category",
    "sensitivity",
    "narrative",
    "date_format",
    "minimum",
    "maximum",
    "required",
}
BOUNDS: Mapping[FieldType, tuple[type, ...]] = {
    FieldType.INTEGER: (int,),
    FieldType.DECIMAL: (int, float),
    FieldType.DATE: (date,),
}


class FileFormat(StrEnum):
    CSV = "csv"
    PARQUET = "parquet"
    XLSX = "xlsx"


@dataclass(frozen=True)
class Sheet:
    """Which rows of which sheet of a spreadsheet are read."""

    name: str | None = None  # None where the file has one sheet only
    header_row: int = 1  # from 1, as the spreadsheet counts
    first_row: int = 2
    hidden: bool = False  # whether hidden sheets, rows and columns are read like any other


@dataclass(frozen=True)
class StandardFact:
    """What the field catalogue says of one field of a case-data standard."""

    category: str
    sensitivity: FieldSensitivity
    narrative: bool
    codes: tuple[str, ...]


@dataclass(frozen=True)
class LoadMapping:
    """One mapping file, read. `person_columns` is empty where each row is a person of its own."""

    format: FileFormat
    encoding: str
    delimiter: str
    reject_share: float
    person_columns: tuple[str, ...]
    day_column: str | None
    day: date | None
    fields: tuple[FieldRule, ...]
    ignored: tuple[str, ...]
    sha256: str
    day_format: str = ISO_DAY
    sheet: Sheet = Sheet()

    @property
    def people_per_row(self) -> int:
        return len(self.person_columns) or 1

    def wanted(self) -> list[str]:
        """The columns of the file that are read, each once."""
        named = [*self.person_columns, *(rule.column for rule in self.fields)]
        return list(dict.fromkeys([*named, self.day_column] if self.day_column else named))


def parse(data: bytes, *, standard: Mapping[str, StandardFact]) -> LoadMapping:
    """Read a mapping file. Raises BadInput that lists what is wrong with it, all at once."""
    try:
        table = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput("mapping", f"The mapping file is not TOML in UTF-8: {error}.") from None
    return _Reader(table, standard).read(sha256(data).hexdigest())


class _Reader:
    """Reads one table and gathers every problem on the way."""

    def __init__(self, table: Mapping[str, Any], standard: Mapping[str, StandardFact]) -> None:
        self.table = table
        self.standard = standard
        self.problems: list[str] = []

    def read(self, digest: str) -> LoadMapping:
        self._known(self.table, TOP, "The mapping")
        fields = self._fields()
        people = self._people()
        day_column, day, day_format = self._day()
        ignored = tuple(
            self._words(self._section("ignore", {"columns"}).get("columns", []), "[ignore] columns")
        )
        self._columns_once(people, fields, ignored, day_column)
        found = LoadMapping(
            format=FileFormat(self._choice("format", tuple(FileFormat), FileFormat.CSV)),
            encoding=self._choice("encoding", ENCODINGS, "utf-8"),
            delimiter=self._choice("delimiter", DELIMITERS, ","),
            reject_share=self._share(),
            person_columns=people,
            day_column=day_column,
            day=day,
            fields=tuple(fields),
            ignored=ignored,
            sha256=digest,
            day_format=day_format,
            sheet=self._sheet(),
        )
        if self.problems:
            shown = self.problems[:PROBLEMS_SHOWN]
            more = len(self.problems) - len(shown)
            raise BadInput("mapping", "\n".join([*shown, f"… and {more} more."] if more else shown))
        return found

    def _say(self, problem: str) -> None:
        self.problems.append(problem)

    def _known(self, table: Mapping[str, Any], known: set[str], where: str) -> None:
        for key in sorted(table.keys() - known):
            self._say(f"{where}: {key!r} means nothing here. Known: {', '.join(sorted(known))}.")

    def _section(self, name: str, known: set[str]) -> Mapping[str, Any]:
        section = self.table.get(name, {})
        if not isinstance(section, dict):
            self._say(f"[{name}] is a section of its own.")
            return {}
        self._known(section, known, f"[{name}]")
        return section

    def _choice(self, key: str, choices: Sequence[str], default: str) -> str:
        word = self.table.get(key, default)
        if word in choices:
            return str(word)
        self._say(
            f"{key}: {word!r} is not one of {', '.join(repr(str(each)) for each in choices)}."
        )
        return default

    def _share(self) -> float:
        share = self.table.get("reject_share", DEFAULT_SHARE)
        if (
            isinstance(share, int | float)
            and not isinstance(share, bool)
            and 0 <= share <= MOST_SHARE
        ):
            return float(share)
        self._say(f"reject_share: write a share between 0 and {MOST_SHARE}, for example 0.01.")
        return DEFAULT_SHARE

    def _words(self, given: Any, where: str) -> list[str]:
        if isinstance(given, list) and all(isinstance(word, str) and word for word in given):
            if len(set(given)) < len(given):
                self._say(f"{where}: a word stands there twice.")
            return given
        self._say(f"{where}: write a list of words in quotes.")
        return []

    def _people(self) -> tuple[str, ...]:
        person = self._section("person", {"columns", "row_number"})
        if person.get("row_number") is True and "columns" not in person:
            return ()
        columns = self._words(person.get("columns", []), "[person] columns")
        if not columns or "row_number" in person:
            self._say('[person]: write columns = ["…"] or row_number = true, one of the two.')
        if len(columns) > MOST_PEOPLE_IN_A_ROW:
            self._say(f"[person]: a row names at most {MOST_PEOPLE_IN_A_ROW} people.")
        return tuple(columns)

    def _day(self) -> tuple[str | None, date | None, str]:
        record = self._section("record", {"date", "fixed", "date_format"})
        column, fixed = record.get("date"), record.get("fixed")
        form = self._day_format(record, "[record]")
        if isinstance(column, str) and column and fixed is None:
            return column, None, form
        if _is_day(fixed) and column is None:
            return None, fixed, form
        self._say('[record]: write date = "column" or fixed = 2025-01-31, one of the two.')
        return None, None, form

    def _day_format(self, given: Mapping[str, Any], where: str) -> str:
        form = given.get("date_format", ISO_DAY)
        if isinstance(form, str) and form in DAY_FORMATS:
            return form
        self._say(f"{where}: date_format is one of {', '.join(DAY_FORMATS)}.")
        return ISO_DAY

    def _sheet(self) -> Sheet:
        given = self._section("sheet", {"name", "header_row", "first_row", "hidden"})
        if "sheet" in self.table and self.table.get("format") != FileFormat.XLSX:
            self._say('[sheet] is for format = "xlsx" only.')
        name = given.get("name")
        if name is not None and not (isinstance(name, str) and name):
            self._say("[sheet]: name says which sheet is read.")
        header = self._row(given, "header_row", 1, 1)
        first = self._row(given, "first_row", header + 1, header + 1)
        return Sheet(name, header, first, self._flag(given, "hidden", "[sheet]"))

    def _row(self, given: Mapping[str, Any], key: str, usual: int, least: int) -> int:
        row = given.get(key, usual)
        if isinstance(row, int) and not isinstance(row, bool) and least <= row <= MOST_HEADER_ROW:
            return row
        self._say(f"[sheet]: {key} is the number of a row, {least} to {MOST_HEADER_ROW}.")
        return usual

    def _fields(self) -> list[FieldRule]:
        given = self.table.get("field", [])
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
            self._say("Each field is written under a heading [[field]].")
            return []
        if not 1 <= len(given) <= MOST_FIELDS:
            self._say(f"A mapping has 1 to {MOST_FIELDS} fields; this one has {len(given)}.")
            return []
        read = [self._field(each, number) for number, each in enumerate(given, start=1)]
        rules = [rule for rule in read if rule is not None]
        names = [rule.name.lower() for rule in rules]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._say(f"The field {name} stands there twice (capitals do not tell fields apart).")
        return rules

    def _field(self, given: Mapping[str, Any], number: int) -> FieldRule | None:
        column, name, kind = (given.get(key) for key in ("column", "name", "type"))
        where = f"Field {number}" + (f" ({name})" if isinstance(name, str) else "")
        self._known(given, FIELD, where)
        before = len(self.problems)
        if not isinstance(column, str) or not column:
            self._say(f"{where}: column says which column of the file it is.")
        if not isinstance(name, str) or not PLAIN_NAME.match(name):
            self._say(
                f"{where}: name is a letter, then letters, digits and underscores, 80 at most."
            )
        if kind not in FieldType.values:
            self._say(f"{where}: type is one of {', '.join(FieldType.values)}.")
        if len(self.problems) > before:
            return None
        assert isinstance(column, str) and isinstance(name, str)  # noqa: S101, PT018 - said above
        kind = FieldType(str(kind))
        fact = self._class(given, name, where)
        rule = FieldRule(
            column=column,
            name=name,
            type=kind,
            category=fact.category,
            sensitivity=fact.sensitivity,
            narrative=fact.narrative,
            codes=self._codes(given, fact, kind, where),
            minimum=self._bound(given, "minimum", kind, where),
            maximum=self._bound(given, "maximum", kind, where),
            required=self._flag(given, "required", where),
            day_format=self._day_format(given, where),
        )
        if "date_format" in given and kind != FieldType.DATE:
            self._say(f"{where}: only dates have a date_format.")
        if None not in (rule.minimum, rule.maximum) and rank(rule.minimum) > rank(rule.maximum):  # type: ignore[arg-type]  # neither is None
            self._say(f"{where}: minimum lies above maximum.")
        return rule

    def _class(self, given: Mapping[str, Any], name: str, where: str) -> StandardFact:
        nothing = StandardFact("", FieldSensitivity.DIRECT, narrative=True, codes=())
        if self._flag(given, "catalogue", where):
            if {"category", "sensitivity", "narrative"} & given.keys():
                self._say(f"{where}: with catalogue = true, category and class come from there.")
            if name not in self.standard:
                self._say(f"{where}: the field catalogue has no field of this name.")
            return self.standard.get(name, nothing)
        category, sensitivity = given.get("category"), given.get("sensitivity")
        if not isinstance(category, str) or not category:
            self._say(f"{where}: category says which data category it belongs to.")
        if sensitivity not in FieldSensitivity.values:
            self._say(f"{where}: sensitivity is one of {', '.join(FieldSensitivity.values)}.")
            return nothing
        narrative = self._flag(given, "narrative", where)
        return StandardFact(str(category), FieldSensitivity(sensitivity), narrative, ())

    def _codes(
        self, given: Mapping[str, Any], fact: StandardFact, kind: FieldType, where: str
    ) -> tuple[str, ...]:
        if kind not in {FieldType.CODE, FieldType.CODES}:
            if "codes" in given:
                self._say(f"{where}: only code and codes have a list of codes.")
            return ()
        codes = fact.codes
        if "codes" in given:
            codes = tuple(self._words(given["codes"], f"{where}, codes"))
        if not codes:
            self._say(f"{where}: write the list of codes.")
        if any(code != code.strip() for code in codes):
            self._say(f"{where}: a code has no spaces around it.")
        if kind == FieldType.CODES and any(";" in code for code in codes):
            self._say(f"{where}: where several may stand in a cell, no code has a semicolon.")
        return codes

    def _bound(
        self, given: Mapping[str, Any], key: str, kind: FieldType, where: str
    ) -> Bound | None:
        bound = given.get(key)
        if bound is None:
            return None
        fits = isinstance(bound, BOUNDS.get(kind, ())) and not isinstance(bound, bool | datetime)
        if fits and (isinstance(bound, date) or math.isfinite(bound)):
            assert isinstance(bound, int | float | date)  # noqa: S101 - said above
            return bound
        self._say(f"{where}: {key} does not fit the type {kind}.")
        return None

    def _flag(self, given: Mapping[str, Any], key: str, where: str) -> bool:
        word = given.get(key, False)
        if not isinstance(word, bool):
            self._say(f"{where}: {key} is true or false.")
        return word is True

    def _columns_once(
        self,
        people: tuple[str, ...],
        fields: Sequence[FieldRule],
        ignored: tuple[str, ...],
        day_column: str | None,
    ) -> None:
        """A client number is never a field; nothing is both loaded and left."""
        mapped = [rule.column for rule in fields]
        for column in sorted({column for column in mapped if mapped.count(column) > 1}):
            self._say(f"The column {column!r} becomes two fields.")
        for column in sorted(set(people) & {*mapped, day_column}):
            self._say(f"The column {column!r} holds client numbers: it can be nothing else.")
        for column in sorted(set(ignored) & {*mapped, *people, day_column}):
            self._say(f"The column {column!r} is ignored and used at once.")


def _is_day(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)
