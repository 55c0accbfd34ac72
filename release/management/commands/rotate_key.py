"""Rotate a key; broken off, run it again."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from audit.vocabulary import Via
from common.arguments import word
from common.errors import SaysoError
from governance.actions import keyrings
from governance.models import Organisation, User
from governance.queries import clock
from release.actions import resealing


class Command(BaseCommand):
    help = (
        "Rotate one key: `wrapping` (what wraps the keys of an organisation, or of the service), "
        "`sealing` (an organisation's age identity; its parts are sealed anew) or `log` (what "
        "signs the log). Broken off, run it again: it goes on. Make a backup afterwards."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", choices=["wrapping", "sealing", "log"])
        parser.add_argument(
            "--organisation",
            type=word,
            metavar="REF",
            help="whose key; without it the service's own",
        )
        parser.add_argument(
            "--by", type=word, required=True, help="sign-in name of an administrator"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        given: dict[str, Any] = {
            "by": _user(options["by"]),
            "at": clock.now(),
            "via": Via.COMMAND,
        }
        organisation = _organisation(options["organisation"])
        try:
            self.stdout.write(self._rotated(options["key"], organisation, given))
        except (SaysoError, PermissionDenied) as error:
            raise CommandError(str(error)) from None

    def _rotated(self, key: str, organisation: Organisation | None, given: dict[str, Any]) -> str:
        if key == "wrapping":
            return f"Wrapped by the key {keyrings.rewrap(organisation=organisation, **given)} now."
        if key == "log":
            if organisation is not None:
                raise CommandError("The log has one key, the service's.")
            verifier = keyrings.renew_log_key(**given)
            return f"The log is signed with a new key. Tell whoever checks it:\n{verifier}"
        if organisation is None:
            raise CommandError("Say whose: --organisation REF.")
        done = resealing.renew_identity(organisation=organisation, progress=self._progress, **given)
        return (
            f"{done} parts are sealed to a new key. Backups from before open with the former "
            "key only, which is gone: make a backup now."
        )

    def _progress(self, done: int, of: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{done} of {of}", ending="" if done < of else "\n")


def _user(name: str) -> User:
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None:
        raise CommandError("There is no active user of that sign-in name.")
    return found


def _organisation(ref: str | None) -> Organisation | None:
    if ref is None:
        return None
    found = Organisation.objects.filter(ref=ref).first()
    if found is None:
        raise CommandError("There is no organisation of that reference.")
    return found
