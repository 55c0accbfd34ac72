from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.queries.keys import log_verifier
from audit.queries.verification import Tampered, verify
from audit.tlog.checkpoints import Checkpoint, open_checkpoint
from audit.tlog.notes import Verifier, parse_verifier
from audit.tlog.texts import Malformed, Unproven, to_base64
from common.arguments import path, word
from common.errors import NotReady


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

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            verifiers = [parse_verifier(key) for key in options["key"]] or [log_verifier()]
            outside = [_read(file, verifiers) for file in options["checkpoint"]]
            verdict = verify(
                origin=settings.LOG_ORIGIN,
                verifiers=verifiers,
                outside=outside,
                progress=self._progress if options["verbosity"] else lambda done, total: None,
            )
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

    def _progress(self, done: int, total: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{done} of {total}", ending="" if done < total else "\n")


def _read(file: Path, verifiers: list[Verifier]) -> Checkpoint:
    try:
        note = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise Malformed(f"The file {file.name} cannot be read as text.") from None
    return open_checkpoint(note, origin=settings.LOG_ORIGIN, verifiers=verifiers)
