"""A package on this machine: fetched part by part, opened with one's own key, checked."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyrage
from pyrage import x25519

from sayso_client.door import Door
from sayso_client.proofs import LogKey, Proven, check
from sayso_client.trouble import Code, Trouble

MANIFEST, PROOF, SEALED, OPENED = "manifest.json", "proof.tlog-proof", "sealed", "opened"
NOTICE = "NOTICE.txt"
READ = 1024 * 1024
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Checked:
    """What was found in order: the manifest, its parts, and the log's word for it.

    `notice`: what may not be passed on, and on which yes it rests; empty where nothing is said.
    """

    release: str
    rows: int
    parts: int
    files: tuple[Path, ...]
    proven: Proven
    notice: str


def quiet(_done: int, _of: int) -> None:
    """Tells nobody how far it is."""


def identity_of(path: Path) -> x25519.Identity:
    """One's own key: the first line of the file that is an age identity."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        raise Trouble(Code.WRONG_KEY, f"The key file {path} cannot be read.") from None
    for line in lines:
        if line.startswith("AGE-SECRET-KEY-"):
            try:
                return x25519.Identity.from_str(line.strip())
            except pyrage.IdentityError:
                break
    raise Trouble(Code.WRONG_KEY, f"The file {path} holds no age key.")


def fetch(
    door: Door,
    release: str,
    folder: Path,
    *,
    identity: x25519.Identity | None,
    log_key: LogKey | None,
    progress: Progress = quiet,
) -> Checked:
    """Fetch a package into a folder, check it, open it. What came before is not fetched again."""
    sealed = folder / SEALED
    sealed.mkdir(parents=True, exist_ok=True, mode=0o700)
    told = door.bytes(f"/api/releases/{release}/{MANIFEST.removesuffix('.json')}/")
    _write(folder / MANIFEST, told)
    body = _manifest(folder, release)
    whole = sum(int(part["size"]) for part in body["parts"])
    done = 0
    for part in body["parts"]:
        _part(door, release, part, sealed, _from(done, whole, progress))
        done += int(part["size"])
    _write(folder / PROOF, door.bytes(f"/api/releases/{release}/proof/"))
    checked = verify(folder, log_key=log_key)
    if checked.notice:
        _write(folder / NOTICE, f"{checked.notice}\n".encode())
    if identity is None:
        return checked
    files = tuple(_open(folder, body, part, identity) for part in body["parts"])
    return replace(checked, files=files)


def verify(folder: Path, *, log_key: LogKey | None) -> Checked:
    """Check a fetched package without asking anybody: manifest, parts, proof."""
    body = _manifest(folder, None)
    for part in body["parts"]:
        path = folder / SEALED / _name(part)
        if not path.is_file() or _digest(path) != part["sha256"]:
            raise _tampered(f"Part {part['number']} is not what the manifest says")
    proven = check(_read(folder / PROOF).decode("utf-8", "replace"), log_key)
    entry = proven.entry
    if entry.get("detail_commit") != _commit(body) or entry.get("resource") != body["release"]:
        raise _tampered("The log's entry is about another manifest")
    return Checked(
        str(body["release"]), int(body["rows"]), len(body["parts"]), (), proven, _notice(body)
    )


def _notice(body: dict[str, Any]) -> str:
    """The manifest's words on what may not be passed on: the log's entry commits to them."""
    told = body.get("redisclosure")
    if told is None:
        return ""
    columns = f"Columns: {', '.join(map(str, told['columns']))}"
    return "\n\n".join([str(told["notice"]), columns, str(told["rests_on"])])


def _from(done: int, whole: int, progress: Progress) -> Callable[[int], None]:
    """Progress over all parts, told from within one of them."""

    def tell(came: int) -> None:
        progress(done + came, whole)

    return tell


def _part(
    door: Door, release: str, part: dict[str, Any], sealed: Path, progress: Callable[[int], None]
) -> None:
    path = sealed / _name(part)
    size, digest = int(part["size"]), str(part["sha256"])
    if path.is_file() and _digest(path) == digest:
        progress(size)
        return
    draft = path.with_suffix(".partial")
    came = draft.stat().st_size if draft.is_file() else 0
    came = came if came < size else 0
    with _opened(draft, append=came > 0) as file:
        address = f"/api/releases/{release}/parts/{part['number']}/"
        for begins, piece in door.pieces(address, etag=digest, came=came):
            if begins != came:  # from the first byte again
                file.truncate(begins)
            file.write(piece)
            came = begins + len(piece)
            progress(came)
    if _digest(draft) != digest:
        draft.unlink()
        raise _tampered(f"Part {part['number']} arrived changed")
    draft.rename(path)


def _open(
    folder: Path, body: dict[str, Any], part: dict[str, Any], identity: x25519.Identity
) -> Path:
    opened = folder / OPENED
    opened.mkdir(exist_ok=True, mode=0o700)
    path = opened / f"part-{int(part['number']):05d}.{body['format']}"
    try:
        data = pyrage.decrypt((folder / SEALED / _name(part)).read_bytes(), [identity])
    except pyrage.DecryptError:
        raise Trouble(
            Code.WRONG_KEY,
            "Your key does not open this package: it was sealed to another one. Use the key that "
            "was registered for your organisation when it was asked for.",
        ) from None
    _write(path, data)
    return path


def _manifest(folder: Path, release: str | None) -> dict[str, Any]:
    try:
        told = json.loads(_read(folder / MANIFEST))
        body: dict[str, Any] = told["manifest"]
        whole = told["manifest_sha256"] == _commit(body)
        named = release in (None, body["release"])
    except (ValueError, KeyError, TypeError):
        raise _tampered("The manifest cannot be read") from None
    if not whole or not named:
        raise _tampered("The manifest is not what it says of itself")
    return body


def _commit(body: dict[str, Any]) -> str:
    """SHA-256 of the manifest in canonical JSON (RFC 8785; it holds texts and whole numbers only)."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


def _name(part: dict[str, Any]) -> str:
    return f"part-{int(part['number']):05d}.age"


def _digest(path: Path) -> str:
    found = sha256()
    with path.open("rb") as file:
        while chunk := file.read(READ):
            found.update(chunk)
    return found.hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise Trouble(Code.NOT_THERE, f"There is no {path.name} in this folder.") from None


def _write(path: Path, data: bytes) -> None:
    with _opened(path, append=False) as file:
        file.write(data)


def _opened(path: Path, *, append: bool) -> Any:
    """A file that nobody else on this machine may read."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC)
    return os.fdopen(os.open(path, flags, 0o600), "ab" if append else "wb")


def _tampered(what: str) -> Trouble:
    return Trouble(
        Code.TAMPERED, f"{what}. Do not use the files; tell the service's administrator."
    )
