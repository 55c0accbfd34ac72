"""A file is looked through once and counted column by column, in constant memory."""

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common.errors import BadInput
from governance.vocabulary import FieldSensitivity, FieldType
from release.actions.loading.columnar import PARQUET, ColumnarSource
from release.actions.loading.delimited import GZIP, UTF16, DelimitedSource
from release.actions.loading.limits import Limits
from release.actions.loading.packed import OLE, ZIP, refuse_old
from release.actions.loading.sheet import Row, SheetReader
from release.actions.loading.sources import Given, Source
from release.actions.loading.spreadsheet import SpreadsheetSource, read_header
from release.actions.loading.workbook import Workbook
from release.rules.drafts import FileFacts, quoted
from release.rules.mapping import DELIMITERS, FileFormat, LoadMapping, Sheet
from release.rules.profiles import SHAPES, ColumnSummary
from release.rules.values import SEPARATOR, FieldRule

SAMPLE = 256 * 1024
SAMPLE_ROWS = 100
MOST_WORDS = 200  # different words of a column that are counted one by one
LONGEST_WORD = 80
SKETCH = 1024
GIVE_UP_AFTER = 5000  # filled cells, after which a shape hardly any cell has is looked for no more

Hashes = npt.NDArray[np.uint64]


class Counted:
    """One column on the way through the file."""

    def __init__(self, name: str, place: int) -> None:
        self.name, self.place = name, place
        self.rows = self.filled = self.longest = self.spaced = 0
        self.least: float | None = None
        self.most: float | None = None
        self._fits: Counter[str] = Counter()
        self._shapes = dict(SHAPES)
        self._values: Counter[str] | None = Counter()
        self._parts: Counter[str] | None = Counter()
        self._sketch: Hashes = np.empty(0, dtype=np.uint64)

    def add(self, cells: pa.Array) -> None:
        """Count some more cells."""
        self.rows += len(cells)
        trimmed = pc.utf8_trim_whitespace(cells)
        present = trimmed.filter(pc.fill_null(pc.not_equal(trimmed, ""), False))
        self.filled += len(present)
        if not len(present):
            return
        counts = present.value_counts()
        words, times = counts.field("values"), counts.field("counts").to_numpy()
        sizes = pc.binary_length(words)
        self.longest = max(self.longest, pc.max(sizes).as_py())
        self.spaced += _times(pc.match_substring_regex(words, r"\S\s+\S"), times)
        self._shape(words, times)
        self._count(words, times, sizes)
        self._remember(words)

    def summary(self) -> ColumnSummary:
        return ColumnSummary(
            name=self.name,
            place=self.place,
            rows=self.rows,
            filled=self.filled,
            distinct=self._distinct(),
            longest=self.longest,
            spaced=self.spaced,
            fits=dict(self._fits),
            values=self._values,
            parts=self._parts,
            least=self.least,
            most=self.most,
        )

    def _shape(self, words: pa.Array, times: npt.NDArray[np.int64]) -> None:
        for name, pattern in list(self._shapes.items()):
            fitting = pc.match_substring_regex(words, pattern)
            self._fits[name] += _times(fitting, times)
            if self.filled > GIVE_UP_AFTER and self._fits[name] < self.filled / 100:
                del self._shapes[name]
            if name == "integer" and (found := words.filter(fitting)):
                numbers = pc.min_max(found.cast(pa.int64())).as_py()
                self.least = min(
                    numbers["min"], numbers["min"] if self.least is None else self.least
                )
                self.most = max(numbers["max"], numbers["max"] if self.most is None else self.most)

    def _count(self, words: pa.Array, times: npt.NDArray[np.int64], sizes: pa.Array) -> None:
        """Count rows per different word, as long as there are few and they are short."""
        if pc.max(sizes).as_py() > 4 * LONGEST_WORD or len(words) > 20 * MOST_WORDS:
            self._values = self._parts = None
        if self._values is None and self._parts is None:
            return
        pairs = list(zip(words.to_pylist(), times.tolist(), strict=True))
        self._values = _tallied(self._values, pairs)
        self._parts = _tallied(
            self._parts,
            [
                (part, count)
                for word, count in pairs
                for part in {part.strip() for part in word.split(SEPARATOR)}
            ],
        )

    def _remember(self, words: pa.Array) -> None:
        """The smallest hashes of all words tell about how many different ones there are."""
        own = np.fromiter((hash(word) for word in words.to_pylist()), np.int64, len(words))
        mixed = own.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        self._sketch = np.unique(np.concatenate([self._sketch, mixed]))[:SKETCH]

    def _distinct(self) -> int:
        if len(self._sketch) < SKETCH:
            return len(self._sketch)
        return min(self.filled, int((SKETCH - 1) / (float(self._sketch[-1]) / 2**64)))


