"""Remove what broken-off loads left behind."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from release.actions import versions


class Command(BaseCommand):
    help = "Remove the sealed leftovers of loads that broke off more than a day ago."

    def handle(self, *_args: Any, **_options: Any) -> None:
        count = versions.sweep_staging(at=timezone.now())
        self.stdout.write(f"Leftovers removed: {count}.")
