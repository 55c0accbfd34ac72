"""What reads a file of which format."""

from typing import assert_never

from release.actions.loading.columnar import ColumnarSource
from release.actions.loading.delimited import DelimitedSource
from release.actions.loading.limits import Limits
from release.actions.loading.sources import Given, Source
from release.actions.loading.spreadsheet import SpreadsheetSource
from release.rules.mapping import FileFormat, LoadMapping


def source(given: Given, mapping: LoadMapping, limits: Limits) -> Source:
    """The file's reader. Raises BadInput where it is another format or its columns do not fit."""
    match mapping.format:
        case FileFormat.CSV:
            return DelimitedSource(given, mapping, limits)
        case FileFormat.PARQUET:
            return ColumnarSource(given, mapping, limits)
        case FileFormat.XLSX:
            return SpreadsheetSource(given, mapping, limits)
        case _:
            assert_never(mapping.format)
