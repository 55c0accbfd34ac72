from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.queries import log_second, log_verifiers
from common.errors import NotReady


class Command(BaseCommand):
    """Print the keys that anyone may check the log with: the present one, then former ones."""

    requires_system_checks = []  # no broken door may stop the log
    help = (
        "Prints the log's verifier keys, the present one first and then those that signed before: "
        "hand them to whoever is to check the log. With SAYSO_LOG_MLDSA its ML-DSA-44 key is the last."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for verifier in log_verifiers():
                self.stdout.write(verifier.render())
            if settings.LOG_MLDSA:
                self.stdout.write(log_second(timezone.now()).cosigner.render())
        except NotReady as error:
            raise CommandError(error.message) from error
