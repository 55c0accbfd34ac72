from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.management import verified
from audit.queries.keys import log_verifiers
from audit.queries.log import log_size
from audit.queries.tampered import Tampered
from audit.queries.verification import verify, verify_range, verify_root
from audit.tlog.checkpoints import Checkpoint, open_checkpoint
from audit.tlog.notes import Verifier, parse_verifier
from audit.tlog.texts import Malformed, Unproven, to_base64
from common.arguments import new_path, path, whole, word
from common.errors import NotReady

LARGEST = 2**62


class Command(BaseCommand):
    """Compute the whole log anew and name the first thing in it that does not hold."""

    requires_system_checks = []  # no broken door may stop the log
    help = (
        "Computes the whole log anew from its entries, compares every stored hash, checkpoint and "
        "signature, and names the first entry that is wrong. Exit code 1 if anything is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--key",
            action="append",
            type=word,
            default=[],
            metavar="VERIFIER_KEY",
            help="a key to check signatures with, instead of this installation's own",
        )
        parser.add_argument(
            "--checkpoint",
            action="append",
            default=[],
            type=path,
            metavar="FILE",
            help="a checkpoint kept outside, which the log must still hold",
        )

        parser.add_argument(
            "--root",
            action="store_true",
            help="the quick look: only that the entries as they stand lead to the signed head",
        )
        parser.add_argument(
            "--from",
            dest="first",
            type=whole(0, LARGEST),
            metavar="ENTRY",
            help="only the entries from this one on, to --to, and on to the signed head over it",
        )
        parser.add_argument("--to", dest="last", type=whole(0, LARGEST), metavar="ENTRY")
        parser.add_argument(
            "--state",
            type=new_path,
            metavar="FILE",
            help="keep in this file how far all was verified, and go on from there: broken off, run "
            "it again. Keep it where the service cannot write",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            verifiers = [parse_verifier(key) for key in options["key"]] or log_verifiers()
            outside = [_read(file, verifiers) for file in options["checkpoint"]]
            if self._in_part(verifiers, outside, options):
                return
            state = options["state"]
            known = verified.read(state, settings.LOG_ORIGIN) if state else None
            keeper = verified.Keeper(state) if state else None
            verdict = verify(
                origin=settings.LOG_ORIGIN,
                verifiers=verifiers,
                outside=outside,
                cosigners=[each.cosigner for each in settings.WITNESSES.witnesses.values()],
                after=known,
                progress=self._progress if options["verbosity"] else lambda done, total: None,
                passed=keeper.keep if keeper else lambda head: None,
            )
            if keeper:
                keeper.write(Checkpoint(settings.LOG_ORIGIN, verdict.size, verdict.root))
        except Tampered as error:
            raise CommandError(f"The log does not hold. {error}") from error
        except (Malformed, Unproven) as error:
            raise CommandError(f"The log cannot be checked. {error}") from error
        except NotReady as error:
            raise CommandError(f"The log cannot be checked. {error.message}") from error
        self.stdout.write(
            f"The log holds: {verdict.size} entries, {verdict.checkpoints} checkpoints, "
            f"{verdict.journal_rows} journal rows; root {to_base64(verdict.root)}; "
            f"{verdict.pending} entries and {verdict.journal_waiting} journal rows still wait."
        )
        if known is not None:
            self.stdout.write(
                f"Entries before {known.size} were verified before and not read again."
            )

    def _in_part(
        self, verifiers: list[Verifier], outside: list[Checkpoint], options: dict[str, Any]
    ) -> bool:
        """The looks at less than everything; whether one of them was asked for."""
        first, last = options["first"], options["last"]
        ranged = first is not None or last is not None
        if ranged + options["root"] + (options["state"] is not None) > 1:
            raise CommandError("Choose one of: --root, --from with --to, --state.")
        if ranged and outside:
            raise CommandError("--checkpoint needs the whole log: leave --from and --to out.")
        if options["root"]:
            self._root(verifiers, outside)
        elif ranged:
            self._range(verifiers, first or 0, last)
        return bool(ranged or options["root"])

    def _range(self, verifiers: list[Verifier], first: int, last: int | None) -> None:
        size = log_size()
        border = size if last is None else last + 1
        if not first < border <= size:
            raise CommandError(f"Entries 0 to {size - 1} can be chosen, the first one first.")
        head = verify_range(
            origin=settings.LOG_ORIGIN,
            verifiers=verifiers,
            first=first,
            last=border,
            progress=self._progress,
        )
        self.stdout.write(
            f"Entries {first} to {head.size - 1} hold, up to the signed head of {head.size}; root "
            f"{to_base64(head.root)}. Earlier entries and the journal were not looked at."
        )

    def _root(self, verifiers: list[Verifier], outside: list[Checkpoint]) -> None:
        head = verify_root(
            origin=settings.LOG_ORIGIN,
            verifiers=verifiers,
            outside=outside,
            progress=self._progress,
        )
        self.stdout.write(
            f"The entries lead to the signed head: {head.size} entries; root "
            f"{to_base64(head.root)}. Columns, nodes, older heads and the journal were not looked at."
        )

    def _progress(self, done: int, total: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{done} of {total}", ending="" if done < total else "\n")


def _read(file: Path, verifiers: list[Verifier]) -> Checkpoint:
    try:
        note = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise Malformed(f"The file {file.name} cannot be read as text.") from None
    return open_checkpoint(note, origin=settings.LOG_ORIGIN, verifiers=verifiers)
