"""Writes XLSX files part by part, so that a test can write what no spreadsheet program would."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from tests.integration.loading_world import HEADER

COLUMNS = HEADER.split(",")
GOOD = dict(
    zip(COLUMNS, ["N-1", "2024-02-29", "w", "a", "x", "1", "1.5", "2020-01-31", "yes"], strict=True)
)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml."
# Styles by number: 0 plain, 1 a day by the usual number, 2 a day by a format of one's own,
# 3 money, 4 a length of time, 5 an hour.
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="3">'
    '<numFmt numFmtId="164" formatCode="dd&quot; de &quot;mmm\\ yyyy"/>'
    '<numFmt numFmtId="165" formatCode="[Red]#,##0.00&quot; days&quot;"/>'
    '<numFmt numFmtId="166" formatCode="[h]:mm"/></numFmts>'
    '<cellStyleXfs count="1"><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs count="6"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/>'
    '<xf numFmtId="165"/><xf numFmtId="166"/><xf numFmtId="20"/></cellXfs></styleSheet>'
)


def letters(place: int) -> str:
    """The column's letters, from its place counted from 0."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name


def inline(text: str) -> str:
    """What stands in a cell that holds its own text."""
    return f't="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is>'


def row(number: int, cells: Mapping[int, str] | Sequence[str], attributes: str = "") -> str:
    """A row; each cell is what follows `<c r="…" `."""
    placed = cells.items() if isinstance(cells, Mapping) else enumerate(cells)
    inside = "".join(f'<c r="{letters(place)}{number}" {cell}</c>' for place, cell in placed)
    return f'<row r="{number}" {attributes}>{inside}</row>'


def texts(number: int, words: Sequence[str], attributes: str = "") -> str:
    """A row of texts; where a word is empty there is no cell."""
    placed = {place: inline(word) for place, word in enumerate(words) if word}
    return row(number, placed, attributes)


def with_cell(column: str, cell: str) -> str:
    """The header, a good row, and one whose cell in this column is written so."""
    changed = {place: inline(GOOD[name]) for place, name in enumerate(COLUMNS)}
    changed[COLUMNS.index(column)] = cell
    return texts(1, COLUMNS) + texts(2, list(GOOD.values())) + row(3, changed)


def sheet(data: str, *, before: str = "", after: str = "", space: str = MAIN) -> str:
    return f'<worksheet xmlns="{space}">{before}<sheetData>{data}</sheetData>{after}</worksheet>'


def book(
    *sheets: str,
    names: Sequence[str] = ("Cases", "Other", "Third"),
    states: Sequence[str] = ("visible",) * 3,
    shared: str | None = None,
    settings: str = "",
    after: str = "",
    kind: str = KIND + "sheet.main+xml",
    parts: Mapping[str, str | bytes] | None = None,
    styles: str = STYLES,
    packing: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """An XLSX file of these sheets (whole parts); `parts` adds parts or writes them otherwise."""
    listed = "".join(
        f'<sheet name={quoteattr(names[at])} sheetId="{at + 1}" state="{states[at]}" '
        f'r:id="rId{at + 1}"/>'
        for at in range(len(sheets))
    )
    related = "".join(
        f'<Relationship Id="rId{at + 1}" Type="{OFFICE}/worksheet" '
        f'Target="worksheets/sheet{at + 1}.xml"/>'
        for at in range(len(sheets))
    )
    related += f'<Relationship Id="rId90" Type="{OFFICE}/styles" Target="/xl/styles.xml"/>'
    if shared is not None:
        related += (
            f'<Relationship Id="rId91" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
        )
    files: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{settings}'
        f"<sheets>{listed}</sheets>{after}</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f"{related}</Relationships>",
        "xl/styles.xml": styles,
        **{f"xl/worksheets/sheet{at + 1}.xml": part for at, part in enumerate(sheets)},
    }
    if shared is not None:
        files["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}">{shared}</sst>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as packed:
        for name, part in (files | dict(parts or {})).items():
            packed.writestr(name, part)
    return out.getvalue()
