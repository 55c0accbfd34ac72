"""After SAYSO_SECRET_KEY was changed: staff's second factors hang on the new one."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from audit.vocabulary import Via
from common.arguments import word
from common.errors import SaysoError
from desk import second_factor
from governance.models import User
from governance.queries import clock


class Command(BaseCommand):
    help = (
        "Seal every second factor under the present SAYSO_SECRET_KEY. Run it after that secret was "
        "changed and the former one stands in SAYSO_SECRET_KEY_FORMER, which may be emptied then. "
        "Broken off, run it again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--by", type=word, required=True, help="sign-in name of somebody who convenes"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        by = User.objects.filter(username=options["by"], is_active=True).first()
        if by is None:
            raise CommandError("There is no active user of that sign-in name.")
        try:
            done = second_factor.seal_all_anew(by=by, at=clock.now(), via=Via.COMMAND)
        except (SaysoError, PermissionDenied) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{done} are sealed under the present secret. SAYSO_SECRET_KEY_FORMER may be emptied."
        )
