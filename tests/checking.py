"""The checking program as somebody runs it on what she took home."""

import re
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import verify_sayso as script

from audit import queries as log
from consent.models import Subject
from consent.queries import keys
from governance.models import User
from release.queries import proofs


def script_says(folder: Path, text: str, *, key: str = "", policy: str = "") -> tuple[int, str]:
    """Its exit code, and what it says of a list."""
    words = [str(folder / "list"), "--log-key", log.log_verifier().render()]
    (folder / "list").write_text(text, encoding="utf-8", newline="")
    for name, given in (("own-key", key), ("policy", policy)):
        if given:
            (folder / name).write_text(given, encoding="utf-8", newline="")
            words += [f"--{name}", str(folder / name)]
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = script.main(words)
    return code, said.getvalue()


def tagged(says: str) -> int:
    """Of how many events it says that they have a person's tag."""
    (found,) = re.findall(r"(\d+) of them have a person's tag", says)
    return int(found)


def list_of(account: User) -> str:
    return "".join(proofs.text(proofs.copy(account)))


def own_key(subject: Subject) -> bytes:
    (key,) = keys.unwrap(subject.holder.ref, [bytes(subject.wrapped_key)])
    return key
