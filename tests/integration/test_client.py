"""The client against a live server: from a token to an opened file, and each trouble in a sentence."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.core.cache import cache
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import connections
from django.utils import timezone
from pyrage import x25519
from sayso_client import packages
from sayso_client.cli import main
from sayso_client.door import Door, Way
from sayso_client.trouble import Code, Trouble

from audit.actions import sequence
from audit.queries import log_verifier
from audit.vocabulary import Via
from config.wsgi import application
from governance.actions import machines, tokens
from governance.vocabulary import MachineScope, Role
from release import tasks
from release.models import Download, Release, Upload
from tests.integration import api_world
from tests.integration.api_world import CANARY, CLIENTS
from tests.integration.test_api_uploads import lines, mapping
from tests.integration.test_client_patience import Cutting


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        """Says nothing."""


@contextmanager
def served() -> Iterator[str]:
    """The service on a free port of this machine, with its clock beside it."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(application)
    over = threading.Event()

    def clock() -> None:
        try:
            while not over.wait(0.1):
                tasks.run_releases(timezone.now())
                tasks.load_uploads(timezone.now())
                sequence()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=server.serve_forever), threading.Thread(target=clock)]
    for thread in threads:
        thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        over.set()
        server.shutdown()
        for thread in threads:
            thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def transactional_db(django_db_setup, django_db_blocker):
    """One world and one server for the whole module."""
    with django_db_blocker.unblock(), api_world.committed() as world, served() as url:
        delta = world.delta
        client, secret = machines.register(
            user=delta.machine,
            organisation=delta.organisation,
            label="their workstation",
            scopes=list(MachineScope),
            by=delta.administrator,
            at=timezone.now(),
            via=Via.COMMAND,
        )
        world.url, world.way = url, (client.application.client_id, secret)
        world.loader = api_world.machine(world.holder, world.warden, "river-engine-9", Role.STEWARD)
        yield world


