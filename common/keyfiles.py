"""Whether the key files lie where only the service reads them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

PRIVATE = stat.S_IRWXG | stat.S_IRWXO
NAMES = ("*.root", "*.ed25519", "*.secret", "*.kek", "*.keys")
IDENTITY = b"AGE-SECRET-KEY-"


def exposed(keys: Path) -> list[str]:
    """Names of key files that the group or everybody may read, write or run.

    What the service manager itself hands over is its own care and is not looked at.
    """
    handed = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if handed and Path(handed) in (keys, *keys.parents):
        return []
    return [path.name for path in _files(keys) if path.stat().st_mode & PRIVATE]


def misplaced(keys: Path, data: Path) -> list[str]:
    """Names of key files that lie in the data folder, by themselves or at the end of a link."""
    inside = data.resolve()
    found = [path.name for path in _files(keys) if inside in path.resolve().parents]
    for level in ("", "*/"):
        for name in NAMES:
            found += [path.name for path in data.glob(level + name)]
        found += [path.name for path in data.glob(f"{level}*.age") if _is_identity(path)]
    return sorted(found)


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in sorted(folder.iterdir()) if path.is_file())


def _is_identity(path: Path) -> bool:
    """A key that opens parts, not a sealed part, which ends in the same letters."""
    with path.open("rb") as file:
        return IDENTITY in file.read(512)
