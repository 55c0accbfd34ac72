"""Copy the database and the sealed parts into a new folder."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from audit.vocabulary import Via
from common.arguments import new_path, word
from common.errors import SaysoError
from governance.models import User
from governance.queries import clock
from release.actions import backups


class Command(BaseCommand):
    help = (
        "Copy the database and every sealed part into a new folder, while everything goes on. Keys "
        "and the file of noes are never in a backup: keep the keys elsewhere, and the file of noes "
        "where no restore reaches it. The database in it is sealed to the keys in backup.recipients "
        "in the key folder (`manage.py makekeys --backup FILE`)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=new_path, help="a folder that is not there yet")
        parser.add_argument("--by", type=word, required=True, help="sign-in name of a convener")

    def handle(self, *_args: Any, **options: Any) -> None:
        by = User.objects.filter(username=options["by"], is_active=True).first()
        if by is None:
            raise CommandError("There is no active user of that sign-in name.")
        try:
            made = backups.make(folder=options["folder"], by=by, at=clock.now(), via=Via.COMMAND)
        except (SaysoError, PermissionDenied) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{made.ref}: the database and {len(made.parts)} sealed parts. Keep this checkpoint of "
            f"the log outside as well:\n{made.checkpoint}"
        )
