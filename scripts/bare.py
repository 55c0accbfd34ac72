"""Runs `make demo`, `make run` and `make test` as on a machine where nothing is installed besides.

A namespace without any network but its own loopback, on which nothing listens; a PATH without the
programs of PostgreSQL, Redis, Chromium, age, gettext and Go; their folders hidden. The tests are those
that know of such programs: each must be left out and named, and none may fail.

    make bare
"""

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
HIDDEN = re.compile(
    r"(psql|postgres|pg_|initdb|createdb|dropdb|redis|chrom|google-chrome|age(-keygen)?$|xgettext"
    r"|msg(fmt|merge)|go$|gofmt|faketime|docker|podman|apt|systemd-analyze|valkey)"
)
FOLDERS = ("/usr/lib/postgresql", "/usr/share/gocode", "/usr/lib/x86_64-linux-gnu/faketime",
           "/usr/lib/aarch64-linux-gnu/faketime")  # fmt: skip
KNOWS = re.compile(r"which\(|\bImpossible\b|gocode|faults\.servers")
SAID = (
    "The PostgreSQL pass: its programs are not here",
    "The browser tests: there is no Chromium",
    "redis-server",
    "age",
    "libfaketime",
)
INSIDE = "--inside"
PROGRAMS = ("psql", "initdb", "redis-server", "chromium", "age", "go", "xgettext")
READY = 120.0  # seconds


def main() -> int:
    if INSIDE in sys.argv:
        return inside()
    if shutil.which("unshare") is None:
        print("This needs unshare (util-linux), to stand in a place without a network.")
        return 1
    apart = ["unshare", "--map-root-user", "--net", "--mount"]
    return subprocess.run(
        [*apart, sys.executable, __file__, INSIDE], cwd=BASE, check=False
    ).returncode


def inside() -> int:
    loopback()
    for folder in FOLDERS:
        if Path(folder).is_dir():
            subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
    with tempfile.TemporaryDirectory(prefix="sayso-bare-") as place:
        own = environment(Path(place))
        shown(demo(own) and serves(own) and tests(own))
    return 0


def loopback() -> None:
    """This namespace's own, on which nobody listens yet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        up = struct.pack("16sh", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(asking, 0x8914, up)  # SIOCSIFFLAGS


def environment(place: Path) -> dict[str, str]:
    """Nothing of the operator's but a PATH in which the programs are not."""
    path = place / "bin"
    path.mkdir()
    for folder in os.environ["PATH"].split(":"):
        for program in sorted(Path(folder).glob("*")) if Path(folder).is_dir() else []:
            if not HIDDEN.match(program.name) and not (path / program.name).is_symlink():
                (path / program.name).symlink_to(program)
    if left := [name for name in PROGRAMS if shutil.which(name, path=str(path))]:
        raise RuntimeError(f"not hidden: {left}")
    return {
        "PATH": str(path),
        "HOME": str(place),
        "TMPDIR": str(place),
        "LANG": "C.UTF-8",
        "DATABASE_URL": f"sqlite:///{place / 'bare.sqlite3'}",
        "SAYSO_DATA": str(place / "data"),
        "SAYSO_KEYS": str(place / "keys"),
        "SAYSO_BIND": "127.0.0.1:8000",
        "PYTHONUNBUFFERED": "1",
    }


def demo(own: dict[str, str]) -> bool:
    """The main job, from end to end."""
    done = subprocess.run(
        ["make", "demo"], cwd=BASE, env=own, capture_output=True, text=True, check=False
    )
    last = (done.stdout.splitlines() or [""])[-1]
    good = done.returncode == 0 and json.loads(last)["log_verified"] is True
    print(f"make demo: {'held' if good else done.stdout + done.stderr}", flush=True)
    return good


def serves(own: dict[str, str]) -> bool:
    """It says that it serves when it does, and can be ended."""
    began = time.monotonic()
    with subprocess.Popen(
        ["make", "run"], cwd=BASE, env=own, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL, start_new_session=True,
    ) as serving:  # fmt: skip
        for line in serving.stdout or ():
            if line.startswith("Serving on") or time.monotonic() - began > READY:
                break
        try:
            with urllib.request.urlopen("http://127.0.0.1:8000/readyz", timeout=60) as answer:
                good = bool(json.load(answer)["ready"])
        except (urllib.error.URLError, ValueError) as error:
            print(f"make run: {error}")
            good = False
        took = time.monotonic() - began
        os.killpg(serving.pid, signal.SIGTERM)
    print(f"make run: {'ready' if good else 'NOT READY'} after {took:.1f} s", flush=True)
    return good


def tests(own: dict[str, str]) -> bool:
    """What needs those programs is left out and named; the rest of these files holds."""
    files = [
        str(path.relative_to(BASE))
        for path in sorted((BASE / "tests").rglob("test_*.py"))
        if KNOWS.search(path.read_text(encoding="utf-8")) and "demo_command" not in path.name
    ]
    clean = {key: value for key, value in own.items() if not key.startswith(("SAYSO", "DATABASE"))}
    done = subprocess.run(
        ["make", "test", f"ONLY={' '.join(files)}"],
        cwd=BASE, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    _before, _line, told = done.stdout.partition("=== what could not be run here ===")
    unsaid = [words for words in SAID if words not in told]
    print(done.stdout[done.stdout.find("=== what was run") :])
    if unsaid or done.returncode:
        print(f"make test: ended with {done.returncode}; not said: {unsaid}\n{done.stdout[-8000:]}")
    return not unsaid and done.returncode == 0


def shown(good: bool) -> None:
    print("Nothing of it was needed." if good else "SOMETHING WAS NEEDED that is not everywhere.")
    if not good:
        raise SystemExit(1)


if __name__ == "__main__":
    sys.exit(main())
