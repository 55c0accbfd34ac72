from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.queries import log_verifier
from common.errors import NotReady


class Command(BaseCommand):
    """Print the key that anyone may check the log with."""

    requires_system_checks = []  # no broken door may stop the log
    help = "Prints the log's verifier key: hand it to whoever is to check the log."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(log_verifier().render())
        except NotReady as error:
            raise CommandError(error.message) from error
