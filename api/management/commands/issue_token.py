"""Let a machine in: make a token for one organisation and print its secret, this once."""

from argparse import ArgumentParser
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model, QuerySet
from django.utils import timezone

from audit.vocabulary import Via
from common.arguments import whole, word
from common.errors import NotPermitted, SaysoError
from governance.actions import tokens
from governance.actions.tokens import LONGEST_DAYS
from governance.models import Organisation, User

M = TypeVar("M", bound=Model)


class Command(BaseCommand):
    help = "Makes a token for a machine user of an organisation and prints its secret, this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organisation", type=word, help="the organisation's reference, org-…")
        parser.add_argument("username", type=word, help="the machine user's sign-in name")
        parser.add_argument("label", type=word, help="what the token is for, 80 characters at most")
        parser.add_argument(
            "--by",
            type=word,
            required=True,
            help="sign-in name of the organisation's administrator",
        )
        parser.add_argument(
            "--days", type=whole(1, LONGEST_DAYS), default=90, help="how long it lasts (90)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            token, secret = tokens.issue(
                user=one(User.objects.filter(username=options["username"]), "machine user"),
                organisation=one(
                    Organisation.objects.filter(ref=options["organisation"]), "organisation"
                ),
                label=options["label"],
                by=one(User.objects.filter(username=options["by"]), "administrator"),
                at=timezone.now(),
                via=Via.COMMAND,
                days=options["days"],
            )
        except (SaysoError, NotPermitted) as error:
            raise CommandError(f"{error.message} ({error.code})") from error
        self.stderr.write(f"Valid until {token.expires_at:%Y-%m-%d}. It is not shown again.")
        self.stdout.write(secret)


def one(rows: QuerySet[M], what: str) -> M:
    found = rows.first()
    if found is None:
        raise CommandError(f"There is no such {what}.")
    return found
