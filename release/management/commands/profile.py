"""Draft a mapping for a file."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.arguments import path
from common.errors import SaysoError
from release.actions import profiles
from release.rules.drafts import UNSURE


class Command(BaseCommand):
    help = "Look through a CSV, gzip CSV, Parquet or XLSX file and draft a mapping file for it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=path)
        parser.add_argument("--out", type=path, help="write the draft here; it must not exist")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            text = profiles.draft(file=options["file"])
        except SaysoError as error:
            raise CommandError(str(error)) from None
        if options["out"] is None:
            self.stdout.write(text)
            return
        try:
            with options["out"].open("x") as out:
                out.write(text)
        except OSError:
            raise CommandError(
                "The draft cannot be written there: is there a file already?"
            ) from None
        self.stdout.write(f"{text.count(UNSURE)} lines are marked UNSURE: settle each of them.")