def look_through(given: Given, limits: Limits) -> tuple[FileFacts, list[ColumnSummary]]:
    """Count every column of a file. Raises BadInput where it could not be loaded at all."""
    begins = given.file.read(4)
    given.file.seek(0)
    if begins == PARQUET:
        facts, mapping, source = _columnar(given, limits)
    elif begins in {ZIP, OLE[:4]}:
        facts, mapping, source = _spreadsheet(given, limits)
    else:
        facts, mapping, source = _delimited(given, limits)
    columns = [Counted(rule.column, at) for at, rule in enumerate(mapping.fields, start=1)]
    refused = rows = 0
    for batch in source.batches():
        rows += batch.seen
        refused += len({fault.line for fault in batch.broken})
        for column in columns:
            column.add(batch.cells[column.name])
    given.check_unchanged()
    if not rows:
        raise BadInput("no_rows", "The file has a header line and no rows. Export it again.")
    found = [column.summary() for column in columns]
    _check_is_header(found)
    counted = FileFacts(**{**facts.__dict__, "rows": rows, "refused": refused})
    return counted, found


def _columnar(given: Given, limits: Limits) -> tuple[FileFacts, LoadMapping, Source]:
    try:
        schema = pq.read_schema(given.file)
    except (pa.ArrowException, OSError):
        schema = pa.schema([])  # the source below says what is wrong
    given.file.seek(0)
    lists = {each.name for each in schema if pa.types.is_list(each.type)}
    mapping = _all_as_text(FileFormat.PARQUET, schema.names, lists)
    return FileFacts(FileFormat.PARQUET, 0, 0), mapping, ColumnarSource(given, mapping, limits)


def _spreadsheet(given: Given, limits: Limits) -> tuple[FileFacts, LoadMapping, Source]:
    refuse_old(given.file)
    workbook = Workbook(given.file, limits)
    shown = [each for each in workbook.sheets if each.part and not each.hidden]
    if not shown:
        raise BadInput("sheet", "The file has no sheet of cells that is not hidden.")
    sheet = Sheet(name=shown[0].name, hidden=True)
    shared = workbook.shared_texts()
    reader = SheetReader(workbook, shown[0], shared)
    head: list[Row] = []
    for rows, _read in reader.batches():
        head += rows
        if len(head) >= SAMPLE_ROWS:
            break
    at = _header_row(head)
    sheet = Sheet(name=shown[0].name, header_row=at, first_row=at + 1, hidden=True)
    header = read_header(workbook, sheet, shared)
    lines = [f"header_row = {at}"] if at > 1 else []
    unsure = []
    if len(workbook.sheets) > 1:
        lines.append(f"name = {quoted(sheet.name or '')}")
        unsure.append(f"The file has {len(workbook.sheets)} sheets; the first one shown is read.")
    if at > 1:
        unsure.append(f"Row {at} of the sheet is taken for the names of the columns.")
    if header.hidden or any(row.hidden for row in head):
        unsure.append(
            "The sheet has hidden rows or columns. Show them and save the file, or write "
            "hidden = true under [sheet]: then they are loaded like any other."
        )
    mapping = _all_as_text(FileFormat.XLSX, [name for name in header.names if name], sheet=sheet)
    given.file.seek(0)
    facts = FileFacts(FileFormat.XLSX, 0, 0, sheet=lines, unsure=unsure)
    return facts, mapping, SpreadsheetSource(given, mapping, limits)


def _header_row(head: Sequence[Row]) -> int:
    """The first row with nearly as many cells as any: what stands above is a title."""
    if not head:
        return 1
    widest = max(len(row.cells) for row in head)
    return next(row.line for row in head if len(row.cells) >= 0.8 * widest)


def _delimited(given: Given, limits: Limits) -> tuple[FileFacts, LoadMapping, Source]:
    sample = _sample(given)
    encoding, unsure = _encoding(sample)
    text = sample.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")
    delimiter, records = _delimiter(text)
    if not records:
        raise BadInput("empty_file", "The file has no header line. Export it again.")
    names = records[0]
    if len(names) == 1:
        unsure.append("Only one column was found. If there are more, say what stands between them.")
    mapping = _all_as_text(FileFormat.CSV, names, encoding=encoding, delimiter=delimiter)
    facts = FileFacts(FileFormat.CSV, 0, 0, encoding, delimiter, unsure=unsure)
    return facts, mapping, DelimitedSource(given, mapping, limits)


