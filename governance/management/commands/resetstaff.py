"""The operator's hand in letting somebody begin anew, where administrators are too few."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.vocabulary import Via
from common.arguments import word
from common.errors import NotPermitted, SaysoError
from governance.actions import resets
from governance.models import User
from governance.queries import arrivals
from governance.vocabulary import ResetKind, UserKind


class Command(BaseCommand):
    help = (
        "One of the two hands, only where fewer than two administrators are left: asks that "
        "somebody may set a password or device anew, or agrees to what an administrator has asked. "
        "Prints half a code, this once; the other half comes from the administrator."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", type=word, help="the person's sign-in name")
        parser.add_argument(
            "--kind",
            choices=ResetKind.values,
            default=ResetKind.BOTH.value,
            help="what is lost, where nobody has asked yet (both)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        person = User.objects.filter(username=options["username"], kind=UserKind.STAFF).first()
        if person is None:
            raise CommandError("There is no member of staff with this sign-in name.")
        waiting = arrivals.waiting_resets(at).filter(user=person).first()
        try:
            if waiting is None:
                _reset, code = resets.ask(
                    user=person, kind=ResetKind(options["kind"]), by=None, at=at, via=Via.COMMAND
                )
            else:
                _reset, code = resets.agree(reset=waiting, by=None, at=at, via=Via.COMMAND)
        except (SaysoError, NotPermitted) as refusal:
            raise CommandError(f"{refusal.message} ({refusal.code})") from refusal
        self.stderr.write(
            "Asked. Now an administrator agrees at the desk."
            if waiting is None
            else "Agreed. The account is shut until both halves are typed at /desk/anew/."
        )
        self.stderr.write("Your half of the code. Give it to the person; it is not shown again:")
        self.stdout.write(code)
