"""Write entries of the log into a folder, for whoever checks them elsewhere."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from audit.vocabulary import Via
from common.arguments import new_path, whole, word
from common.errors import SaysoError
from governance.models import User
from governance.queries import clock
from oversight.actions import exports
from oversight.vocabulary import Format

LARGEST = 2**62


class Command(BaseCommand):
    requires_system_checks = []  # no broken door may stop whoever checks
    help = (
        "Writes entries of the log into a new folder: one file of entries with their numbers, leaves "
        "and hashes, and manifest.json with the signed head over them. Nobody is named in them. The "
        "export is itself an entry, signed before anything is written."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=new_path, help="a folder that is not there yet")
        parser.add_argument("--by", type=word, required=True, help="sign-in name of an auditor")
        parser.add_argument(
            "--reason", type=word, required=True, help="why; the log keeps only its digest"
        )
        parser.add_argument(
            "--format", choices=Format.values, default=Format.JSONL.value, help="default: jsonl"
        )
        parser.add_argument(
            "--from", dest="first", type=whole(0, LARGEST), metavar="ENTRY", help="default: 0"
        )
        parser.add_argument(
            "--to", dest="last", type=whole(0, LARGEST), metavar="ENTRY", help="default: the last"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        by = User.objects.filter(username=options["by"], is_active=True).first()
        if by is None:
            raise CommandError("There is no active user of that sign-in name.")
        try:
            done = exports.export(
                folder=options["folder"],
                format=Format(options["format"]),
                reason=options["reason"],
                first=options["first"],
                last=options["last"],
                by=by,
                at=clock.now(),
                via=Via.COMMAND,
                progress=self._progress,
            )
        except (SaysoError, PermissionDenied) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"Entries {done.first} to {done.last} are in the folder; the export is entry {done.entry}."
        )

    def _progress(self, done: int, total: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{done} of {total}", ending="" if done < total else "\n")
