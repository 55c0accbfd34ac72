from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.arguments import word


class Command(BaseCommand):
    """Stand before the journal library's own command of this name, and refuse."""

    help = "Refused: the change journal is append-only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("-y", "--yes", action="store_true")
        parser.add_argument("-b", "--before-date", type=word)
        parser.add_argument("-t", "--truncate", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError("The change journal is append-only; nothing of it is ever removed.")
