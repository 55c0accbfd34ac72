"""Processes killed, servers stopped, filled and emptied, time moved: nothing acknowledged is lost,
doubled or half done, and the log holds.

Each run asks for releases by way of the web, lets people stop, does its harm in the middle, and looks
at everything afterwards. FAULT_RUNS says how often each is done (`make faults`: 20). How long it took
until everything asked for was answered is printed, and judged where a process was killed.
"""

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.cutting import AFTER, BEFORE, Cutter
from tests.faults.installation import ANSWERED, Hands, Installation, NotDone, Process
from tests.faults.runs import Run, fill, in_time, sent_again, told
from tests.faults.servers import MAY_NOT, Cluster, Impossible, Redis, free_port
from tests.memory import place

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
RUNS = range(int(os.environ.get("FAULT_RUNS", "1")))
WORKERS = ("web", "worker", "beat", "sequencer")
SERVICE = ("web", "clock", "sequencer")
FAKE_TIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
SLEEPING = Path(__file__).parent / "sleeping"
DISK, DATABASE_DISK = 64, 320  # megabytes
MOST_ASKED, REFUSED = 400, 3
ZIP = b"PK\x03\x04"  # how a package begins
LATER = itertools.count(1)


@pytest.fixture(scope="module")
def place_of_all() -> Iterator[Path]:
    """A folder whose `data` is a small disk of its own, where this user may mount one."""
    folder = Path(tempfile.mkdtemp(prefix="sayso-faults-", dir=place()))
    for name in ("data", "keys"):
        (folder / name).mkdir(mode=0o700)
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK}m,mode=700", "none", str(folder / "data")],
            capture_output=True,
            check=False,
        ).returncode
    )
    yield folder
    if mounted:
        subprocess.run(["umount", "--lazy", str(folder / "data")], check=False)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def site(place_of_all: Path) -> Iterator[Installation]:
    try:
        found = Installation(place_of_all, Cluster(megabytes=DATABASE_DISK), Redis())
    except Impossible as reason:
        pytest.skip(str(reason))
    try:
        yield found
    finally:
        found.end()


@pytest.fixture(scope="module")
def cut(site: Installation) -> Iterator[tuple[Cutter, Hands]]:
    """A way that can be cut, and hands that reach the database by it and nobody else."""
    cutter = Cutter(site.cluster.port)
    hands = Hands(site.through(cutter.port) | {"REDIS_URL": ""}, "again")
    yield cutter, hands
    hands.end()
    cutter.close()


@pytest.fixture(scope="module")
def cut_web(site: Installation) -> Iterator[tuple[Cutter, int]]:
    """A web process that reaches the database by a way that can be cut, and its port."""
    cutter, port = Cutter(site.cluster.port), free_port()
    own = site.through(cutter.port) | {"SAYSO_BIND": f"127.0.0.1:{port}"}
    web = Process("web", own)
    web.start()
    site.wait(lambda: site.answers(port))
    yield cutter, port
    web.end()
    cutter.close()


def child_of(site: Installation, name: str) -> None:
    for one in site.processes[name].children()[:1]:
        one.kill()


KILLS: dict[str, Callable[[Installation], object]] = {
    "web": lambda site: site.processes["web"].kill(),
    "web's child": lambda site: child_of(site, "web"),
    "worker": lambda site: site.processes["worker"].kill(),
    "worker's child": lambda site: child_of(site, "worker"),
    "beat": lambda site: site.processes["beat"].kill(),
    "sequencer": lambda site: site.processes["sequencer"].kill(),
    "clock": lambda site: site.processes["clock"].kill(),
}


@pytest.mark.parametrize("number", RUNS)
@pytest.mark.parametrize("name", KILLS)
def test_a_process_that_is_killed_takes_nothing_with_it(site, name, number):
    site.run(*(SERVICE if name == "clock" else WORKERS))
    run = Run(site)
    took = run.during(lambda: KILLS[name](site))
    in_time(f"kill -9 {name}", took, run)
    run.nothing_is_wrong()


@pytest.mark.parametrize("number", RUNS)
def test_a_database_that_is_stopped_at_once_has_kept_what_was_acknowledged(site, number):
    site.run(*WORKERS)
    run = Run(site)

    def stop_and_start() -> None:
        site.cluster.stop("immediate")
        site.cluster.start()
        with suppress(NotDone):  # its connection is gone; the next deed has a new one
            site.hands.do("waiting")

    took = run.during(stop_and_start)
    told("PostgreSQL stopped at once", took, run)
    run.nothing_is_wrong()


