"""Rotate a key; broken off, run it again."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from audit.vocabulary import Via
from common.arguments import word
from common.errors import SaysoError
from governance.actions import details, keyrings
from governance.models import Organisation, User
from governance.queries import clock
from release.actions import rekeying, resealing

KEYS = {
    "wrapping": "what wraps the keys of an organisation, or of the service",
    "sealing": "an organisation's age identity; its parts are sealed anew",
    "root": "an organisation's root; its people's keys are wrapped anew",
    "log": "what signs the log",
    "staff": "what wraps the data keys of staff",
    "noes": "the identity of the file of noes, which is sealed anew",
    "backup": "takes one of those who open backups off; `makekeys --backup` adds one",
}
FORMER_GONE = "Backups from before open with the former key only, which is gone: make a backup now."
OWN, THEIRS = (
    {"log", "noes", "backup", "staff"},
    {"sealing", "root"},
)  # the service's; an organisation's


class Command(BaseCommand):
    help = (
        f"Rotate one key: {'; '.join(f'`{key}` ({what})' for key, what in KEYS.items())}. "
        "Broken off, run it again: it goes on. Make a backup afterwards."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", choices=[*KEYS])
        parser.add_argument(
            "--organisation",
            type=word,
            metavar="REF",
            help="whose key; without it the service's own",
        )
        parser.add_argument(
            "--without",
            type=word,
            metavar="AGE1…",
            help="with `backup`: the public key to which no backup is sealed any more",
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
        key, organisation = options["key"], _organisation(options["organisation"])
        if key in OWN and organisation is not None:
            raise CommandError("There is one such key, the service's.")
        if key in THEIRS and organisation is None:
            raise CommandError("Say whose: --organisation REF.")
        if (key == "backup") != (options["without"] is not None):
            raise CommandError("Say which public key goes: backup --without AGE1….")
        try:
            self.stdout.write(self._rotated(key, organisation, options["without"], given))
        except (SaysoError, PermissionDenied) as error:
            raise CommandError(str(error)) from None

    def _rotated(
        self, key: str, organisation: Organisation | None, public: str, given: dict[str, Any]
    ) -> str:
        if organisation is not None and key in THEIRS:
            theirs = {"organisation": organisation, "progress": self._progress, **given}
            if key == "sealing":
                done = resealing.renew_identity(**theirs)
                return f"{done} parts are sealed to a new key. {FORMER_GONE}"
            done = rekeying.renew_root(**theirs)
            return f"{done} people's keys hang on a new root. {FORMER_GONE}"
        match key:
            case "log":
                verifier = keyrings.renew_log_key(**given)
                return f"The log is signed with a new key. Tell whoever checks it:\n{verifier}"
            case "staff":
                done = details.renew_key(**given)
                return f"{done} data keys of staff are wrapped by a new key."
            case "noes":
                done = rekeying.renew_noes_identity(**given)
                return (
                    f"{done} noes are sealed to a new key. Copies of the file from before open with "
                    "the former key only, which is gone: copy it anew."
                )
            case "backup":
                kept = keyrings.drop_backup_recipient(public=public, **given)
                return "Backups are sealed to these from now on:\n" + "\n".join(kept)
            case _:
                by = keyrings.rewrap(organisation=organisation, **given)
                return f"Wrapped by the key {by} now."

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
