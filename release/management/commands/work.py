"""The clock in one process: what the broker's workers do in production."""

import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from audit.actions import sequence
from common.errors import NotReady
from governance.queries import clock
from release.tasks import tick

PAUSE = 0.2
TICK = 1.0


class Command(BaseCommand):
    help = "Run the clock: waiting releases, unanswered requests, wiping, the log. Ends on SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        self.going = True
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while True:
            began = time.monotonic()
            try:
                tick(clock.now())
                if options["once"]:
                    return
                while self.going and time.monotonic() - began < TICK:
                    time.sleep(PAUSE)
                    sequence()
            except NotReady as reason:
                self.stderr.write(f"not now: {reason.message}")
                time.sleep(TICK)
                if options["once"]:
                    raise SystemExit(1) from reason
            if not self.going:
                return

    def _stop(self, *_: object) -> None:
        self.going = False
