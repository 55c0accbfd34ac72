"""The main job from end to end, in the terminal, on a world made for it."""

import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from common.arguments import path, whole
from governance.models import Organisation
from governance.storage import noes_file
from release.actions import versions
from release.management import processes
from release.management.demo.facts import Facts
from release.management.demo.story import Story

DOORS = {"river-maple-41": "/", "university-machine": "/api/"}
DESK = "/desk/"
PATIENCE, LOOK_AGAIN = 60.0, 0.2  # seconds for both programs to be there, and between two looks


class Command(BaseCommand):
    help = "Make a world, run the straight line in it, end with one line of JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data", type=path, help="a real file instead of the generated one")
        parser.add_argument("--mapping", type=path, help="the mapping of that file")
        parser.add_argument("--seed", type=whole(0, 2**32 - 1), help="repeat a run")
        parser.add_argument(
            "--serve",
            action="store_true",
            help="serve the world on 127.0.0.1:8000, or where SAYSO_BIND says",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demonstration runs with SAYSO_DEMO=1 only.")
        if options["serve"] and (folder_of() / "made-here").exists() and _holds_something():
            serve(self.stdout.write)
            return
        check_files(options["data"], options["mapping"])
        facts = self._play(options)
        self.stdout.write(json.dumps(facts.line()))
        if not facts.holds():
            raise SystemExit(1)
        if options["serve"]:
            serve(self.stdout.write)

    def _play(self, options: dict[str, Any]) -> Facts:
        seed = options["seed"] if options["seed"] is not None else secrets.randbelow(1_000_000)
        folder = fresh_world()
        console = Console(stderr=False, highlight=False)
        with Progress(
            TextColumn("   {task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        ) as bar:
            tasks = {
                phase: bar.add_task(word, total=None, visible=False)
                for phase, word in (
                    (versions.READING, "Reading and checking"),
                    (versions.WRITING, "Sorting and sealing"),
                )
            }

            def progress(phase: str, done: int, of: int) -> None:
                bar.update(tasks[phase], completed=done, total=of or None, visible=done < of)

            story = Story(
                console=console,
                folder=folder,
                seed=seed,
                data=options["data"],
                mapping=options["mapping"],
                progress=progress,
            )
            return story.play()


def check_files(data: Path | None, mapping: Path | None) -> None:
    """A file of one's own comes with its mapping, and both are there."""
    if (data is None) != (mapping is None):
        raise CommandError("A file of your own needs its mapping too: DATA=FILE MAPPING=FILE.")
    for file in (data, mapping):
        if file is not None and not file.is_file():
            raise CommandError(f"There is no file {file.name}. Check the path.")


def folder_of() -> Path:
    """Where the demonstration keeps what belongs to others: sign-ins, recipients' keys, input."""
    found: Path = settings.SAYSO_KEYS.parent / "demo"
    return found


def serve(say: Callable[[str], object]) -> None:
    """The web server and the clock, side by side, until the terminal says stop."""
    sign_ins = json.loads((folder_of() / "sign-ins.json").read_text(encoding="utf-8"))
    own = environment()
    here = f"http://{own['SAYSO_BIND']}"
    say("Sign in (made up for this world):")
    for name, words in sign_ins.items():
        say(f"   {here + DOORS.get(name, DESK):32} {name:22} {words}")
    say("Staff set up a second factor at their first sign-in: have an authenticator app ready.")
    started = [
        subprocess.Popen(  # noqa: S603 - our own two programs
            processes.command(name, sys.executable), cwd=settings.BASE_DIR, env=own
        )
        for name in processes.DEMONSTRATION
    ]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it too, and nothing is left
    try:
        say("Starting the web server and the clock.")
        if unwell := until_ready(own["SAYSO_BIND"], started):
            say(f"Not ready after {PATIENCE:.0f} s: {unwell}")
        say(f"Serving on {here}/ (Ctrl-C ends it).")
        started[-1].wait()
    except KeyboardInterrupt:
        pass
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


def until_ready(bind: str, started: Sequence[subprocess.Popen[bytes]]) -> str:
    """Wait until the clock goes and every door can be used; else what is not well, in words.

    On a slow machine both programs take their time to load, and whoever came before would find
    nobody there, or an answer that waits for the clock.
    """
    ends, unwell = time.monotonic() + PATIENCE, "the web server does not answer."
    host = str(settings.ALLOWED_HOSTS[0]).lstrip(".*") or "localhost"
    name, _, port = bind.rpartition(":")
    place = "127.0.0.1" if name in {"", "0.0.0.0"} else name.strip("[]")  # noqa: S104 - compared, not bound
    while time.monotonic() < ends and all(one.poll() is None for one in started):
        asking = http.client.HTTPConnection(place, int(port), timeout=PATIENCE)
        try:
            asking.request("GET", "/readyz", headers={"Host": host})
            answer = asking.getresponse()
            told = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            told = None
        finally:
            asking.close()
        if told and told["ready"]:
            return ""
        if told:
            unwell = " ".join(one["says"] for one in told["checks"] if one["code"] != "ok")
        time.sleep(LOOK_AGAIN)
    return unwell


def environment() -> dict[str, str]:
    """One web process; its figures lie beside the data."""
    figures = settings.SAYSO_DATA.parent / "metrics"
    bind = os.environ.get("SAYSO_BIND", "") or "127.0.0.1:8000"
    own = {"SAYSO_BIND": bind, "SAYSO_WEB_WORKERS": "1", "SAYSO_METRICS": str(figures)}
    return {**os.environ, **own}


def fresh_world() -> Path:
    """An empty database and empty folders for the demonstration; gives its own folder.

    Only what an earlier demonstration made, here and with these very addresses, is ever removed.
    """
    folder = folder_of()
    mark = folder / "made-here"
    ours = mark.is_file() and mark.read_text(encoding="utf-8") == _addresses()
    data: Path = settings.SAYSO_DATA
    if not ours and _holds_something():
        raise CommandError(
            "This database holds something that no demonstration made. Name another one in "
            "DATABASE_URL."
        )
    if not ours and data.is_dir() and any(data.iterdir()):
        raise CommandError(
            "The data folder holds something that no demonstration on this database made. Name "
            "another one in SAYSO_DATA."
        )
    noes = noes_file().path
    if not ours and noes.exists():
        raise CommandError(
            "There is a file of noes that no demonstration on this database made. Name another "
            "folder in SAYSO_NOES."
        )
    if ours:
        _empty_database()
    noes.unlink(missing_ok=True)
    shutil.rmtree(data, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    mark.write_text(_addresses(), encoding="utf-8")
    call_command("migrate", verbosity=0, interactive=False)
    return folder


def _addresses() -> str:
    """Which database and which data folder this run speaks to (no password)."""
    found = connection.settings_dict
    return (
        f"{connection.vendor} {found['HOST']} {found['PORT']} {found['NAME']} {settings.SAYSO_DATA}"
    )


def _empty_database() -> None:
    if connection.vendor == "sqlite":
        name = Path(str(connection.settings_dict["NAME"]))
        connection.close()
        for file in (name, Path(f"{name}-wal"), Path(f"{name}-shm")):
            file.unlink(missing_ok=True)
        return
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")


def _holds_something() -> bool:
    tables = connection.introspection.table_names()
    return Organisation._meta.db_table in tables and Organisation.objects.exists()
