"""Make the key files of a new installation, and of organisations that came later."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit import queries as log
from common.keyring import KeyRing
from governance.models import Dataset, Organisation

LOG_KEY = "log.ed25519"


class Command(BaseCommand):
    help = (
        "Make the log's signing key and the keys of every organisation. A key that is there is "
        "left as it is; a key that has been used and is missing is not replaced: put it back."
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
        self._say(folder, LOG_KEY, ring.log_seed)
        for organisation in Organisation.objects.order_by("pk"):
            ref = organisation.ref
            self._say(folder, f"{ref}.root", partial(ring.root, ref))
            self._say(folder, f"{ref}.age", partial(ring.identity, ref))

    def _lost_log(self, folder: Path) -> list[str]:
        used = log.latest_checkpoint() is not None
        return [LOG_KEY] if used and not (folder / LOG_KEY).exists() else []

    def _lost_organisations(self, folder: Path) -> list[str]:
        """Keys of organisations with described datasets: sealed parts and digests hang on them."""
        holders = Dataset.objects.filter(fields__isnull=False).order_by("holder__ref")
        names = [
            f"{ref}.{ending}"
            for ref in holders.values_list("holder__ref", flat=True).distinct()
            for ending in ("root", "age")
        ]
        return [name for name in names if not (folder / name).exists()]

    def _say(self, folder: Path, name: str, make: Callable[[], object]) -> None:
        there = (folder / name).exists()
        make()
        self.stdout.write(f"{name}: {'already there, left as it is' if there else 'made'}")
