"""`python -m audit.witness key | add-log | drop-key | logs | disputes | serve`."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from audit.tlog.notes import Verifier, parse_verifier
from audit.tlog.texts import Malformed
from audit.witness import keys, store
from audit.witness.judging import Witness
from audit.witness.keys import Unusable
from audit.witness.server import Server
from audit.witness.store import Store

ABOUT = """A witness of transparency logs (https://c2sp.org/tlog-witness). Make a key, name the logs
to watch by their verifier keys, and serve. It needs no other part of the service."""
USAGE = 2


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; what cannot be done is one sentence on standard error and exit code 2."""
    options = _parser().parse_args(words)
    try:
        options.run(options)
    except Unusable as error:
        print(error, file=sys.stderr)
        return USAGE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m audit.witness", description=ABOUT)
    verbs = parser.add_subparsers(required=True)
    key = verbs.add_parser("key", help="make a key; prints the half that everybody may know")
    key.add_argument("file", type=Path)
    key.add_argument("--name", required=True, help="a host and path you own, without https://")
    key.add_argument("--kind", choices=sorted(keys.KINDS), default="ed25519")
    key.set_defaults(run=_key)
    add = verbs.add_parser("add-log", help="watch a log; again with its next key when it has one")
    _file(add)
    add.add_argument("vkey", nargs="+", help="the log's verifier key, from whoever runs it")
    add.set_defaults(run=_add_log)
    drop = verbs.add_parser("drop-key", help="trust a log's key no more")
    _file(drop)
    drop.add_argument("vkey")
    drop.set_defaults(run=_drop_key)
    logs = verbs.add_parser("logs", help="what is watched, and how large it was last")
    _file(logs)
    logs.set_defaults(run=_logs)
    disputes = verbs.add_parser("disputes", help="what logs signed that does not go on")
    _file(disputes)
    disputes.set_defaults(run=_disputes)
    serve = verbs.add_parser("serve", help="answer until SIGTERM or SIGINT")
    _file(serve)
    serve.add_argument("--key", type=Path, action="append", required=True, metavar="FILE")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8100)
    serve.set_defaults(run=_serve)
    return parser


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database", type=Path, required=True, metavar="FILE")


def _key(options: argparse.Namespace) -> None:
    print(keys.make(options.file, name=options.name, kind=options.kind).cosigner.render())


def _add_log(options: argparse.Namespace) -> None:
    verifiers = [_verifier(text) for text in options.vkey]
    place = Store(options.database)
    place.create()
    with place.writing() as database:
        for verifier in verifiers:
            store.add_key(database, verifier)
    for verifier in verifiers:
        print(f"Watches {verifier.name} under the key {verifier.key_id.hex()}.")


def _drop_key(options: argparse.Namespace) -> None:
    verifier = _verifier(options.vkey)
    place = Store(options.database)
    place.check()
    with place.writing() as database:
        if not store.drop_key(database, verifier):
            raise Unusable("This key was not trusted.")
    print(f"Trusts the key {verifier.key_id.hex()} of {verifier.name} no more.")


def _logs(options: argparse.Namespace) -> None:
    place = Store(options.database)
    place.check()
    with closing(place.reading()) as database:
        for origin in store.origins(database):
            head = store.head(database, origin)
            print(f"{origin}: {head.size if head else 0} entries")


def _disputes(options: argparse.Namespace) -> None:
    place = Store(options.database)
    place.check()
    with closing(place.reading()) as database:
        for found in store.disputes(database):
            print(f"{found.origin} at {found.at}: {found.why}\n\nHeld:\n{found.held}")
            print(f"Was sent:\n{found.body}")


def _serve(options: argparse.Namespace) -> None:
    place = Store(options.database)
    place.check()
    own = [keys.read(file) for file in options.key]
    with Server(options.host, options.port, Witness(own, place)) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            # Not from within the handler: it runs in the thread that shutdown waits for.
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        host, port = server.server_address[:2]
        print(f"The witness {own[0].name} answers at {host!s}:{port}.", flush=True)
        server.serve_forever()
    print("The witness has ended.")


def _verifier(text: str) -> Verifier:
    try:
        return parse_verifier(text)
    except Malformed as error:
        raise Unusable(str(error)) from error


if __name__ == "__main__":
    raise SystemExit(main())
