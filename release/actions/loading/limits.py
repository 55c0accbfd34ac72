"""How much a file may ask of us."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds of one load. Memory is bounded by them, whatever the file says of itself."""

    columns: int = 2000
    # One record, quoted line ends included: beyond this a quote was never closed.
    record_bytes: int = 16 * MIB
    file_bytes: int = 256 * 1024 * MIB
    rows: int = 1_000_000_000
    # What a gzip or a part of a zip may unpack to: this many times its size, once it is large enough to matter.
    expansion: int = 250
    expansion_from: int = 64 * MIB
    # The texts a spreadsheet keeps once for all cells: any cell may ask for any of them.
    shared_bytes: int = 256 * MIB
    batch_rows: int = 32_768
    batch_bytes: int = 16 * MIB
    # What is kept in memory before it is sealed into staging, and what one bucket should hold.
    staging_bytes: int = 16 * MIB
    bucket_bytes: int = 16 * MIB
    # More than this in one bucket means that the person column does not tell people apart.
    bucket_most_bytes: int = 2048 * MIB
    buckets: int = 1024
    part_bytes: int = 8_000_000
    part_rows: int = 90_000
    report_lines: int = 10_000


LIMITS = Limits()