def _sample(given: Given) -> bytes:
    """The first stretch of the file's text, cut at a line end."""
    try:
        packed = given.file.read(2) == GZIP
        given.file.seek(0)
        sample = (gzip.GzipFile(fileobj=given.file) if packed else given.file).read(SAMPLE)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise BadInput("gzip_broken", "The gzip file is damaged. Pack it again.") from None
    finally:
        given.file.seek(0)
    return sample if len(sample) < SAMPLE else sample[: sample.rfind(b"\n") + 1] or sample


def _encoding(sample: bytes) -> tuple[str, list[str]]:
    if sample[:2] in UTF16:
        return "utf-16", []
    try:
        sample.decode()
    except UnicodeDecodeError:
        return "windows-1252", [
            "The text is not UTF-8. It is read as windows-1252; iso-8859-1 and iso-8859-15 look "
            "alike. Look at a word with an accent after loading, or export the file as UTF-8."
        ]
    return "utf-8", []


def _delimiter(text: str) -> tuple[str, list[list[str]]]:
    """What divides the cells: what gives most cells, the same number in nearly every record."""
    best: tuple[float, str, list[list[str]]] = (-1.0, ",", [])
    for delimiter in DELIMITERS:
        records: list[list[str]] = []
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            records.extend(record for record, _ in zip(reader, range(SAMPLE_ROWS), strict=False))
        except csv.Error:
            if not records:
                continue
        records = [record for record in records if record]
        width = len(records[0]) if records else 0
        alike = sum(len(record) == width for record in records) / max(1, len(records))
        score = alike * (width > 1) + width / 10_000
        if score > best[0]:
            best = (score, delimiter, records)
    return best[1], best[2]


def _all_as_text(
    form: FileFormat, names: Sequence[str], lists: Collection[str] = (), **given: object
) -> LoadMapping:
    """A mapping that takes every column as it is. Raises BadInput where names cannot tell columns."""
    unnamed = [str(at) for at, name in enumerate(names, start=1) if not name]
    if unnamed:
        raise BadInput(
            "columns", f"These columns have no name, by their places: {', '.join(unnamed[:20])}."
        )
    twice = [str(at) for at, name in enumerate(names, start=1) if names.count(name) > 1]
    if twice:
        raise BadInput(
            "columns",
            "These columns share their name with another one, by their places: "
            f"{', '.join(twice[:20])}. Give each a name of its own.",
        )
    rules = [
        FieldRule(
            name,
            f"c{at}",
            FieldType.CODES if name in lists else FieldType.TEXT,
            "",
            FieldSensitivity.DIRECT,
        )
        for at, name in enumerate(names)
    ]
    settings: dict[str, object] = {"encoding": "utf-8", "delimiter": ",", **given}
    return LoadMapping(
        format=form,
        reject_share=0,
        person_columns=(),
        day_column=None,
        day=date(2025, 1, 1),
        fields=tuple(rules),
        ignored=(),
        sha256="",
        **settings,  # type: ignore[arg-type]  # encoding, delimiter, sheet
    )


def _check_is_header(columns: Sequence[ColumnSummary]) -> None:
    """Without a header line the first row would pass for names and be repeated in the draft."""
    alike = [column for column in columns if column.values and column.name in column.values]
    shapes = [pa.array([column.name.strip()]) for column in columns]
    data = sum(
        any(
            pc.match_substring_regex(name, SHAPES[shape])[0].as_py()
            for shape in ("decimal", "email", "yyyy-mm-dd", "dd/mm/yyyy")
        )
        for name in shapes
    )
    if alike or 2 * data >= len(columns):
        raise BadInput(
            "no_header",
            "The first line looks like a row, not like names of columns. Add a line of names.",
        )


def _tallied(known: Counter[str] | None, pairs: Sequence[tuple[str, int]]) -> Counter[str] | None:
    if known is None:
        return None
    for word, count in pairs:
        known[word] += count
    few = len(known) <= MOST_WORDS and all(len(word) <= LONGEST_WORD for word in known)
    return known if few else None


def _times(fitting: pa.Array, times: npt.NDArray[np.int64]) -> int:
    return int(times[np.asarray(fitting)].sum())
