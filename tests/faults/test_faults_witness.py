"""A witness outside that is killed, asleep or lying, and two sequencers at once: the log goes on, nothing
acknowledged is lost, and nothing leaves that no witness has signed.

The runs are those of test_faults; here the policy demands one witness, and gates every hand-over.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings

from tests import watchers
from tests.faults.installation import Hands, Installation, NotDone, Process
from tests.faults.runs import Run, told
from tests.faults.servers import Cluster, Impossible, Redis, free_port
from tests.faults.test_faults import RUNS, SERVICE
from tests.memory import place

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
SHUT = "not_witnessed|Not enough witnesses"


@dataclass
class Outside(Process):
    """The witness, as somebody else runs it: a folder of its own, nothing of the installation's."""

    folder: Path = field(default_factory=Path)
    port: int = 0

    def words(self, verb: str, *given: str) -> list[str]:
        return [sys.executable, "-m", "audit.witness", verb, *given]

    def does(self, verb: str, *given: str) -> str:
        ended = subprocess.run(
            self.words(verb, *given),
            cwd=settings.BASE_DIR,
            env={"PATH": os.environ["PATH"]},
            check=True,
            capture_output=True,
            text=True,
        )
        return ended.stdout.strip()

    @property
    def database(self) -> str:
        return f"--database={self.folder / 'heads.sqlite3'}"

    def start(self) -> None:
        own = [f"--key={self.folder / 'key'}", self.database, f"--port={self.port}"]
        with open(f"{self.environment['TESTS_LOG']}-witness", "ab") as log:
            self.running = subprocess.Popen(
                self.words("serve", *own),
                cwd=settings.BASE_DIR,
                env={"PATH": os.environ["PATH"]},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def held(self) -> int:
        """How many entries the head has that it holds."""
        return int(self.does("logs", self.database).rsplit(": ", 1)[1].removesuffix(" entries"))


@dataclass
class Watched(Installation):
    """An installation whose hand-overs wait for the one witness of its policy."""

    witness: Outside = field(init=False)

    def _environment(self, address: str) -> dict[str, str]:
        found = super()._environment(address)
        own = self.folder / "outside"
        own.mkdir()
        self.witness = Outside("witness", found, folder=own, port=free_port())
        vkey = self.witness.does("key", str(own / "key"), "--name=outside.example/w1")
        policy = self.folder / "policy"
        where = f"http://127.0.0.1:{self.witness.port}"
        policy.write_text(f"witness w1 {vkey} {where}\nquorum w1\n", encoding="utf-8")
        return found | {"SAYSO_WITNESSES": str(policy), "SAYSO_WITNESSES_GATE": "1"}

    def watch(self) -> None:
        """The witness is told the log's key, and serves."""
        told_by_the_log = subprocess.run(
            [sys.executable, "manage.py", "log_key"],
            cwd=settings.BASE_DIR,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        vkey = next(each for each in told_by_the_log.stdout.split() if each.count("+") >= 2)
        self.witness.does("add-log", self.witness.database, vkey)
        self.witness.start()
        self.processes["witness"] = self.witness

    def serves(self) -> None:
        self.run(*SERVICE, "witness")


@pytest.fixture(scope="module")
def site() -> Iterator[Watched]:
    folder = Path(tempfile.mkdtemp(prefix="sayso-witnessed-", dir=place()))
    for name in ("data", "keys"):
        (folder / name).mkdir(mode=0o700)
    try:
        found = Watched(folder, Cluster(), Redis())
    except Impossible as reason:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(str(reason))
    try:
        found.watch()
        yield found
    finally:
        found.end()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def asleep(one: Process) -> Iterator[None]:
    """It takes connections and says nothing."""
    assert one.running is not None
    os.kill(one.running.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(one.running.pid, signal.SIGCONT)


@contextmanager
def lying(site: Watched) -> Iterator[list[bytes]]:
    """In the witness's place somebody signs with a key that is not the witness's."""
    site.processes.pop("witness").end()
    signature = f"— outside.example/w1 {'A' * 100}\n".encode()
    with watchers.saying((200, "text/plain", signature), port=site.witness.port) as (_, asked):
        yield asked
    site.witness.kept = True
    site.witness.start()
    site.processes["witness"] = site.witness


def leaves_again(site: Watched, ref: str) -> None:
    """Who failed is asked later and later: it may take a while."""

    def left() -> bool:
        try:
            return bool(site.hands.do("fetch", ref))
        except NotDone as shut:
            if not re.search(SHUT, str(shut)):
                raise
            return False

    site.wait(left)


def nothing_leaves(hands: Hands, ref: str) -> None:
    with pytest.raises(NotDone, match=SHUT):
        hands.do("fetch", ref)


@pytest.mark.parametrize("number", RUNS)
def test_a_witness_that_is_killed_holds_no_entry_up_and_goes_on_from_the_head_it_held(site, number):
    site.serves()
    before = site.witness.held()
    run = Run(site)
    took = run.during(site.witness.kill)
    leaves_again(site, run.asked[-1])
    told("kill -9 the witness", took, run)
    run.nothing_is_wrong()
    assert site.witness.held() > before


@pytest.mark.parametrize("number", RUNS)
def test_while_the_witness_sleeps_deeds_are_done_and_nothing_leaves(site, number):
    site.serves()
    run = Run(site)
    with asleep(site.witness):
        took = run.during(lambda: None)
        assert run.slowest < 5
        nothing_leaves(site.hands, run.asked[-1])
    leaves_again(site, run.asked[-1])
    told("the witness asleep", took, run)
    run.nothing_is_wrong()


@pytest.mark.parametrize("number", RUNS)
def test_while_somebody_lies_in_its_place_deeds_are_done_and_nothing_leaves(site, number):
    site.serves()
    run = Run(site)
    with lying(site) as asked:
        took = run.during(lambda: None)
        nothing_leaves(site.hands, run.asked[-1])
        assert asked
    leaves_again(site, run.asked[-1])
    told("a liar in the witness's place", took, run)
    run.nothing_is_wrong()


@pytest.mark.parametrize("number", RUNS)
def test_two_sequencers_at_once_number_every_entry_once(site, number):
    site.serves()
    second = Process("sequencer", site.environment)
    second.start()
    try:
        run = Run(site)
        took = run.during(site.processes["sequencer"].kill)
    finally:
        second.end()
    told("two sequencers, one killed", took, run)
    run.nothing_is_wrong()
