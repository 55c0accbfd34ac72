"""PostgreSQL and Redis of our own, on free ports, which may be stopped, filled and killed."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

from tests.memory import place

KNOWN = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")


MAY_NOT = "which this user may not"  # a right that no package gives


class Impossible(Exception):
    """This machine cannot run it; the words say why."""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def postgres_programs() -> Path:
    """The folder with initdb and pg_ctl. Raises Impossible."""
    places = [
        folder for pattern in KNOWN for folder in sorted(Path("/").glob(pattern[1:]), reverse=True)
    ]
    if teller := shutil.which("pg_config"):
        told = subprocess.run([teller, "--bindir"], capture_output=True, text=True, check=False)
        places.insert(0, Path(told.stdout.strip()))
    for folder in places:
        if (folder / "initdb").is_file() and (folder / "pg_ctl").is_file():
            return folder
    raise Impossible("needs PostgreSQL's own programs (initdb, pg_ctl), which are not here")


def as_nobody_special() -> tuple[list[str], str]:
    """What stands before a command that root may not run, and whose the files must be."""
    if os.geteuid() != 0:
        return [], ""
    if shutil.which("setpriv") is None:
        raise Impossible("needs setpriv: PostgreSQL does not run as root")
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        change = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        return change, name
    raise Impossible("needs a user besides root: PostgreSQL does not run as root")


@dataclass
class Cluster:
    """A PostgreSQL cluster in a folder of its own; `megabytes`: on a disk of its own of this size,
    where this user may mount one, which `mounted` says."""

    folder: Path = field(init=False)
    port: int = field(default_factory=free_port)
    preload: dict[str, str] = field(default_factory=dict)
    megabytes: int = 0
    mounted: bool = False

    def __post_init__(self) -> None:
        self.programs = postgres_programs()
        self.before, owner = as_nobody_special()
        self.folder = Path(tempfile.mkdtemp(prefix="sayso-cluster-", dir=place()))
        if owner:
            shutil.chown(self.folder, owner, pwd.getpwnam(owner).pw_gid)
            self.mounted = bool(self.megabytes) and self._mount(pwd.getpwnam(owner))
        self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8")
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.write(
                f"port = {self.port}\nlisten_addresses = '127.0.0.1'\n"
                f"unix_socket_directories = '{self.folder}'\nshared_buffers = 64MB\n"
            )
            if self.mounted:
                file.write("min_wal_size = 32MB\nmax_wal_size = 64MB\n")

    def _mount(self, owner: pwd.struct_passwd) -> bool:
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        options = f"size={self.megabytes}m,mode=700,uid={owner.pw_uid},gid={owner.pw_gid}"
        words = ["mount", "-t", "tmpfs", "-o", options, "none", str(data)]
        done = subprocess.run(words, capture_output=True, check=False).returncode == 0
        if not done:
            data.rmdir()
        return done

    def _run(self, program: str, *given: str) -> None:
        preload = [f"{name}={value}" for name, value in self.preload.items()]
        data = self.folder / "data"
        ended = subprocess.run(
            # A preloaded library comes last: it makes things of its own for whoever it runs as.
            [*self.before, "env", *preload, self.programs / program, "-D", data, *given],
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
        if ended.returncode:
            raise Impossible(f"PostgreSQL's {program} does not work here: {ended.stderr[-200:]}")

    def start(self) -> None:
        self._run("pg_ctl", "start", "-w", "-t", "30", "-l", str(self.folder / "log"))

    def stop(self, how: str = "immediate") -> None:
        self._run("pg_ctl", "stop", "-w", "-m", how)

    def stands(self) -> bool:
        """Whether its first process is there at all; it may be recovering."""
        try:
            self._run("pg_ctl", "status")
        except Impossible:
            return False
        return True

    def address(self, database: str = "sayso", port: int | None = None) -> str:
        return f"postgres://postgres@127.0.0.1:{port or self.port}/{database}"

    def create(self, database: str = "sayso") -> None:
        with psycopg.connect(self.address("postgres"), autocommit=True) as server:
            server.execute(f"CREATE DATABASE {database}")

    def away(self) -> None:
        try:
            self.stop()
        except Impossible:
            pass  # it is down already
        finally:
            if self.mounted:
                subprocess.run(["umount", "--lazy", str(self.folder / "data")], check=False)
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Redis:
    """A Redis that keeps nothing on any disk."""

    port: int = field(default_factory=free_port)
    process: subprocess.Popen | None = None

    @property
    def address(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.address, socket_timeout=2)

    def start(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise Impossible("needs redis-server, which is not here")
        words = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self.process = subprocess.Popen(
            [program, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                self.client.ping()
            except redis.exceptions.RedisError:
                time.sleep(0.02)
            else:
                return
        raise Impossible("redis-server does not start here")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
