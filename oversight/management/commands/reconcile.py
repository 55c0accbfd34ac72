"""Compare the log with everything that is kept."""

from argparse import ArgumentParser
from itertools import groupby
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from audit.vocabulary import Via
from common.arguments import word
from common.errors import SaysoError
from governance.models import User
from governance.queries import clock
from oversight.actions import reconciling
from oversight.vocabulary import Finding

IN_PART = 3  # its own exit code: 1 is a difference, 2 a command that was asked wrongly


class Command(BaseCommand):
    requires_system_checks = []  # no broken door may stop whoever checks
    help = (
        "Compares releases, entries of the log, packages, uses and downloads with one another, "
        "consents with their events, and everybody in a release with their noes; names what is "
        "missing on which side, and nobody. Exit code 1 if anything is; 3 if nothing is, but the keys "
        "of some holders are not here, so that what hangs on them was not compared. Leaves an entry."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--by", type=word, required=True, help="sign-in name of an auditor or a convener"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        by = User.objects.filter(username=options["by"], is_active=True).first()
        if by is None:
            raise CommandError("There is no active user of that sign-in name.")
        try:
            done = reconciling.reconcile(
                by=by, at=clock.now(), via=Via.COMMAND, tell=self._tell, progress=self._progress
            )
        except (SaysoError, PermissionDenied) as error:
            raise CommandError(f"This was not compared to its end. {error}") from None
        if self.stderr.isatty():
            self.stderr.write("")
        self._say_what_was_not(done)
        if done.findings:
            raise CommandError(
                f"The log and what is kept do not agree: {done.findings} findings, named above."
            )
        if done.unchecked:
            raise CommandError(
                "What could be compared agrees. It is not all: bring the keys named above, and run "
                f"this again. {done.looked_at} comparisons.",
                returncode=IN_PART,
            )
        self.stdout.write(f"The log and what is kept agree: {done.looked_at} comparisons.")

    def _say_what_was_not(self, done: reconciling.Reconciled) -> None:
        if done.in_part:
            self.stdout.write(
                f"{done.in_part} things were compared in part only: the key of somebody in them was "
                "destroyed, and nobody can tell any more whether their entries are about that person."
            )
        if done.uncommitted:
            self.stdout.write(
                f"{done.uncommitted} things were written before entries committed to what rows say: "
                "whether those still say the same nobody can tell. Their number never grows."
            )
        for holder, waits in groupby(done.unchecked, key=lambda each: each.holder):
            counts = "; ".join(f"{each.what}: {each.count}" for each in waits)
            self.stdout.write(
                f"The key of {holder} is not here, or does not open somebody's key. Whose entry is "
                f"whose could not be compared of {counts}."
            )

    def _tell(self, finding: Finding) -> None:
        self.stdout.write(str(finding))

    def _progress(self, what: str, done: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r\x1b[K{what}: {done}", ending="")
