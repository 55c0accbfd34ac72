"""What a spreadsheet file says of itself: its sheets, its day count, its formats, its shared texts."""

import posixpath
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import BinaryIO

from common.errors import BadInput
from release.actions.loading.limits import Limits
from release.actions.loading.packed import Packed, damaged, tagged
from release.rules.mapping import Sheet
from release.rules.values import LONGEST_CELL

TOO_LONG = "x" * (LONGEST_CELL + 1)
DEEPEST = 64
CONTENTS, ROOT = "[Content_Types].xml", "_rels/.rels"
# Each of these words has two spellings, an older and a stricter one.
SHEETS = {
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
}
RELATIONS = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
WORKBOOK = "spreadsheetml.sheet.main+xml"
TRUE = {"1", "true"}
# Number formats that every spreadsheet program knows by number: days, hours, both.
DAY_IDS = frozenset({14, 15, 16, 17, 22, *range(27, 37), *range(50, 59)})
HOUR_IDS = frozenset({18, 19, 20, 21, 45, 47})
LENGTHS = re.compile(r"\[(h+|m+|s+)\]")
NOT_SHOWN = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')  # text, colours and conditions, fillers
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
LAST_SERIAL = 2_958_465  # 31 December 9999
GHOST = 60  # 29 February 1900, which the 1900 system counts and no calendar has
SECONDS = 86_400


def local(tag: str) -> str:
    """A tag's own name where it is one of a sheet's; otherwise an empty text."""
    space, _, name = tag.rpartition(" ")
    return name if space in SHEETS else ""


def unescaped(text: str) -> str:
    """Text with the characters that a spreadsheet file writes as _xHHHH_."""
    if "_x" not in text:
        return text
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


@dataclass(frozen=True)
class Entry:
    """One sheet as the workbook lists it."""

    name: str
    hidden: bool
    part: str  # empty where it is no sheet of cells, or lies outside the file


