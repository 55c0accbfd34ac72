"""The demonstration: it runs, says in one line what held, and touches nothing that is not its own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener, urlopen

import psutil
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from governance.models import Organisation
from release.management.commands import demo
from release.management.commands.demo import fresh_world
from release.management.demo.facts import GENERATED, TRUE, Facts
from tests.factories.governance import organisation
from tests.faults.servers import free_port
from tests.lengths import LONG
from tests.migrated import FOLDER

CLOSING = {
    "dataset_rows",
    "released_rows",
    "withheld_rows",
    "refused_after_suspension",
    "void_after_withdrawal",
    "withdrawn_person_rows",
    "released_after_withdrawal",
    "withdrawn_person_present_before",
    "withdrawn_person_present_after",
    "independent_check",
    "log_size",
    "log_verified",
    "file_sha256_matches",
    "seed",
    "seconds",
}
MAPPING = Path(settings.BASE_DIR) / "release" / "management" / "demo" / "mapping-cases.toml"
SIGN_IN = re.compile(r"^   (http\S+) +(\S+) +(\S+)$", re.MULTILINE)
FEW = 1_200  # lines of the second run's file


def own(folder: Path, demo: str = "1") -> dict[str, str]:
    """The environment of a demonstration with a database and folders of its own."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "SAYSO_DATA": str(folder / "data"),
        "SAYSO_KEYS": str(folder / "keys"),
        "SAYSO_DEMO": demo,
        "TMPDIR": str(folder),
    }