@pytest.fixture
def world(transactional_db, monkeypatch, tmp_path):
    cache.clear()
    monkeypatch.chdir(tmp_path)
    Path("key.txt").write_text(f"# ours\n{transactional_db.identity}\n", encoding="ascii")
    for name, value in {
        "SAYSO_URL": transactional_db.url,
        "SAYSO_CLIENT_ID": transactional_db.way[0],
        "SAYSO_CLIENT_SECRET": transactional_db.way[1],
        "SAYSO_IDENTITY": "key.txt",
        "SAYSO_LOG_KEY": log_verifier().render(),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SAYSO_TOKEN", raising=False)
    return transactional_db


@pytest.fixture
def fetched(world, capsys):
    """A release that was fetched into a folder named like it."""
    ref = world.prepared(world.approved()).ref
    assert main(["fetch", ref]) == 0, capsys.readouterr().err
    capsys.readouterr()
    return Path(ref)


def trouble(capsys, words, code):
    """The one sentence on standard error; nothing else is said anywhere."""
    ended = main(words)
    told = capsys.readouterr()
    assert ended == code, told.err
    assert told.out == ""
    sentence = told.err.strip()
    assert sentence.endswith((".", ")"))
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    return sentence


def checked(world, monkeypatch, number, request=None):
    """`sayso check` as the holder's own system runs it, its number through standard input."""
    monkeypatch.delenv("SAYSO_CLIENT_ID")
    monkeypatch.setenv("SAYSO_TOKEN", world.loader.secret)
    monkeypatch.setattr("sys.stdin", io.StringIO(number))
    return ["check", request or world.approved().ref]


def test_a_holder_checks_one_client_and_is_told_what_may_go(world, capsys, monkeypatch):
    assert main(checked(world, monkeypatch, "c-1\n")) == 0
    told = capsys.readouterr().out
    assert "yes at " in told
    assert "and for no later moment" in told
    assert ": age_band, region" in told
    assert "c-1" not in told


def test_a_no_to_one_client_is_one_sentence(world, capsys, monkeypatch):
    sentence = trouble(capsys, checked(world, monkeypatch, "c-5\n"), 14)
    assert sentence.endswith("no, no_yes.")


def test_without_a_number_nothing_is_asked(world, capsys, monkeypatch):
    for given in ("", "\n"):
        sentence = trouble(capsys, checked(world, monkeypatch, given, "req-2222222222222"), 2)
        assert "client number" in sentence
        monkeypatch.setenv("SAYSO_CLIENT_ID", "x")


def test_a_number_typed_at_a_prompt_is_not_shown(world, capsys, monkeypatch):
    words = checked(world, monkeypatch, "")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sayso_client.cli.getpass", lambda _: "c-1")
    assert main(words) == 0
    assert "c-1" not in str(capsys.readouterr())


def test_a_newcomer_comes_from_a_token_to_an_opened_file_in_three_commands(world, capsys):
    request = world.approved()
    assert main(["ask", request.ref]) == 0
    ref = capsys.readouterr().out.strip()
    assert main(["fetch", ref]) == 0
    told = capsys.readouterr()
    assert "the log's signature holds" in told.err
    (file,) = told.out.split()
    table = pq.read_table(file)
    assert table.num_rows == 6
    assert set(table.column_names) == {"person", "age_band", "region"}
    assert CANARY not in str(table.to_pylist())
    assert Path(file).stat().st_mode & 0o077 == 0
    assert main(["verify", ref]) == 0
    assert "every digest holds" in capsys.readouterr().err


def test_a_key_is_made_once_and_only_its_public_half_is_printed(tmp_path, capsys):
    path = tmp_path / "new.txt"
    assert main(["key", str(path)]) == 0
    public = capsys.readouterr().out.strip()
    assert public == str(x25519.Identity.from_str(path.read_text().strip()).to_public())
    assert path.stat().st_mode & 0o077 == 0
    assert "is there already" in trouble(capsys, ["key", str(path)], Code.USAGE)


def test_what_came_before_is_not_fetched_again(world, capsys):
    release = world.prepared(world.approved())
    part = release.parts.get()
    sealed = Path(release.ref, "sealed")
    sealed.mkdir(parents=True)
    whole = b"".join(world.delta.client().get(f"/api/releases/{release.ref}/parts/1/"))
    (sealed / "part-00001.partial").write_bytes(whole[:100])
    assert main(["fetch", release.ref, "--sealed"]) == 0
    assert (sealed / "part-00001.age").read_bytes() == whole
    given = Download.objects.filter(release=release, part="part").count()
    assert main(["fetch", release.ref]) == 0
    assert Download.objects.filter(release=release, part="part").count() == given
    assert part.size == len(whole)


def test_a_part_that_breaks_off_goes_on_and_each_asking_is_an_access(world, tmp_path):
    release = world.prepared(world.approved())
    way = Way(world.url, client_id=world.way[0], client_secret=world.way[1])
    slept = []
    with Door(way, transport=Cutting(), sleep=slept.append) as door:
        packages.fetch(door, release.ref, tmp_path / "it", identity=None, log_key=None)
    assert (
        tmp_path / "it" / "sealed" / "part-00001.age"
    ).stat().st_size == release.parts.get().size
    assert Download.objects.filter(release=release, part="part").count() == 2
    assert slept == [1.0]


def test_a_draft_of_something_else_is_fetched_anew(world, capsys):
    release = world.prepared(world.approved())
    sealed = Path(release.ref, "sealed")
    sealed.mkdir(parents=True)
    (sealed / "part-00001.partial").write_bytes(b"x" * 100)
    assert "arrived changed" in trouble(capsys, ["fetch", release.ref], Code.TAMPERED)
    assert main(["fetch", release.ref]) == 0


def test_a_wrong_key(world, capsys):
    ref = world.prepared(world.approved()).ref
    Path("key.txt").write_text(f"{x25519.Identity.generate()}\n")
    assert "Your key does not open" in trouble(capsys, ["fetch", ref], Code.WRONG_KEY)
    assert not list(Path(ref, "opened").iterdir())
    for text in ("nothing", "AGE-SECRET-KEY-1XX"):
        Path("key.txt").write_text(text)
        assert "holds no age key" in trouble(capsys, ["fetch", ref], Code.WRONG_KEY)


def test_an_expired_token(world, capsys, monkeypatch):
    machine = api_world.machine(
        world.delta.organisation, world.delta.administrator, f"engine-{Upload.objects.count()}-x"
    )
    monkeypatch.delenv("SAYSO_CLIENT_ID")
    monkeypatch.setenv("SAYSO_TOKEN", machine.secret)
    ref = world.prepared(world.approved()).ref
    assert main(["fetch", ref]) == 0
    capsys.readouterr()
    tokens.revoke(token=machine.token, by=machine.administrator, at=timezone.now(), via=Via.COMMAND)
    assert "token has expired" in trouble(capsys, ["fetch", ref], Code.TOKEN)


def test_a_secret_that_is_not_known_and_none_at_all(world, capsys, monkeypatch):
    monkeypatch.setenv("SAYSO_CLIENT_SECRET", "wrong")
    assert "does not know this client" in trouble(
        capsys, ["fetch", "rel-2222222222222"], Code.TOKEN
    )
    monkeypatch.delenv("SAYSO_CLIENT_ID")
    assert "No way in" in trouble(capsys, ["fetch", "rel-2222222222222"], Code.TOKEN)


def test_a_voided_package(world, capsys):
    ref = world.prepared(world.approved()).ref
    world.no(world.yes(CLIENTS[0]))
    try:
        assert "This package is void" in trouble(capsys, ["fetch", ref], Code.VOID)
    finally:
        world.yes(CLIENTS[0])


def test_offline(world, capsys, monkeypatch):
    monkeypatch.setenv("SAYSO_URL", "http://127.0.0.1:9")
    assert "Cannot reach" in trouble(capsys, ["fetch", "rel-2222222222222"], Code.OFFLINE)


def test_what_is_not_there_and_what_was_refused(world, capsys):
    assert "no such thing" in trouble(capsys, ["fetch", "rel-2222222222222"], Code.NOT_THERE)
    asked = world.delta.client().post("/api/requests/", world.body(), format="json").json()
    assert "not been approved" in trouble(capsys, ["ask", asked["ref"]], Code.REFUSED)


def test_nothing_is_set(world, capsys, monkeypatch):
    monkeypatch.delenv("SAYSO_URL")
    assert "Set SAYSO_URL first" in trouble(capsys, ["ask", "req-2222222222222"], Code.USAGE)


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def _part(folder: Path) -> None:
    path = folder / "sealed" / "part-00001.age"
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def _rows(folder: Path) -> None:
    _change(folder / "manifest.json", '"rows": 6', '"rows": 7')


def _both(folder: Path) -> None:
    """The manifest is changed and its digest made to fit: only the log still tells."""
    told = json.loads((folder / "manifest.json").read_text())
    told["manifest"]["rows"] = 7
    told["manifest_sha256"] = packages._commit(told["manifest"])
    (folder / "manifest.json").write_text(json.dumps(told))


def _proof(folder: Path) -> None:
    _change(folder / "proof.tlog-proof", "index ", "index 1")


def _leaf(folder: Path) -> None:
    lines = (folder / "proof.tlog-proof").read_text().split("\n")
    lines[1] = lines[1][:-8] + "AAAAAAA="
    (folder / "proof.tlog-proof").write_text("\n".join(lines))


def _missing(folder: Path) -> None:
    (folder / "sealed" / "part-00001.age").unlink()


TAMPERED = {
    "a part": _part,
    "the manifest": _rows,
    "the manifest and its digest": _both,
    "the proof": _proof,
    "the entry": _leaf,
    "a missing part": _missing,
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_tampered_file(fetched, capsys, what):
    TAMPERED[what](fetched)
    assert "Do not use the files" in trouble(capsys, ["verify", str(fetched)], Code.TAMPERED)


def test_a_log_of_another_key(fetched, capsys, monkeypatch):
    name, rest = log_verifier().render().split("+", 1)
    del name
    monkeypatch.setenv("SAYSO_LOG_KEY", f"other.example/log+{rest}")
    assert "does not agree" in trouble(capsys, ["verify", str(fetched)], Code.USAGE)
    other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    monkeypatch.setenv("SAYSO_LOG_KEY", other)
    assert "not signed" in trouble(capsys, ["verify", str(fetched)], Code.TAMPERED)
    monkeypatch.delenv("SAYSO_LOG_KEY")
    assert main(["verify", str(fetched)]) == 0
    assert "the signature was not checked" in capsys.readouterr().err


def test_a_stranger_in_between_cannot_swap_the_package(world, capsys):
    """A manifest of another release, however true, is not the one that was asked for."""
    first, second = (world.prepared(world.approved()).ref for _ in range(2))
    assert main(["fetch", first, "--to", "here"]) == 0
    capsys.readouterr()
    Path("here").rename("there")
    with Door(Way(world.url, token=world.delta.secret)) as door:
        honest = door.bytes
        door.bytes = lambda path: honest(path.replace(second, first))
        with pytest.raises(Trouble, match="not what it says of itself"):
            packages.fetch(door, second, Path("new"), identity=None, log_key=None)


@pytest.fixture
def steward(world, monkeypatch):
    monkeypatch.delenv("SAYSO_CLIENT_ID")
    monkeypatch.setenv("SAYSO_TOKEN", world.loader.secret)
    Path("mapping.toml").write_text(mapping())
    return world


def test_a_steward_sends_a_dataset(steward, capsys):
    Path("rows.csv").write_bytes(lines("c-51", "c-52"))
    assert main(["push", steward.dataset.ref, "rows.csv", "--mapping", "mapping.toml"]) == 0
    told = capsys.readouterr()
    assert "2 rows, 0 refused" in told.out
    assert CANARY not in told.out + told.err


def test_a_dataset_that_is_refused_leaves_its_report_beside_the_file(steward, capsys):
    Path("rows.csv").write_bytes(lines("c-53") + b"c-54,31/02,x,y,z\n")
    ended = main(["push", steward.dataset.ref, "rows.csv", "--mapping", "mapping.toml"])
    told = capsys.readouterr()
    assert ended == Code.REFUSED
    assert "too_many_bad_rows" in told.err
    assert "line,column,problem,hint" in Path("rows.csv.report.csv").read_text()
    assert "There is no file" in trouble(
        capsys, ["push", "dst-1", "none.csv", "--mapping", "mapping.toml"], Code.USAGE
    )


def test_no_secret_is_printed_by_accident():
    assert "s3cret" not in repr(Way("http://a", token="s3cret", client_secret="s3cret"))


def test_there_was_something_to_fetch(world):
    assert Release.objects.filter(state="prepared").exists()