class Workbook:
    """An XLSX file that was opened. Raises BadInput where it is another kind of file."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._limits = limits
        self.parts = Packed(file, limits)
        names = self.parts.names()
        if CONTENTS not in names:
            raise _other_kind() if "mimetype" in names else damaged()
        self._main = self._find_main()
        self._refuse_other_kinds(names)
        self._related = self._relations(self._main)
        self.days_from_1904 = False
        self.not_calculated = False  # the file asks to be calculated anew before it is read
        self.sheets = self._list_sheets()
        self.formats = self._formats()

    def sheet(self, wanted: Sheet) -> Entry:
        """The sheet a mapping means. Raises BadInput where it is not clear or not to be read."""
        found = [each for each in self.sheets if wanted.name in (None, each.name)]
        if not found:
            raise BadInput("sheet", f"The file has no sheet {wanted.name!r}.")
        if len(found) > 1:
            raise BadInput(
                "sheet",
                f"The file has {len(found)} sheets: say which one under [sheet], "
                'with name = "…". Hidden sheets count.',
            )
        if not found[0].part:
            raise BadInput("sheet", "This sheet is a chart or a dialog and has no rows.")
        if found[0].hidden and not wanted.hidden:
            raise BadInput(
                "hidden",
                "This sheet is hidden. Show it and save the file, or write hidden = true "
                "under [sheet].",
            )
        return found[0]

    def shared_texts(self) -> list[str]:
        """The texts that cells point at. Raises BadInput where they are more than memory allows."""
        name = self._one("sharedStrings")
        if not name:
            return []
        reader = _Texts(self._limits.shared_bytes)
        for _ in tagged(self.parts.pieces(name), reader.start, reader.end, reader.text):
            pass
        return reader.found

    def day(self, serial: float) -> str | None:
        """A day number, as a day or a moment in ISO spelling; None where it is beyond all days.

        A moment is rounded to the second. The day that never was comes out as 1900-02-29, which
        no reader of days accepts.
        """
        seconds = round(serial * SECONDS)
        whole, rest = divmod(seconds, SECONDS)
        if not 0 <= whole <= LAST_SERIAL - (1462 if self.days_from_1904 else 0):
            return None
        if not whole and rest:
            return _clock(rest)  # an hour of no day
        if self.days_from_1904:
            text = (date(1904, 1, 1) + timedelta(days=whole)).isoformat()
        elif whole in (0, GHOST):
            text = "1900-02-29" if whole else "1900-01-00"
        else:
            text = (date(1899, 12, 30 if whole > GHOST else 31) + timedelta(days=whole)).isoformat()
        return f"{text} {_clock(rest)}" if rest else text

    def _find_main(self) -> str:
        for kind, target in self._relations("").values():
            if kind == "officeDocument":
                return target
        raise damaged()

    def _refuse_other_kinds(self, names: list[str]) -> None:
        kinds: dict[str, str] = {}

        def start(tag: str, given: Mapping[str, str]) -> None:
            if tag.endswith(" Override"):
                kinds[given.get("PartName", "").lstrip("/")] = given.get("ContentType", "")
            if tag.endswith(" Default"):
                kinds[f"*.{given.get('Extension', '')}"] = given.get("ContentType", "")

        self.parts.describe(CONTENTS, start)
        suffix = self._main.rpartition(".")[2]
        kind = kinds.get(self._main, kinds.get(f"*.{suffix}", ""))
        if "macroenabled" in kind.lower() or any(name.endswith("vbaProject.bin") for name in names):
            raise BadInput(
                "xlsx_macros",
                "The file holds macros (.xlsm). Save it as an Excel workbook without macros "
                "(.xlsx).",
            )
        if not kind.endswith(WORKBOOK):
            raise _other_kind()

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part refers to inside the file: by its id, the kind and the other part's name."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        found: dict[str, tuple[str, str]] = {}

        def start(tag: str, given: Mapping[str, str]) -> None:
            if tag.endswith(" Relationship") and given.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, given.get("Target", "")))
                kind = given.get("Type", "").rpartition("/")[2]
                found[given.get("Id", "")] = (kind, target.lstrip("/"))

        self.parts.describe(rels, start)
        return found

    def _one(self, kind: str) -> str:
        names = [target for found, target in self._related.values() if found == kind]
        if len(names) > 1:
            raise damaged()
        return names[0] if names else ""

    def _list_sheets(self) -> list[Entry]:
        found: list[Entry] = []

        def start(tag: str, given: Mapping[str, str]) -> None:
            match local(tag):
                case "workbookPr":
                    self.days_from_1904 = given.get("date1904") in TRUE
                case "calcPr":
                    self.not_calculated = given.get("fullCalcOnLoad") in TRUE
                case "sheet":
                    ids = [given[f"{space} id"] for space in RELATIONS if f"{space} id" in given]
                    kind, part = self._related.get(ids[0] if ids else "", ("", ""))
                    hidden = given.get("state", "visible") != "visible"
                    name = unescaped(given.get("name", ""))
                    found.append(Entry(name, hidden, part if kind == "worksheet" else ""))
                case _:
                    pass  # what else a workbook says is not asked

        self.parts.describe(self._main, start)
        if not found:
            raise damaged()
        return found

    def _formats(self) -> list[bool]:
        """For each number of a cell's style, whether it shows a number as a day or an hour."""
        own: dict[int, bool] = {}
        styles: list[int] = []
        inside = ""

        def start(tag: str, given: Mapping[str, str]) -> None:
            nonlocal inside
            name = local(tag)
            if name in {"cellXfs", "cellStyleXfs", "dxfs"}:
                inside = name
            elif name == "numFmt" and inside != "dxfs":
                own[_whole(given.get("numFmtId"))] = shows_days(given.get("formatCode", ""))
            elif name == "xf" and inside == "cellXfs":
                styles.append(_whole(given.get("numFmtId", "0")))

        if name := self._one("styles"):
            self.parts.describe(name, start)
        return [own.get(each, each in DAY_IDS or each in HOUR_IDS) for each in styles]


class _Texts:
    """Gathers shared texts: runs of one text are joined, readings (phonetic) are left out."""

    def __init__(self, most: int) -> None:
        self.found: list[str] = []
        self._most = most
        self._pieces: list[str] = []
        self._length = 0
        self._open: list[str] = []

    def start(self, tag: str, _given: Mapping[str, str]) -> None:
        self._open.append(local(tag))
        if len(self._open) > DEEPEST:
            raise damaged()
        if self._open[-1] == "si":
            self._pieces, self._length = [], 0

    def text(self, data: str) -> None:
        if self._open[-1] == "t" and "rPh" not in self._open and self._length <= LONGEST_CELL:
            self._pieces.append(data)
            self._length += len(data)

    def end(self, _tag: str) -> None:
        if self._open.pop() == "si":
            text = TOO_LONG if self._length > LONGEST_CELL else unescaped("".join(self._pieces))
            self.found.append(text)
            self._most -= 8 if text is TOO_LONG else 8 + sys.getsizeof(text)
            if self._most < 0:
                raise BadInput(
                    "too_large",
                    "The sheet holds more different texts than one load may keep in memory. "
                    "Divide it, or save it as CSV.",
                )


def shows_days(code: str) -> bool:
    """Whether a number format shows a day or an hour of the day (not a length of time)."""
    if LENGTHS.search(code.lower()):
        return False
    plain = NOT_SHOWN.sub("", code.split(";")[0]).lower()
    return "general" not in plain and any(sign in plain for sign in "dymhs")


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _whole(text: str | None) -> int:
    if text is None or not text.isdecimal() or len(text) > 9:
        raise damaged()
    return int(text)


def _other_kind() -> BadInput:
    return BadInput(
        "xlsx_other",
        "This is another kind of office file (a template, a binary workbook, OpenDocument …). "
        "Save it as an Excel workbook (.xlsx).",
    )
