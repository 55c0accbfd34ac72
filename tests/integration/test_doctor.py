"""The doctor sees what is wrong with an installation and says what to do."""

import io
import json
import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.conf import settings as own
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from pyrage import x25519

from audit.queries import key_ring
from governance.queries import clock
from governance.storage import noes_file
from release.management.doctor import database, machine, triggers
from release.management.doctor.findings import Level
from release.models import Beat
from release.rules import timing
from release.tasks import tick
from tests.append_only import triggers_lifted
from tests.factories import governance as made

NOWHERE = "http://127.0.0.1:9"


def told(*arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code, and each finding by its check."""
    out, code = io.StringIO(), 0
    try:
        call_command("doctor", "--json", *(arguments or ("--url", NOWHERE)), stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    found = {line["check"]: line for line in lines if line["level"] != "ok"}
    return code, {line["check"]: line for line in lines} | found


def levels(findings):
    return {one.check: one.level for one in findings}


@pytest.mark.django_db
def test_every_finding_that_is_not_well_says_what_to_do():
    code, found = told()
    assert code == 1  # it is a demonstration, and nothing answers on that port
    assert found["demonstration"]["level"] == found["web"]["level"] == "bad"
    for line in found.values():
        assert line["says"].endswith((".", "'"))
        assert bool(line["do"]) == (line["level"] != "ok")
    assert {"versions", "migrations", "triggers", "keys", "disk", "time", "clock"} <= set(found)


@pytest.mark.parametrize("which", ["GATE_RULES", "BOARD_RULES"])
def test_rules_that_somebody_changed_on_the_machine_are_named(monkeypatch, which):
    assert levels(machine.rules_findings()) == {"rules": Level.OK}
    monkeypatch.setattr(machine, which, "ab" * 32)
    assert levels(machine.rules_findings()) == {"rules": Level.BAD}


@pytest.mark.django_db
def test_it_speaks_to_people_too():
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", "--url", NOWHERE, stdout=out)
    assert "BAD  demonstration: This is the demonstration.\n       → Unset" in out.getvalue()


def test_only_a_web_address_is_asked():
    with pytest.raises(CommandError):
        call_command("doctor", "--url", "file:///etc/hosts")


@pytest.mark.django_db
def test_the_triggers_it_wants_are_those_the_migrations_made():
    there = triggers.there()
    assert set(there) == triggers.wanted(connection.vendor)
    assert len(there) > 60
    assert all(there.values())
    assert levels(database._triggers()) == {"triggers": Level.OK}


@pytest.mark.django_db
@pytest.mark.sqlite_only
def test_a_removed_trigger_is_seen():
    with triggers_lifted():
        said = list(database._triggers())
    assert [one.level for one in said] == [Level.BAD]
    assert "audit_checkpoint" in said[0].says


@pytest.mark.django_db
@pytest.mark.postgresql_only
def test_a_trigger_turned_off_or_removed_is_seen():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE release_use DISABLE TRIGGER append_only_update")
        cursor.execute("DROP TRIGGER append_only_delete ON release_download")
    said = " ".join(one.says for one in database._triggers())
    assert "turned off on release_use." in said
    assert "removed from release_download." in said


@pytest.mark.django_db
@pytest.mark.postgresql_only
def test_a_server_that_may_lose_an_acknowledged_word_is_seen():
    assert set(levels(database._postgresql()).values()) == {Level.OK}
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET default_transaction_isolation = 'serializable'")
    try:
        found = levels(database._postgresql())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = on")
            cursor.execute("SET default_transaction_isolation = 'read committed'")
    assert found["postgresql synchronous_commit"] == Level.BAD
    assert found["postgresql default_transaction_isolation"] == Level.BAD


@pytest.mark.django_db
@pytest.mark.postgresql_only
def test_a_role_that_may_do_too_much_is_seen(settings):
    settings.DEMO = False
    assert levels(database._role())["database role"] == Level.BAD
    assert levels(database._rights())["database rights"] == Level.BAD


@pytest.mark.django_db
@pytest.mark.sqlite_only
def test_a_file_that_may_lose_an_acknowledged_word_is_seen(monkeypatch):
    assert set(levels(database._sqlite()).values()) == {Level.OK}
    monkeypatch.setattr(database, "_one", lambda statement: "off")
    assert set(levels(database._sqlite()).values()) == {Level.BAD}


@pytest.mark.django_db
def test_clocks_that_are_apart_are_seen(monkeypatch):
    assert database._drift().level == Level.OK
    now = clock.now() + timedelta(seconds=30)
    monkeypatch.setattr(database.clock, "now", lambda: now)
    assert database._drift().level == Level.BAD


@pytest.mark.django_db
def test_a_stopped_clock_is_seen():
    tick(clock.now())
    assert levels(machine.process_findings())["clock"] == Level.OK
    Beat.objects.update(at=clock.now() - timing.BEAT_LATE - timedelta(seconds=5))
    assert levels(machine.process_findings())["clock"] == Level.BAD


@pytest.mark.django_db
def test_a_database_that_does_not_answer_ends_no_examination():
    def refuse(execute, sql, params, many, context):
        raise OperationalError

    with connection.execute_wrapper(refuse):
        code, found = told()
    assert code == 1
    assert found["database"]["says"] == "It does not answer."
    assert "disk" in found


def test_open_key_and_data_folders_are_seen(settings, tmp_path):
    settings.DEMO = False
    settings.SAYSO_KEYS, settings.SAYSO_DATA = tmp_path / "keys", tmp_path / "data"
    for folder in (settings.SAYSO_KEYS, settings.SAYSO_DATA):
        folder.mkdir()
        folder.chmod(0o755)
    assert levels(machine.key_findings())["key folder"] == Level.BAD
    assert levels(machine.storage_findings())["data folder"] == Level.LOOK
    (settings.SAYSO_KEYS / "log.ed25519").write_text("x")
    assert levels(machine.key_findings())["keys"] == Level.BAD


@pytest.mark.django_db
def test_a_file_of_noes_that_holds_more_than_the_database_or_cannot_be_written_is_seen(
    settings, tmp_path
):
    settings.SAYSO_NOES, settings.SAYSO_KEYS = tmp_path / "noes", tmp_path / "keys"
    first = levels(machine.noes_findings())
    assert first["noes"] == Level.OK
    assert first["backup"] == Level.LOOK
    key_ring().add_backup_recipient(str(x25519.Identity.generate().to_public()))
    noes_file().append([(b"m" * 16, b"facts")], key_ring().noes_recipient)
    settings.SAYSO_NOES.chmod(0o755)
    found = levels(machine.noes_findings())
    assert found["noes"] == Level.BAD
    assert found["noes folder"] in {Level.BAD, Level.LOOK}
    assert found["backup"] == Level.OK


@pytest.mark.django_db
def test_a_holder_whose_keys_do_not_open_is_seen(settings):
    holder = made.data_field().dataset.holder
    key_ring().install(holder.ref)
    assert levels(machine.key_ring_findings())["holders' keys"] == Level.OK
    settings.DEMO = False
    (settings.SAYSO_KEYS / f"{holder.ref}.kek").unlink()
    assert levels(machine.key_ring_findings())["holders' keys"] == Level.LOOK


def test_redis_that_does_not_answer_is_seen(settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert levels(machine.redis_findings()) == {"redis": Level.BAD}
    settings.REDIS_URL = ""
    assert levels(machine.redis_findings()) == {"redis": Level.LOOK}


def test_redis_that_answers_is_well_and_workers_are_looked_for(db, settings, redis_address):
    settings.REDIS_URL = redis_address
    assert levels(machine.redis_findings()) == {"redis": Level.OK, "workers": Level.LOOK}
    beat = Beat.objects.create(worker="worker-here-1", at=clock.now())
    assert levels(machine.redis_findings())["workers"] == Level.OK
    beat.at -= timing.BEAT_LATE + timedelta(seconds=1)
    beat.save()
    assert levels(machine.redis_findings())["workers"] == Level.LOOK


class Alive(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"alive\n" if self.headers["Host"] == own.ALLOWED_HOSTS[0] else b"?")

    def log_message(self, *args):
        pass


def test_the_web_server_is_asked_by_its_own_name():
    server = HTTPServer(("127.0.0.1", 0), Alive)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        assert levels(machine.web_findings(address)) == {"web": Level.OK}
        assert levels(machine.web_findings(f"https://127.0.0.1:{server.server_port}")) == {
            "web": Level.BAD
        }
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert levels(machine.web_findings(f"http://127.0.0.1:{free.getsockname()[1]}")) == {
            "web": Level.BAD
        }
