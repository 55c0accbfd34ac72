"""The clock in one process: what the broker's workers do in production."""

import logging
import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.actions import sequence
from audit.queries import footing
from common import logs
from common.errors import NotReady
from governance.queries import clock
from oversight.tasks import tick

PAUSE = 0.2
TICK = 1.0


log = logging.getLogger(__name__)


def _round() -> None:
    """One round under a number of its own; a line in the log where anything was done."""
    began = time.monotonic()
    with logs.numbered():
        done = tick(clock.now())
        if done:
            milliseconds = round((time.monotonic() - began) * 1000, 1)
            log.info("round", extra={"done": done, "ms": milliseconds})


class Command(BaseCommand):
    requires_system_checks = []  # it is there the sooner; no broken door may stop the clock
    help = "Run the clock: waiting releases, unanswered requests, wiping, the log. Ends on SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            footing.check()
        except NotReady as refusal:
            raise CommandError(f"The clock does not start. {refusal.message}") from refusal
        self.going = True
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while self.going:
            self._round_and_pause(once=options["once"])
            if options["once"]:
                return

    def _round_and_pause(self, *, once: bool) -> None:
        began = time.monotonic()
        try:
            _round()
            while self.going and not once and time.monotonic() - began < TICK:
                time.sleep(PAUSE)
                sequence()
        except NotReady as reason:
            self.stderr.write(f"not now: {reason.message}")
            time.sleep(TICK)
            if once:
                raise SystemExit(1) from reason

    def _stop(self, *_: object) -> None:
        self.going = False
