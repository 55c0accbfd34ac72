"""Applications of machines: register one, give it a new secret, end it, list them."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model, QuerySet
from django.utils import timezone

from audit.vocabulary import Via
from common.arguments import whole, word
from common.errors import NotPermitted, SaysoError
from governance.actions import machines as deeds
from governance.actions.machines import LONGEST_DAYS
from governance.models import MachineClient, Organisation, User
from governance.queries import machines
from governance.vocabulary import MachineScope

M = TypeVar("M", bound=Model)
BY = "sign-in name of the organisation's administrator"


class Command(BaseCommand):
    help = "Registers, renews, ends or lists the applications of an organisation's machines."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        register = verbs.add_parser("register", help="a new application; prints id and secret")
        register.add_argument("organisation", type=word, help="the organisation's reference, org-…")
        register.add_argument("username", type=word, help="the machine user's sign-in name")
        register.add_argument("label", type=word, help="what it is for, 80 characters at most")
        register.add_argument(
            "--scope",
            action="append",
            required=True,
            choices=MachineScope.values,
            help="what it may be used for; again for each scope",
        )
        rotate = verbs.add_parser("rotate", help="a new secret; prints it")
        rotate.add_argument("client_id", type=word)
        rotate.add_argument(
            "--overlap-hours",
            type=whole(0, 336),
            default=24,
            help="how long the old one still opens (24)",
        )
        for parser_of in (register, rotate):
            parser_of.add_argument("--by", type=word, required=True, help=BY)
            parser_of.add_argument(
                "--days", type=whole(1, LONGEST_DAYS), default=180, help="how long it lasts (180)"
            )
        end = verbs.add_parser("end", help="nothing of it opens the door any more")
        end.add_argument("client_id", type=word)
        end.add_argument("--by", type=word, required=True, help=BY)
        listed = verbs.add_parser("list", help="what an organisation's machines come in with")
        listed.add_argument("organisation", type=word, help="the organisation's reference, org-…")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except (SaysoError, NotPermitted) as error:
            raise CommandError(f"{error.message} ({error.code})") from error

    def _register(self, options: dict[str, Any]) -> None:
        client, secret = deeds.register(
            user=one(User.objects.filter(username=options["username"]), "machine user"),
            organisation=_organisation(options),
            label=options["label"],
            scopes=[MachineScope(word) for word in options["scope"]],
            days=options["days"],
            **_hand(options),
        )
        self.stderr.write("Client id, then its secret, which is not shown again.")
        self.stdout.write(client.application.client_id)
        self.stdout.write(secret)

    def _rotate(self, options: dict[str, Any]) -> None:
        secret = deeds.rotate(
            client=_client(options),
            days=options["days"],
            overlap=timedelta(hours=options["overlap_hours"]),
            **_hand(options),
        )
        self.stderr.write("The new secret, which is not shown again.")
        self.stdout.write(secret)

    def _end(self, options: dict[str, Any]) -> None:
        deeds.end(client=_client(options), **_hand(options))
        self.stdout.write("Ended. No secret and no token of it opens the door any more.")

    def _list(self, options: dict[str, Any]) -> None:
        found = machines.clients(_organisation(options)).prefetch_related("scopes", "secrets")
        for client in found:
            scopes = " ".join(sorted(row.scope for row in client.scopes.all()))
            used = [row.last_used_at for row in client.secrets.all() if row.last_used_at]
            state = f"ended {client.ended_at:%Y-%m-%d}" if client.ended_at else "open"
            last = f"{max(used):%Y-%m-%d %H:%M}" if used else "never"
            words = [client.application.client_id, client.user.ref, client.label]
            self.stdout.write("\t".join([*words, scopes, state, f"last used {last}"]))


def _organisation(options: dict[str, Any]) -> Organisation:
    return one(Organisation.objects.filter(ref=options["organisation"]), "organisation")


def _client(options: dict[str, Any]) -> MachineClient:
    found = machines.client(options["client_id"])
    if found is None:
        raise CommandError("There is no such application.")
    return found


def _hand(options: dict[str, Any]) -> dict[str, Any]:
    by = one(User.objects.filter(username=options["by"]), "administrator")
    return {"by": by, "at": timezone.now(), "via": Via.COMMAND}


def one(rows: QuerySet[M], what: str) -> M:
    found = rows.first()
    if found is None:
        raise CommandError(f"There is no such {what}.")
    return found
