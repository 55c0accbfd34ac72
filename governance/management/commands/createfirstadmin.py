"""Begin: print a code with which the first administrator makes an account of their own."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.vocabulary import Via
from common.arguments import word
from common.errors import RuleBroken, SaysoError
from governance.actions import invitations
from governance.models import Organisation
from governance.vocabulary import OrganisationKind

PLACE = "/desk/invited/"


class Command(BaseCommand):
    help = (
        "Only while there is no administrator: prints a code that works once, for seven days. "
        "Run again, it prints a new code and the former one is dead. It asks for no password."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--organisation",
            type=word,
            help="name of the community that convenes; asked for where not given",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            invitation, code = invitations.begin(
                organisation_name=options["organisation"] or self._asked(),
                at=timezone.now(),
                via=Via.COMMAND,
            )
        except RuleBroken as refusal:
            if refusal.code != "already_begun":
                raise CommandError(f"{refusal.message} ({refusal.code})") from refusal
            self.stdout.write("There is an administrator already. Nothing was done.")
            return
        except SaysoError as refusal:
            raise CommandError(f"{refusal.message} ({refusal.code})") from refusal
        self.stderr.write(
            f"Open {PLACE} on your server within seven days, by {invitation.expires_at:%Y-%m-%d}, "
            "and type this code. It works once and is not shown again:"
        )
        self.stdout.write(code)

    def _asked(self) -> str:
        """The community's name: the one that is there already, or typed by whoever runs this."""
        there = Organisation.objects.filter(kind=OrganisationKind.COMMUNITY).first()
        if there is not None:
            return there.name
        try:
            return input("Name of the community that convenes: ")
        except EOFError:
            raise CommandError("Nobody is here to answer: give --organisation NAME.") from None
