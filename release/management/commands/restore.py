"""Put a backup in the place of the database and the parts."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.vocabulary import Via
from common.arguments import path
from common.errors import SaysoError
from common.keyring import identities_in
from release.actions import backups
from release.queries import readiness


class Command(BaseCommand):
    requires_system_checks = []  # the database may be empty or broken: that is why it is run
    help = (
        "Put a backup in the place of the database and the sealed parts. Stop the web, the clock "
        "and the sequencer first; the keys and the file of noes must be where they were. Nothing "
        "leaves afterwards until `manage.py replay_noes` has said every later no again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=path)
        parser.add_argument(
            "--identity",
            type=path,
            required=True,
            metavar="FILE",
            help="the private key that opens backups, brought here for as long as this takes",
        )
        parser.add_argument(
            "--replace", action="store_true", help="what the database holds now is given up"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            done = backups.restore(
                folder=options["folder"],
                identities=identities_in(options["identity"]),
                at=timezone.now(),  # the database's own clock may not be there yet
                via=Via.COMMAND,
                replace=options["replace"],
            )
            why = readiness.shut()
        except SaysoError as error:
            raise CommandError(error.message) from None
        self.stdout.write(f"{done.ref} of {done.made_at} is restored.")
        self.stdout.write(f"The gate is shut. {why.message}" if why else "The gate is open.")
        self.stdout.write(
            "Compare the log with the last checkpoint that was kept outside: "
            "manage.py verify_log --checkpoint FILE"
        )
