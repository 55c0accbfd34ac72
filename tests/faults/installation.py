"""A whole installation of its own: servers, the processes of the list, and hands that do deeds in it.

Processes are started with the very commands that containers and service units use; one that ends is
started again, as a service manager would.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings

from release.management import processes
from tests.faults.servers import Cluster, Redis, free_port

RESTART = 0.3  # seconds a service manager waits; the units say 2
ANSWERED = 40.0  # seconds after which a run counts as hung


class Hands:
    """A process that does deeds when told (tests/faults/deeds.py), one line of JSON each."""

    def __init__(self, environment: dict[str, str], *given: str) -> None:
        self.log = open(environment["TESTS_LOG"] + "-deeds", "ab")  # noqa: SIM115 - until it ends
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.deeds", *given],
            cwd=settings.BASE_DIR,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )

    def do(self, deed: str, *given: str) -> Any:
        """What the deed gave. Raises NotDone where it was not acknowledged."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([deed, *given]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise NotDone("the hands have ended")
        done, words = json.loads(line)
        if not done:
            raise NotDone(words)
        return words

    def end(self) -> None:
        self.process.kill()
        with self.process:  # closes its pipes and waits
            self.log.close()


class NotDone(Exception):
    """The deed was not acknowledged: whether it happened is not known."""


@dataclass
class Process:
    """One process of the list; `kept`: started again when it ends."""

    name: str
    environment: dict[str, str]
    running: subprocess.Popen | None = None
    kept: bool = True

    def start(self) -> None:
        with open(f"{self.environment['TESTS_LOG']}-{self.name}", "ab") as log:
            self.running = subprocess.Popen(
                processes.command(self.name, sys.executable),
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """kill −9 of the process itself; what it has forked is left as it is."""
        assert self.running is not None
        self.running.kill()

    def clear(self) -> None:
        """What a dead process has forked dies with it, as in a container or a service unit."""
        assert self.running is not None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.running.pid, signal.SIGKILL)

    def children(self) -> list[psutil.Process]:
        assert self.running is not None
        try:
            return psutil.Process(self.running.pid).children()
        except psutil.NoSuchProcess:
            return []

    def end(self) -> None:
        self.kept = False
        if self.running is not None:
            self.clear()
            self.running.wait()


@dataclass
class Installation:
    """Servers and processes; `folder` holds data, keys and what the processes write."""

    folder: Path
    cluster: Cluster
    redis: Redis
    people: int = 6
    each: int = 20
    processes: dict[str, Process] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)  # what moves the clock of those to come
    patience: float = ANSWERED

    def __post_init__(self) -> None:
        self.port = free_port()
        self.cluster.start()
        self.cluster.create()
        self.redis.start()
        self.environment = self._environment(self.cluster.address())
        self.hands = Hands(self.environment, "begin", str(self.people), str(self.each))
        self.token = self.hands.do("token")["secret"]
        self.request = self.hands.do("request")
        self.speaker = Hands(self.environment, "again")  # who stops while the others ask
        self.over = threading.Event()
        self.manager = threading.Thread(target=self._manage, daemon=True)
        self.manager.start()

    def _environment(self, address: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SAYSO_DEMO": "1",
            "SAYSO_DATA": str(self.folder / "data"),
            "SAYSO_KEYS": str(self.folder / "keys"),
            "SAYSO_METRICS": str(self.folder / "metrics"),
            "SAYSO_BIND": f"127.0.0.1:{self.port}",
            "SAYSO_WEB_WORKERS": "1",
            "DATABASE_URL": address,
            "REDIS_URL": self.redis.address,
            "TESTS_LOG": str(self.folder / "log"),
            "TESTS_FOLDER": str(self.folder),
        }

    def through(self, port: int) -> dict[str, str]:
        """The environment of a process that reaches the database by another way."""
        return self.environment | {"DATABASE_URL": self.cluster.address(port=port)}

    def run(self, *names: str) -> None:
        """Exactly these processes run, and answer."""
        for name in set(self.processes) - set(names):
            self.processes.pop(name).end()
        for name in set(names) - set(self.processes):
            one = Process(name, self.environment | self.moved)
            one.start()
            self.processes[name] = one
        if names:
            self.wait(self.answers)

    def _manage(self) -> None:
        while not self.over.wait(0.05):
            for one in list(self.processes.values()):
                if one.kept and one.running is not None and one.running.poll() is not None:
                    self._again(one)

    def _again(self, one: Process) -> None:
        one.clear()
        time.sleep(RESTART)
        if one.kept and not self.over.is_set():
            one.start()

    def call(
        self, method: str, path: str, body: object = None, *, key: str = "", port: int | None = None
    ) -> tuple[int, Any]:
        """One request at the machines' door. Raises OSError where no answer comes.

        `key`: the Idempotency-Key. `port`: of another web process than the one of the list.
        """
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(
            f"http://127.0.0.1:{port or self.port}/api/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers=headers | ({"Idempotency-Key": key} if key else {}),
        )
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310 - our own
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, None
        except urllib.error.URLError as error:
            raise OSError(str(error.reason)) from error

    def download(self, ref: str) -> tuple[int, bytes]:
        """The status, and what came of a package, also where the answer broke off in the middle.

        Raises OSError where no answer comes.
        """
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/releases/{ref}/package/",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310 - our own
                try:
                    return answer.status, answer.read()
                except http.client.IncompleteRead as broken:
                    return answer.status, broken.partial
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except urllib.error.URLError as error:
            raise OSError(str(error.reason)) from error

    def answers(self, port: int | None = None) -> bool:
        try:
            return self.call("GET", "releases/", port=port)[0] == 200
        except OSError:
            return False

    def ask(self, *, key: str = "", port: int | None = None) -> str | None:
        """Ask by way of the web; the reference where it was acknowledged."""
        path = f"requests/{self.request}/releases/"
        try:
            status, body = self.call("POST", path, {}, key=key, port=port)
        except OSError:
            return None
        assert status in (202, 429, 502, 503), status  # never a 500
        return str(body["ref"]) if status == 202 else None

    def wait(self, until: Any) -> float:
        """Seconds until `until()` is true. Raises AssertionError where patience ends."""
        began = time.monotonic()
        while not until():
            assert time.monotonic() - began < self.patience, f"not in {self.patience} s: {until}"
            time.sleep(0.05)
        return time.monotonic() - began

    def end(self) -> None:
        self.over.set()
        self.manager.join()
        for one in self.processes.values():
            one.end()
        self.hands.end()
        self.speaker.end()
        self.redis.stop()
        self.cluster.away()