@pytest.mark.parametrize("number", RUNS)
@pytest.mark.parametrize("how", [BEFORE, AFTER])
def test_a_deed_whose_commit_is_cut_off_can_be_tried_again(site, cut, how, number):
    site.run(*WORKERS)
    run = Run(site)
    cutter, hands = cut
    cutter.cuts = 0
    with suppress(NotDone):  # its connection may be an old one
        hands.do("waiting")
    hers = f"c-{number % site.people + 1}"
    began = time.monotonic()
    cutter.arm(how)
    with pytest.raises(NotDone):
        hands.do("no", hers)
    if how == BEFORE:  # nothing had happened: the same again is the first time
        run.stopped.append(hands.do("no", hers))
    else:  # it had happened: the same again says so and does nothing
        with pytest.raises(NotDone, match="DoesNotExist"):
            hands.do("no", hers)
    hands.do("yes", hers)
    for at in range(1, 4):
        [ref] = hands.do("ask")
        run.asked.append(ref)
        cutter.arm(how, at)
        with suppress(NotDone):
            hands.do("run", ref)
        cutter.arm(how, 0)  # a worker may have been first, and nothing was cut
    took = run.well(began)
    assert cutter.cuts >= 2
    told(f"cut {how} the commit", took, run)
    run.nothing_is_wrong()


@pytest.mark.parametrize("number", RUNS)
@pytest.mark.parametrize("how", [BEFORE, AFTER])
def test_an_asking_whose_commit_is_cut_off_and_that_is_sent_again_is_one_release(
    site, cut_web, how, number
):
    site.run(*WORKERS)
    run = Run(site)
    cutter, port = cut_web
    cutter.cuts = lost = 0
    there = site.hands.do("asked")
    began = time.monotonic()
    for at in range(1, 5):
        key = f"{how}-{number}-{at}"
        site.wait(lambda: site.answers(port))  # its connection is whole again
        cutter.arm(how, at)
        first = site.ask(key=key, port=port)
        cutter.arm(how, 0)
        lost += first is None
        again = sent_again(site, key, port)
        assert first in (None, again)
        assert sent_again(site, key, port) == again
        run.asked.append(again)
    assert cutter.cuts >= 1
    assert lost >= 1  # the asking's own COMMIT was among those that were cut
    assert site.hands.do("asked") - there == len(run.asked) == len(set(run.asked))
    took = run.well(began)
    told(f"an asking cut {how} the commit, sent again", took, run)
    run.nothing_is_wrong()


# --- Redis ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", RUNS)
def test_a_redis_that_is_emptied_loses_nothing(site, number):
    site.run(*WORKERS)
    run = Run(site)
    took = run.during(site.redis.client.flushall, many=8)
    told("Redis emptied", took, run)
    run.nothing_is_wrong()


@pytest.mark.parametrize("number", RUNS)
def test_a_redis_that_is_stopped_makes_no_request_fail_or_wait(site, number):
    """While it is away the clock in one process answers; afterwards the workers go on."""
    site.run(*WORKERS, "clock")
    run = Run(site)
    took = run.during(site.redis.stop)
    assert len(run.asked) >= 7  # every one was acknowledged
    assert run.slowest < 5
    site.redis.start()
    again = run.workers_go_on()
    told(f"Redis stopped (the workers: {again:.1f} s after its return)", took, run)
    run.nothing_is_wrong()


@pytest.mark.parametrize("number", RUNS)
def test_a_redis_that_is_full_makes_no_request_fail_or_wait(site, number):
    site.run(*WORKERS, "clock")
    run = Run(site)
    client = site.redis.client

    def fill() -> None:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1mb")

    try:
        took = run.during(fill)
        assert len(run.asked) >= 7
        assert run.slowest < 5
    finally:
        client.config_set("maxmemory", "0")
    again = run.workers_go_on()
    told(f"Redis full (the workers: {again:.1f} s after it had room)", took, run)
    run.nothing_is_wrong()


# --- the disk and the time ------------------------------------------------------------------------


@pytest.mark.parametrize("number", RUNS)
def test_a_full_disk_stops_releases_and_loses_nothing(site, place_of_all, number):
    if not (place_of_all / "data").is_mount():
        pytest.skip(f"needs to mount a small disk, {MAY_NOT}")
    site.run(*WORKERS)
    run = Run(site)
    filler = fill(place_of_all / "data")
    run.ask(3)
    time.sleep(0.5)
    assert site.hands.do("waiting") == len(run.asked) == 3
    began = time.monotonic()
    filler.unlink()
    took = run.well(began)
    told("disk full", took, run)
    run.nothing_is_wrong()


