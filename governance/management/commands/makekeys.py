"""Make the keys of a new installation, and of organisations that came later."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from pyrage import x25519

from audit import queries as log
from common import keysources
from common.arguments import path
from common.errors import NotReady
from common.keyfolder import SERVICE
from common.keyring import KeyRing
from governance.models import Dataset, Organisation

HELP = (
    "Make the service's keys and the keys of every organisation, each wrapped by a key-encryption "
    "key of its own. A key that is there is left as it is; a key that has been used and is missing "
    "is not replaced: put it back."
)


class Command(BaseCommand):
    help = HELP

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--backup",
            type=path,
            metavar="FILE",
            help="also make a key that opens backups: its private half goes into this new file, "
            "which is to be taken away from this machine; its public half is kept",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(settings.SAYSO_KEYS)
        lost = [*self._lost_log(folder), *self._lost_organisations(folder)]
        if lost:
            raise CommandError(
                "Nothing was made. These keys have been used and are missing; a new one would "
                f"open nothing that the old one closed. Put them back: {', '.join(lost)}."
            )
        ring = KeyRing(folder, may_create=True)
        try:
            self._say(SERVICE, there=_there(folder, SERVICE))
            ring.log_seed()
            ring.noes_recipient()
            for organisation in Organisation.objects.order_by("pk"):
                self._say(organisation.ref, there=_there(folder, organisation.ref))
                ring.install(organisation.ref)
            if options["backup"] is not None:
                self._backup(ring, options["backup"].resolve())
        except NotReady as error:
            raise CommandError(error.message) from error

    def _backup(self, ring: KeyRing, path: Path) -> None:
        if {settings.SAYSO_DATA, settings.SAYSO_KEYS} & {*path.parents}:
            raise CommandError("Name a file outside the data folder and the key folder.")
        if path.exists():
            raise CommandError("This file is there already. Name a new one.")
        identity = x25519.Identity.generate()
        try:
            keysources.create(path, f"{identity}\n")
        except OSError:
            raise CommandError("This file cannot be written. Check its folder.") from None
        ring.add_backup_recipient(str(identity.to_public()))
        self.stdout.write(
            "backups: sealed to a new key as well. Take its file away from this machine, twice: "
            "without it no backup opens."
        )

    def _lost_log(self, folder: Path) -> list[str]:
        used = log.latest_checkpoint() is not None
        return [f"{SERVICE}.keys"] if used and not _there(folder, SERVICE) else []

    def _lost_organisations(self, folder: Path) -> list[str]:
        """Keys of organisations with described datasets: sealed parts and digests hang on them."""
        holders = Dataset.objects.filter(fields__isnull=False).order_by("holder__ref")
        refs = holders.values_list("holder__ref", flat=True).distinct()
        return [f"{ref}.keys" for ref in refs if not _there(folder, ref)]

    def _say(self, name: str, *, there: bool) -> None:
        self.stdout.write(f"{name}: {'already there, left as it is' if there else 'made'}")


def _there(folder: Path, name: str) -> bool:
    """Wrapped, or unwrapped as older installations have them."""
    old = ["log.ed25519"] if name == SERVICE else [f"{name}.root", f"{name}.age"]
    return (folder / f"{name}.keys").exists() or all((folder / each).exists() for each in old)
