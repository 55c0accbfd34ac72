"""After a restore: say again every no that the restored database has forgotten."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from audit.vocabulary import Via
from common.arguments import path, word
from common.errors import SaysoError
from governance.actions import filing
from governance.models import User
from governance.queries import clock
from release.actions import shredding
from release.queries import readiness


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise CommandError("The checkpoint cannot be read. Check its path.") from None


class Command(BaseCommand):
    help = (
        "After a restore: say again every no that the file of noes holds and the database has "
        "forgotten. May be run again. Where the file itself is lost: --anew with the last "
        "checkpoint of the log that somebody outside has kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--by", type=word, required=True, help="sign-in name of a convener")
        parser.add_argument(
            "--settled",
            type=word,
            action="append",
            default=[],
            metavar="MARK",
            help="a no that was named as one for a person to see to, and has been seen to",
        )
        parser.add_argument(
            "--anew", action="store_true", help="make a new file; needs --checkpoint"
        )
        parser.add_argument(
            "--checkpoint", type=path, help="the last checkpoint that was kept outside"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        by = User.objects.filter(username=options["by"], is_active=True).first()
        if by is None:
            raise CommandError("There is no active user of that sign-in name.")
        if options["anew"] != (options["checkpoint"] is not None):
            raise CommandError("--anew and --checkpoint go together.")
        given: dict[str, Any] = {"by": by, "at": clock.now(), "via": Via.COMMAND}
        try:
            if options["anew"]:
                done = filing.begin_anew(checkpoint=_read(options["checkpoint"]), **given)
                self.stdout.write(f"A new file of noes holds {done} noes.")
            else:
                self._replay(options["settled"], given)
        except (SaysoError, PermissionDenied) as error:
            raise CommandError(str(error)) from None
        why = readiness.shut()
        self.stdout.write(f"The gate is shut. {why.message}" if why else "The gate is open.")

    def _replay(self, settled: list[str], given: dict[str, Any]) -> None:
        done = shredding.replay(settled=settled, **given)
        self.stdout.write(f"{done.said} noes said again, {done.nothing} needed nothing.")
        for one in done.by_hand:
            self.stdout.write(
                f"See to this one by hand, then run this with --settled {one.mark}: "
                f"{one.act} at {one.at}."
            )
