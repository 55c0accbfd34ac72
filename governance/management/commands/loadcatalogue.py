"""Load the field catalogue and the purposes the project ships."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit.vocabulary import Via
from common.arguments import path, word
from common.errors import NotPermitted, SaysoError
from governance.actions import catalogue
from governance.actions.standard import SHIPPED
from governance.models import User


class Command(BaseCommand):
    help = (
        "Load data categories, standard fields and purposes from the files the project ships, "
        "in the name of an administrator of the community. Doing it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--by", type=word, required=True, help="sign-in name of that administrator"
        )
        parser.add_argument("--folder", type=path, default=SHIPPED, help="another pair of files")

    def handle(self, *args: Any, **options: Any) -> None:
        by = User.objects.filter(username=options["by"]).first()
        if by is None:
            raise CommandError("There is no user of that sign-in name.")
        try:
            loaded = catalogue.load_standard(
                by=by, at=timezone.now(), via=Via.COMMAND, folder=options["folder"]
            )
        except (SaysoError, NotPermitted) as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{loaded.categories} categories, {loaded.fields} fields, {loaded.purposes} purposes; "
            + (f"{loaded.changed} rows were new or changed." if loaded.changed else "no change.")
        )
