"""`sayso ask | fetch | verify | push | check`, and `sayso key` for the very first time."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from getpass import getpass
from pathlib import Path

from pyrage import x25519
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from sayso_client.door import Door, Way
from sayso_client.packages import Checked, fetch, identity_of, verify
from sayso_client.proofs import LogKey
from sayso_client.trouble import Code, Trouble

ABOUT = """Asks a Sayso service for data, fetches it, opens it and checks it.
The way in stands in the environment: SAYSO_URL with SAYSO_CLIENT_ID and SAYSO_CLIENT_SECRET
(or SAYSO_TOKEN), SAYSO_IDENTITY (your age key file), SAYSO_LOG_KEY (the log's public key)."""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; every trouble is one sentence on standard error and its own exit code."""
    options = _parser().parse_args(words)
    try:
        options.run(options)
    except Trouble as trouble:
        print(trouble.sentence, file=sys.stderr)
        return int(trouble.code)
    except KeyboardInterrupt:
        print("Stopped. Run the same again: it goes on where it was.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sayso", description=ABOUT)
    verbs = parser.add_subparsers(required=True)
    key = verbs.add_parser("key", help="make an age key; prints the half to register")
    key.add_argument("file", type=Path)
    key.set_defaults(run=_key)
    ask = verbs.add_parser("ask", help="ask for the rows of an approved request and wait")
    ask.add_argument("request", help="req-…")
    ask.set_defaults(run=_ask)
    get = verbs.add_parser("fetch", help="fetch a release, check it and open it")
    get.add_argument("release", help="rel-…")
    get.add_argument("--to", type=Path, help="a folder (default: named like the release)")
    get.add_argument("--sealed", action="store_true", help="leave the parts sealed")
    get.set_defaults(run=_fetch)
    look = verbs.add_parser("verify", help="check a fetched folder without asking anybody")
    look.add_argument("folder", type=Path)
    look.set_defaults(run=_verify)
    push = verbs.add_parser("push", help="send a file as the next version of a dataset")
    push.add_argument("dataset", help="dst-…")
    push.add_argument("file", type=Path)
    push.add_argument("--mapping", type=Path, required=True, help="a TOML file")
    push.set_defaults(run=_push)
    check = verbs.add_parser(
        "check", help="may one client's record go out for an approved request, now?"
    )
    check.add_argument("request", help="req-…")
    check.set_defaults(run=_check)
    return parser


def _key(options: argparse.Namespace) -> None:
    if options.file.exists():
        raise Trouble(Code.USAGE, f"{options.file} is there already; it is left alone.")
    identity = x25519.Identity.generate()
    handle = os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{identity}\n")
    print(identity.to_public())


def _ask(options: argparse.Namespace) -> None:
    with _door() as door, _bar("Preparing") as tell:
        asked = door.post(f"/api/requests/{options.request}/releases/")
        answer = door.wait(f"/api/releases/{asked['ref']}/", lambda _state: tell(0, 0))
    if answer["state"] != "prepared":
        grounds = ", ".join(answer["grounds"]) or answer["state"]
        raise Trouble(Code.REFUSED, f"{answer['ref']} was refused: {grounds}.")
    print(answer["ref"])


def _fetch(options: argparse.Namespace) -> None:
    identity = None if options.sealed else identity_of(Path(_set("SAYSO_IDENTITY")))
    folder = options.to or Path(options.release)
    with _door() as door, _bar("Fetching") as tell:
        checked = fetch(
            door, options.release, folder, identity=identity, log_key=_log_key(), progress=tell
        )
    _told(checked)
    for path in checked.files:
        print(path)


def _verify(options: argparse.Namespace) -> None:
    _told(verify(options.folder, log_key=_log_key()))


def _push(options: argparse.Namespace) -> None:
    for path in (options.file, options.mapping):
        if not path.is_file():
            raise Trouble(Code.USAGE, f"There is no file {path}.")
    with _door() as door, _bar("Sending and loading") as tell:
        with options.mapping.open("rb") as mapping, options.file.open("rb") as file:
            parts = {"mapping": ("mapping.toml", mapping), "file": ("file", file)}
            sent = door.post(f"/api/datasets/{options.dataset}/uploads/", files=parts)
        path = f"/api/uploads/{sent['ref']}/"
        answer = door.wait(path, lambda _state: tell(0, 0))
        if answer["report"]:
            report = options.file.with_name(f"{options.file.name}.report.csv")
            report.write_bytes(door.bytes(str(answer["report"])))
            print(f"Refused rows: {report}", file=sys.stderr)
    if answer["state"] != "loaded":
        raise Trouble(Code.REFUSED, f"Refused: {answer['told']} ({answer['code']})")
    print(f"{answer['version']}: {answer['rows']} rows, {answer['rejected']} refused")


def _check(options: argparse.Namespace) -> None:
    """The number comes from a prompt or a pipe: words of a command stand in lists of processes."""
    number = _number()
    with _door() as door:
        answer = door.post_anew("/api/decisions/", {"request": options.request, "client": number})
    if answer["decision"] != "permitted":
        raise Trouble(Code.REFUSED, f"{answer['ref']}: no, {', '.join(answer['grounds'])}.")
    print(f"{answer['ref']}: yes at {answer['at']}, and for no later moment")
    print(f"recorded until {answer['record_until']}")
    for category, names in answer["columns"].items():
        print(f"{category}: {', '.join(names)}")


def _number() -> str:
    try:
        typed = getpass("Client number: ") if sys.stdin.isatty() else sys.stdin.readline()
    except EOFError:
        typed = ""
    if not typed.strip():
        raise Trouble(Code.USAGE, "Type the client number, or send it through standard input.")
    return typed.strip()


def _told(checked: Checked) -> None:
    log = "the log's signature holds" if checked.proven.signed else (
        "the signature was not checked: set SAYSO_LOG_KEY"
    )  # fmt: skip
    print(
        f"{checked.release}: {checked.parts} parts, {checked.rows} rows; every digest holds; "
        f"entry {checked.proven.index} of the log; {log}.",
        file=sys.stderr,
    )
    if checked.notice:
        print(f"\n{checked.notice}", file=sys.stderr)


def _door() -> Door:
    return Door(
        Way(
            url=_set("SAYSO_URL"),
            token=os.environ.get("SAYSO_TOKEN", ""),
            client_id=os.environ.get("SAYSO_CLIENT_ID", ""),
            client_secret=os.environ.get("SAYSO_CLIENT_SECRET", ""),
        )
    )


def _log_key() -> LogKey | None:
    text = os.environ.get("SAYSO_LOG_KEY", "")
    return LogKey.read(text) if text else None


def _set(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise Trouble(Code.USAGE, f"Set {name} first. `sayso --help` says what each is.")
    return value


@contextmanager
def _bar(words: str) -> Iterator[Callable[[int, int], None]]:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of or None)