@pytest.mark.parametrize("number", RUNS)
def test_a_full_disk_of_the_database_refuses_what_it_cannot_keep(site, number):
    """Pages that are there already take some more rows; what needs another one is refused, and where
    the database ends because of it, whoever keeps it running starts it again."""
    if not site.cluster.mounted:
        pytest.skip(f"needs to mount a small disk for PostgreSQL, {MAY_NOT}")
    site.run(*WORKERS)
    run = Run(site)
    run.ask(2)
    site.wait(lambda: not site.hands.do("waiting"))
    hers = f"c-{number % site.people + 1}"
    filler = fill(site.cluster.folder / "data")
    refused = 0
    for _ in range(MOST_ASKED):
        status, body = site.call("POST", f"requests/{site.request}/releases/", {})
        assert status in (202, 503), status
        refused += status == 503
        if status == 202:
            run.asked.append(body["ref"])
        if refused == REFUSED:
            break
    assert refused == REFUSED
    handed, kept_back = until_kept_back(site, run.asked[0])
    with suppress(NotDone):
        run.stopped.append(site.hands.do("no", hers))
    began = time.monotonic()
    filler.unlink()
    stood = site.cluster.stands()
    if not stood:
        site.cluster.start()
    with suppress(NotDone):  # its connection may be gone; the next deed has a new one
        site.hands.do("waiting")
    if not run.stopped:
        run.stopped.append(site.hands.do("no", hers))
    site.hands.do("yes", hers)
    took = run.well(began)
    told(f"the database's disk full ({'it stood' if stood else 'it was started again'})", took, run)
    # Whatever bytes were out, their entry is kept.
    assert site.hands.do("downloads", run.asked[0]) >= handed
    assert kept_back
    run.nothing_is_wrong()


def until_kept_back(site: Installation, ref: str) -> tuple[int, int]:
    """Pick a package up again and again on a full disk: how often it came, and was kept back."""
    handed = kept_back = 0
    for _ in range(MOST_ASKED):
        try:
            status, came = site.download(ref)
        except OSError:
            status, came = 502, b""  # the database ended, and the web process with its answer
        assert status in (200, 429, 502, 503), status
        if status == 200:
            handed += came.startswith(ZIP)
        else:
            assert ZIP not in came
            kept_back += status != 429
        if kept_back == REFUSED:
            break
    return handed, kept_back


# The database's last: what is said hours ahead is younger than all that is said after it is set back.
JUMPS = [
    (whose, by, number)
    for whose in ("web and workers", "web and clock", "database")
    for by in (1, -1)
    for number in (RUNS if whose == "database" else RUNS[: max(1, len(RUNS) // 2)])
]
if len(RUNS) == 1:  # each clock once: ahead, back, back
    JUMPS = [JUMPS[at] for at in (0, 3, 5)]


@pytest.mark.parametrize(("whose", "by", "number"), JUMPS)
def test_time_that_jumps_an_hour_loses_nothing(site, place_of_all, whose, by, number):
    """By libfaketime, while releases are written: the database's time, by which alone leases,
    heartbeats and locks go; or that of our own processes, while the database keeps its own.
    Each run of the database's is two hours later than the one before: what was said in that one is
    over."""
    hour = 2 * next(LATER) if whose == "database" else 1
    before, after = (hour, hour + 1) if by > 0 else (hour + 1, hour)
    if FAKE_TIME is None:
        pytest.skip("needs libfaketime, which is not here (Debian: apt-get install libfaketime)")
    said = place_of_all / "time"
    said.write_text(f"+{before}h")
    place_of_all.chmod(0o755)  # the database's own user reads the time there
    moving = {
        "LD_PRELOAD": str(FAKE_TIME),
        "FAKETIME_TIMESTAMP_FILE": str(said),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    site.run()
    if whose == "database":
        _restarted(site, moving)
    else:
        # Python asks for the time so often that each asking must not open the file; even so its
        # processes are slow under that library.
        cached = {"FAKETIME_NO_CACHE": "0", "FAKETIME_CACHE_DURATION": "1"}
        site.moved = moving | cached | {"PYTHONPATH": str(SLEEPING)}
        site.patience = 3 * ANSWERED
    try:
        site.run(*(SERVICE if whose == "web and clock" else WORKERS))
        run = Run(site)

        def jump() -> None:  # no lease of whoever is killed now must last for an hour
            if whose == "web and clock":
                site.processes["clock"].kill()
            else:
                child_of(site, "worker")
            said.write_text(f"+{after}h")

        # Where the database's time goes back, a yes after the jump is older than a no before it,
        # and is refused.
        took = run.during(jump, noes=by > 0 or whose != "database")
        told(f"time of {whose} {by:+} h", took, run)
        run.nothing_is_wrong()
    finally:
        site.run()
        site.moved, site.patience = {}, ANSWERED
        if whose == "database":
            _restarted(site, {})


def _restarted(site: Installation, preload: dict[str, str]) -> None:
    site.cluster.preload = {}
    site.cluster.stop("fast")
    site.cluster.preload = preload
    site.cluster.start()
    with suppress(NotDone):  # its connection is gone; the next deed has a new one
        site.hands.do("waiting")
