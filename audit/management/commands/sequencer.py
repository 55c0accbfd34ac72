import signal
from argparse import ArgumentParser, ArgumentTypeError
from threading import Event
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, close_old_connections, transaction
from django.utils import timezone

from audit.actions import check_head, record_journal, sequence
from audit.queries import footing
from audit.queries.journal import journal_waits
from audit.vocabulary import Via
from common.errors import NotReady

LONGEST_TICK = 50


class Command(BaseCommand):
    """Number what waits, again and again, until told to end."""

    requires_system_checks = []  # no broken door may stop the log
    help = "Numbers waiting entries, grows the tree and signs its head, until SIGTERM or SIGINT."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--tick",
            type=_milliseconds,
            default=20,
            help=f"milliseconds to wait while nothing waits, 1 to {LONGEST_TICK} (default 20)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        ended = Event()

        def end(number: int, frame: FrameType | None) -> None:
            ended.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        try:
            footing.check()
            check_head()
            self.stdout.write("The sequencer runs.")
            self.stdout.flush()
            while not ended.is_set():
                if not self._once():
                    ended.wait(options["tick"] / 1000)
        except NotReady as error:
            raise CommandError(f"The sequencer ends. {error.message}") from error
        self.stdout.write("The sequencer has ended.")

    def _once(self) -> int:
        close_old_connections()
        try:
            if journal_waits():
                with transaction.atomic():
                    record_journal(at=timezone.now(), via=Via.TASK)
            return sequence()
        except OperationalError:
            self.stderr.write("The database does not answer; the sequencer tries again.")
        except NotReady as error:
            if error.code != "log_unavailable":
                raise
            self.stderr.write(f"{error.message} The sequencer tries again.")
        return 0


def _milliseconds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LONGEST_TICK:
        raise ArgumentTypeError(f"write a number 1 to {LONGEST_TICK}")
    return int(text)