def run(folder: Path, *words: str, demo: str = "1") -> subprocess.CompletedProcess[str]:
    """`manage.py demo` in a process of its own."""
    return subprocess.run(
        [sys.executable, "manage.py", "demo", *words],
        cwd=settings.BASE_DIR,
        env=own(folder, demo),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def closing(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def assert_it_held(line: dict[str, Any]) -> None:
    assert set(line) >= CLOSING
    assert all(line[name] is True for name in TRUE)
    assert line["withdrawn_person_present_after"] is False
    assert line["dataset_rows"] == line["released_rows"] + line["withheld_rows"]
    assert (
        line["released_after_withdrawal"] == line["released_rows"] - line["withdrawn_person_rows"]
    )
    assert line["released_rows"] > line["withdrawn_person_rows"] > 0
    assert line["withheld_rows"] > 0
    assert line["log_size"] > 20


def test_it_runs_from_end_to_end_and_again_on_a_file_of_one_s_own(tmp_path):
    """Twice in one place: the second run is on the first lines of the first run's file, and makes
    every table anew; the first finds them empty, where the suite has made them once."""
    if (made_once := Path(FOLDER, "migrated.sqlite3")).exists():
        shutil.copyfile(made_once, tmp_path / "demo.sqlite3")
    first = closing(run(tmp_path, "--seed", "5"))
    assert_it_held(first)
    assert (first["dataset_rows"], first["seed"], first[GENERATED]) == (20_000, 5, True)
    assert first["withdrawn_person_rows"] >= 2
    made = (tmp_path / "demo" / "input" / "cases.csv").read_text(encoding="utf-8")
    few = tmp_path / "own.csv"
    few.write_text("".join(made.splitlines(keepends=True)[: FEW + 1]), encoding="utf-8")

    second = closing(run(tmp_path, "--data", str(few), "--mapping", str(MAPPING), "--seed", "6"))
    assert_it_held(second)
    assert second["seed"] == 6
    assert 0 < second["dataset_rows"] <= FEW
    assert GENERATED not in second  # nothing was made up beside the file
    assert few.exists()
    for how in (signal.SIGINT, signal.SIGTERM) if LONG else (signal.SIGINT,):
        served_and_ended(tmp_path, how)  # `make run`, in the world that is there


def served_and_ended(folder: Path, how: signal.Signals) -> None:
    """Whoever is named can sign in with what is printed; ended, nothing is left running."""
    port = free_port()
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--serve"],
        cwd=settings.BASE_DIR,
        env=own(folder) | {"SAYSO_BIND": f"127.0.0.1:{port}", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as serving:
        assert serving.stdout is not None
        last = f"Serving on http://127.0.0.1:{port}/ (Ctrl-C ends it).\n"
        said = list(iter(serving.stdout.readline, last))
        assert time.monotonic() - began < 60  # it has not made another world
        people = {name: (door, words) for door, name, words in SIGN_IN.findall("".join(said))}
        assert {place(door) for door, _ in people.values()} == {"/", "/desk/", "/api/"}
        assert len(people) > 10
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=60) as ready:
            assert json.load(ready)["ready"] is True  # at once: it says so when it is
        started = psutil.Process(serving.pid).children(recursive=True)
        for name in ("river-maple-41", "harbor-steward"):
            door, words = people[name]
            assert comes_in(door, name, words), name
            assert not comes_in(door, name, f"{words}x"), name
        serving.send_signal(how)
        assert serving.wait(30) == 0
    assert len(started) >= 2
    assert not psutil.wait_procs(started, timeout=10)[1]
    assert not listens(port)


def listens(port: int) -> bool:
    with socket.socket() as there:
        return there.connect_ex(("127.0.0.1", port)) == 0


def place(door: str) -> str:
    return "/" + door.split("/", 3)[3]


def comes_in(door: str, name: str, words: str) -> bool:
    """Sign in at this door as a browser does."""
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    page = browser.open(f"{door}sign-in/", timeout=60).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    one, other = {"/": ("name", "passphrase"), "/desk/": ("login", "password")}[place(door)]
    typed = urlencode({"csrfmiddlewaretoken": token[1], one: name, other: words}).encode()
    with browser.open(f"{door}sign-in/", data=typed, timeout=60) as answer:
        return not answer.url.endswith("/sign-in/")


@pytest.mark.skipif(not LONG, reason="the real file takes a minute: `make whole` runs it")
@pytest.mark.timeout(600)
def test_on_the_real_file_no_row_and_no_cell_leaves_that_nobody_said_yes_to(tmp_path, real_input):
    """What the line released is compared row by row and cell by cell with the file and the yeses."""
    file = real_input / "ctdc" / "north_america.csv"
    mapping = Path(settings.BASE_DIR) / "docs" / "mappings" / "ctdc-north-america.toml"
    line = closing(run(tmp_path, "--data", str(file), "--mapping", str(mapping), "--seed", "7"))
    assert_it_held(line)
    assert line["dataset_rows"] > 90_000
    assert line["independent_check"] is True


def test_without_its_switch_it_does_not_start(tmp_path):
    done = run(tmp_path, demo="0")
    assert done.returncode != 0
    assert "SAYSO_" in done.stderr.splitlines()[-1]  # it names what is missing
    assert list(tmp_path.iterdir()) == []


def test_the_command_itself_refuses_where_it_is_not_a_demonstration(settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="SAYSO_DEMO=1 only"):
        call_command("demo", data=MAPPING, mapping=MAPPING.with_name("nowhere.toml"))


@pytest.mark.parametrize("one", ["data", "mapping"])
def test_a_file_needs_its_mapping_and_a_mapping_its_file(one):
    with pytest.raises(CommandError, match="DATA=FILE MAPPING=FILE"):
        call_command("demo", **{one: MAPPING})


@pytest.mark.parametrize("missing", ["data", "mapping"])
def test_a_file_that_is_not_there_is_named_before_anything_is_touched(missing):
    """Nothing reaches the database: this test has none."""
    given = {"data": MAPPING, "mapping": MAPPING, missing: MAPPING.with_name("nowhere.csv")}
    with pytest.raises(CommandError, match=r"no file nowhere\.csv"):
        call_command("demo", **given)


@pytest.mark.django_db
def test_a_database_that_holds_something_else_is_never_touched(settings, tmp_path):
    settings.SAYSO_DATA, settings.SAYSO_KEYS = tmp_path / "data", tmp_path / "keys"
    settings.SAYSO_DATA.mkdir()
    (settings.SAYSO_DATA / "kept.age").write_bytes(b"sealed")
    organisation()
    with pytest.raises(CommandError, match="DATABASE_URL"):
        fresh_world()
    assert Organisation.objects.exists()
    assert (settings.SAYSO_DATA / "kept.age").exists()


HELD = {
    **dict.fromkeys(TRUE, True),
    "withdrawn_person_present_after": False,
    "released_rows": 10,
    "withdrawn_person_rows": 3,
    "released_after_withdrawal": 7,
}
BROKEN = [
    *({name: False} for name in (*TRUE, GENERATED)),
    {"withdrawn_person_present_after": True},
    {"released_after_withdrawal": 8},
    {"released_rows": 0, "withdrawn_person_rows": 0, "released_after_withdrawal": 0},
]


def test_it_held_only_where_everything_held():
    assert Facts(seed=1, values=dict(HELD)).holds()
    assert Facts(seed=1, values={**HELD, GENERATED: True}).holds()


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: next(iter(broken)))
def test_it_did_not_hold_where_one_thing_did_not(broken):
    assert not Facts(seed=1, values={**HELD, **broken}).holds()


@pytest.mark.parametrize("name", sorted(HELD))
def test_what_was_not_looked_at_does_not_count_as_held(name):
    values = {key: value for key, value in HELD.items() if key != name}
    with pytest.raises(KeyError):
        Facts(seed=1, values=values).holds()


@pytest.mark.parametrize("strange", ["database", "data"])
def test_what_no_demonstration_made_is_never_removed(tmp_path, monkeypatch, settings, strange):
    """An earlier demonstration's mark speaks for its own database and folder, for no others."""
    settings.SAYSO_KEYS = tmp_path / "keys"
    settings.SAYSO_DATA = tmp_path / "data"
    mark = tmp_path / "demo" / "made-here"
    mark.parent.mkdir()
    mark.write_text("sqlite   elsewhere.sqlite3 elsewhere", encoding="utf-8")
    kept = settings.SAYSO_DATA / "parts" / "sealed.age"
    if strange == "data":
        kept.parent.mkdir(parents=True)
        kept.write_bytes(b"sealed")
    monkeypatch.setattr(demo, "_holds_something", lambda: strange == "database")
    monkeypatch.setattr(demo, "_empty_database", lambda: pytest.fail("emptied"))
    with pytest.raises(CommandError, match=r"no demonstration (on this database )?made"):
        demo.fresh_world()
    assert mark.is_file()
    assert kept.is_file() == (strange == "data")
