"""What our own source says, to the byte: by it an entry of the log names the rules that decided."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent


def path_of(module: str) -> Path:
    """Where the source of one of our modules lies."""
    file = HERE.joinpath(*module.split("."))
    return file / "__init__.py" if file.is_dir() else file.with_suffix(".py")


def digest(modules: Sequence[str]) -> str:
    """What `sha256sum FILE … | sha256sum` prints of these modules' files, in the folder of Sayso.

    Of the files as they lie there when the process begins. Raises OSError where one is not there.
    """
    lines = ""
    for file in map(path_of, modules):
        lines += f"{sha256(file.read_bytes()).hexdigest()}  {file.relative_to(HERE)}\n"
    return sha256(lines.encode()).hexdigest()
