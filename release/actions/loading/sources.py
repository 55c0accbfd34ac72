"""A file as rows of text cells, in constant memory. A message never repeats what a file says."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from common.errors import BadInput
from release.actions.loading.rejects import Fault
from release.rules.mapping import LoadMapping

READ_AT_ONCE = 4 * 1024 * 1024

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Some rows of a file: where each stands, and the cells of the columns that are read."""

    lines: Numbers  # the line each row starts at; for Parquet its number
    rows: Numbers  # the row's number in the file, from 1
    cells: dict[str, pa.Array]  # text; null or empty where nothing is recorded
    broken: list[Fault]  # rows that are not among these, and why
    seen: int  # all rows read, broken ones included
    read_bytes: int  # how far in the file we are


class Source(Protocol):
    """A file that was opened and whose columns fit the mapping."""

    def expected_bytes(self) -> int:
        """About how much text or data it holds once unpacked."""

    def batches(self) -> Iterator[Batch]:
        """Its rows. Raises BadInput where the file as a whole cannot be trusted."""


@dataclass(frozen=True)
class Given:
    """A file that was opened: its bytes' digest, and whether they stayed the same."""

    file: BinaryIO
    size: int
    sha256: str
    stamp: tuple[int, int] | None  # None: its bytes cannot change

    def check_unchanged(self) -> None:
        """Raises BadInput where somebody wrote to the file while it was being read."""
        if self.stamp is not None and _stamp(self.file) != self.stamp:
            raise BadInput("file_changed", "The file changed while it was read. Load it again.")


@contextmanager
def opened(path: Path | Given) -> Iterator[Given]:
    """Open a file and digest it. Raises BadInput where it is no file, is empty or is not there.

    What was opened and digested already, on its way in, is taken as it is.
    """
    if isinstance(path, Given):
        yield path
        return
    try:
        # Not blocking, so that a pipe is refused below instead of waited for.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise BadInput("no_file", "There is no file at this path. Check the path.") from None
    except OSError:
        raise BadInput("no_file", "The file cannot be read. Check its permissions.") from None
    if not S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BadInput("not_a_file", "This is a folder or a device. Name one file.")
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if status.st_size == 0:
            raise BadInput("empty_file", "The file is empty. Export it again.")
        stamp = _stamp(file)
        digest = sha256()
        while chunk := file.read(READ_AT_ONCE):
            digest.update(chunk)
        file.seek(0)
        yield Given(file, status.st_size, digest.hexdigest(), stamp)


def check_header(
    header: Sequence[str], mapping: LoadMapping, most: int, places: Sequence[int] = ()
) -> dict[str, int]:
    """Where each wanted column stands. Raises BadInput where the columns do not fit the mapping.

    `places` are the columns' numbers in the file, where they are not 1, 2, 3 …. Columns the mapping does not know are named by their place only: in a file without a header
    line they would be somebody's data.
    """
    if len(header) > most:
        raise BadInput("too_many_columns", f"The file has more than {most} columns.")
    wanted = mapping.wanted()
    known = {*wanted, *mapping.ignored}
    problems = [f"The file has no column {column!r}." for column in sorted(known - set(header))] + [
        f"The file has the column {column!r} {header.count(column)} times."
        for column in sorted(column for column in known if header.count(column) > 1)
    ]
    numbers = places or range(1, len(header) + 1)
    strange = [str(place) for place, name in zip(numbers, header, strict=True) if name not in known]
    if strange:
        problems.append(
            f"The mapping does not say what to do with {_places(strange)} of the file: "
            "make a field of it or list it under [ignore]."
        )
    if problems:
        raise BadInput("columns", "\n".join(problems))
    return {column: header.index(column) for column in wanted}


def _places(strange: Sequence[str]) -> str:
    shown = ", ".join(strange[:20]) + (" …" if len(strange) > 20 else "")
    return f"column {shown}" if len(strange) == 1 else f"columns {shown}"


def _stamp(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns
