"""What a zip of XML parts holds, read as it lies: unpacked in memory, piece by piece, in bounds.

Nothing here knows what the parts mean. A message never repeats a name or a word of the file.
"""

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO
from xml.parsers import expat

from common.errors import BadInput
from release.actions.loading.limits import MIB, Limits

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SEALED_BY_PASSWORD = "EncryptedPackage".encode("utf-16-le")
AT_ONCE = 64 * 1024
# One tag or comment; what is longer is no case data and would have to be held whole.
LONGEST_TAG = MIB
# A part that only describes others: names of sheets, number formats.
DESCRIPTION_BYTES = 16 * MIB
DESCRIPTION_TAGS = 500_000
CONTENTS_BYTES = 4 * MIB
END, END64, END64_AT = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), b"PK\x06\x07"
USUAL = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
SEALED = 0x1

OnStart = Callable[[str, Mapping[str, str]], None]
OnEnd = Callable[[str], None]
OnText = Callable[[str], None]


class Packed:
    """The parts of one zip. Raises BadInput where it is none, is sealed or cannot be trusted."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._limits = limits
        _check_contents(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise damaged() from error
        self._parts: dict[str, zipfile.ZipInfo] = {}
        for part in self._zip.infolist():
            if part.flag_bits & SEALED:
                raise by_password()
            if part.filename in self._parts or part.compress_type not in USUAL:
                raise damaged()
            self._parts[part.filename] = part

    def names(self) -> list[str]:
        return list(self._parts)

    def size(self, name: str) -> int:
        """What a part says it unpacks to, in bytes."""
        return self._find(name).file_size

    def pieces(self, name: str) -> Iterator[bytes]:
        """A part, unpacked. Raises BadInput where it is broken or grows out of all proportion."""
        part, limits = self._find(name), self._limits
        made = 0
        try:
            with self._zip.open(part) as stream:
                while piece := stream.read(AT_ONCE):
                    made += len(piece)
                    if made > limits.expansion_from and made > limits.expansion * max(
                        1, part.compress_size
                    ):
                        raise BadInput(
                            "zip_bomb",
                            "The file unpacks to far more than case data does. Not loaded.",
                        )
                    if made > limits.file_bytes:
                        raise BadInput(
                            "too_large", "The file is larger than one load may be. Divide it."
                        )
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise damaged() from error

    def describe(self, name: str, start: OnStart, end: OnEnd | None = None) -> None:
        """Read a part that only describes others, whole."""
        if self.size(name) > DESCRIPTION_BYTES:
            raise damaged()
        seen = 0

        def counted(tag: str, given: Mapping[str, str]) -> None:
            nonlocal seen
            seen += 1
            if seen > DESCRIPTION_TAGS:
                raise damaged()
            start(tag, given)

        for _ in tagged(self.pieces(name), counted, end):
            pass

    def _find(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._parts[name]
        except KeyError:
            raise damaged() from None


def tagged(
    pieces: Iterator[bytes],
    start: OnStart,
    end: OnEnd | None = None,
    text: OnText | None = None,
) -> Iterator[int]:
    """Read XML piece by piece, calling back; yields the bytes read so far after each piece.

    Raises BadInput where it is not well formed, declares anything, or one tag never ends.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    # A DOCTYPE is refused, so no entity is ever declared and none grows.
    parser.StartDoctypeDeclHandler = _no_declarations
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    read = 0
    try:
        for piece in pieces:
            read += len(piece)
            parser.Parse(piece)
            if read - max(0, parser.CurrentByteIndex) > LONGEST_TAG:
                raise damaged()
            yield read
        parser.Parse(b"", True)
        yield read
    except expat.ExpatError as error:
        raise damaged() from error


def refuse_old(file: BinaryIO) -> None:
    """Raises BadInput that says what else than a zip the file is; leaves it at its beginning."""
    file.seek(0)
    begins = file.read(len(OLE))
    file.seek(0)
    if begins[: len(ZIP)] == ZIP:
        return
    if begins != OLE:
        raise BadInput(
            "xlsx_broken", "This is not an XLSX file, or its beginning is damaged. Save it again."
        )
    kept = b""
    while piece := file.read(MIB):
        if SEALED_BY_PASSWORD in kept + piece:
            raise by_password()
        kept = piece[-len(SEALED_BY_PASSWORD) :]
    raise BadInput(
        "xls_old",
        "This is the old Excel format (.xls). Open it and save it as an Excel workbook (.xlsx).",
    )


def _check_contents(file: BinaryIO) -> None:
    """The list of parts is read whole by the library, so its size is looked at first."""
    refuse_old(file)
    size = file.seek(0, 2)
    reach = min(size, END.size + 65_535 + END64.size + 20)
    file.seek(size - reach)
    tail = file.read(reach)
    at = tail.rfind(b"PK\x05\x06")
    file.seek(0)
    if at < 0 or len(tail) - at < END.size:
        raise damaged()
    contents = END.unpack_from(tail, at)[5]
    locator = at - 20
    if locator >= END64.size and tail[locator : locator + 4] == END64_AT:
        contents = END64.unpack_from(tail, locator - END64.size)[8]
    if contents > CONTENTS_BYTES:
        raise damaged()


def _no_declarations(*_given: object) -> None:
    raise BadInput(
        "xlsx_declares",
        "The file declares XML entities, which no spreadsheet program writes. Not loaded.",
    )


def damaged() -> BadInput:
    return BadInput(
        "xlsx_broken",
        "The XLSX file is damaged, cut short or was not made by a spreadsheet program. "
        "Open it and save it again.",
    )


def by_password() -> BadInput:
    return BadInput(
        "xlsx_password",
        "The file is protected by a password. Open it, take the password off and save it.",
    )
