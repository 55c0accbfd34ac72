"""One fault run: what was acknowledged in it, and how it ends."""

import json
import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.faults.installation import RESTART, Installation, NotDone

RECOVERED = 10  # seconds
UNITS_RESTART = 2.0  # seconds a service manager waits: RestartSec in deploy/systemd


class Run:
    """One run: what was acknowledged in it, and how it ends."""

    def __init__(self, site: Installation) -> None:
        self.site = site
        self.asked: list[str] = []
        self.stopped: list[str] = []
        self.without: set[str] = set()
        self.slowest = 0.0
        self.numbered = 0.0  # seconds from the harm until every entry had its number

    def ask(self, many: int = 1) -> None:
        for _ in range(many):
            began = time.monotonic()
            ref = self.site.ask()
            self.slowest = max(self.slowest, time.monotonic() - began)
            if ref is not None:
                self.asked.append(ref)

    def stop(self, number: str) -> None:
        """She stops, and says yes again, so that the next run finds her."""
        self.stopped.append(self.site.hands.do("no", number))
        self.site.hands.do("yes", number)

    def anybody(self) -> str:
        return f"c-{random.randint(1, self.site.people)}"  # noqa: S311 - anybody, no secret

    def stops(self) -> bool:
        """Somebody stops and says yes again, by hands of their own; whether the no was acknowledged."""
        hers = self.anybody()
        self.without.add(hers)
        try:
            self.stopped.append(self.site.speaker.do("no", hers))
        except NotDone:  # the harm; or she had stopped, and it was not acknowledged
            return False
        finally:
            self.says_yes(hers)
        return True

    def says_yes(self, hers: str) -> bool:
        with suppress(NotDone):
            self.site.speaker.do("yes", hers)
            self.without.discard(hers)
        return hers not in self.without

    def keep_stopping(self, over: threading.Event) -> None:
        while not over.wait(0.02):
            self.stops()

    def during(self, harm: Callable[[], object], many: int = 4, *, noes: bool = True) -> float:
        """Ask all the while, and let people stop; the harm comes at some moment. Seconds until all
        is well again.

        A no that was acknowledged right before the harm, or in it, is looked for at the end; one
        that was not may have been said or not. Without `noes` they are said afterwards only.
        """
        self.ask(2)
        over = threading.Event()
        beside = [threading.Thread(target=self.ask, args=(many,))]
        if noes:
            self.site.wait(self.stops)
            beside.append(threading.Thread(target=self.keep_stopping, args=(over,)))
        for one in beside:
            one.start()
        time.sleep(random.uniform(0.02, 0.3))  # noqa: S311 - a moment, no secret
        began = time.monotonic()
        harm()
        beside[0].join()
        over.set()
        for one in beside:
            one.join()
        for hers in sorted(self.without):
            self.site.wait(partial(self.says_yes, hers))
        self.stop(self.anybody())
        return self.well(began)

    def well(self, began: float) -> float:
        """Wait until a new asking is acknowledged and everything is answered and numbered."""
        before = len(self.asked)
        self.site.wait(lambda: self.asked_again(before))
        self.site.wait(lambda: not self.site.hands.do("waiting"))
        took = time.monotonic() - began
        self.site.wait(lambda: not self.site.hands.do("unnumbered"))
        self.numbered = time.monotonic() - began
        return took

    def asked_again(self, before: int) -> bool:
        self.ask()
        return len(self.asked) > before

    def workers_go_on(self) -> float:
        """Seconds until a worker has done what the beat asked for, and all is answered."""
        since = self.site.hands.do("now")
        began = time.monotonic()
        self.site.wait(lambda: self.site.hands.do("beat") > since)
        took = time.monotonic() - began
        self.ask(2)
        self.well(began)
        return took

    def nothing_is_wrong(self) -> None:
        wrong = self.site.hands.do("check", json.dumps(self.asked), json.dumps(self.stopped))
        assert wrong == [], wrong
        whose = self.site.hands.do("fetch", self.asked[-1])
        assert whose == sorted(f"c-{n}" for n in range(1, self.site.people + 1))


def in_time(name: str, took: float, run: Run) -> None:
    """What a killed process cost: RECOVERED seconds at most, of a machine that is there for this
    alone. Where more wants to run than there are cores, as long as that makes everything; and the
    service manager of a real one waits a little longer than ours."""
    told(name, took, run)
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    whole = took + UNITS_RESTART - RESTART
    assert whole <= RECOVERED * busy, f"{name}: {whole:.1f} s, {busy:.1f} times as much to do"


def told(name: str, took: float, run: Run) -> None:
    print(  # noqa: T201 - read with -rP, and by `make faults`
        f"{name}: well after {took:.1f} s, "
        f"all numbered after {run.numbered:.1f} s; {len(run.asked)} askings and {len(run.stopped)} noes "
        f"acknowledged, slowest answer {run.slowest:.2f} s"
    )


def sent_again(site: Installation, key: str, port: int) -> str:
    """Send the same until it is acknowledged, as a client does."""
    refs: list[str] = []

    def acknowledged() -> bool:
        ref = site.ask(key=key, port=port)
        refs.extend([ref] if ref else [])
        return bool(refs)

    site.wait(acknowledged)
    return refs[0]


def fill(disk: Path) -> Path:
    """Take all that is left; gives the file that took it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    return filler
