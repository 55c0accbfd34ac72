"""What the service does not start on; each refusal explains itself and says what to do."""

import os
import secrets
import subprocess
import sys

import pytest
from django.conf import settings as own
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from pyrage import x25519

from audit.queries import footing
from common import keyfiles
from config.refusals import Footing
from tests.architecture.source import BASE

WEB = [sys.executable, "-c", "import config.wsgi; print('started')"]


def served(environ, start_response):
    return [b"served"]


def noted(status, headers):
    assert status == "503 Service Unavailable"


def production(tmp_path, command, **given):
    """Run one command under production settings, in a process of its own."""
    for name in ("keys", "data"):
        (tmp_path / name).mkdir(exist_ok=True, mode=0o700)
    kept = {key: value for key, value in os.environ.items() if key in {"PATH", "LANG", "HOME"}}
    environment = {
        "SAYSO_SECRET_KEY": secrets.token_urlsafe(50),
        "SAYSO_HOSTS": "sayso.example",
        "SAYSO_DATA": str(tmp_path / "data"),
        "SAYSO_KEYS": str(tmp_path / "keys"),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'x.sqlite3'}",
        **given,
    }
    return subprocess.run(
        command,
        cwd=BASE,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_djangos_own_checks_for_production_find_nothing(tmp_path):
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    ended = production(tmp_path, command)
    assert ended.returncode == 0, ended.stderr
    assert "no issues" in ended.stdout


def test_the_web_server_starts_where_nothing_is_wrong(tmp_path):
    ended = production(tmp_path, WEB)
    assert ended.stdout.strip() == "started", ended.stderr


def test_the_web_server_does_not_start_on_a_key_that_others_can_read(tmp_path):
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "log.ed25519").write_text("x")
    (tmp_path / "keys" / "log.ed25519").chmod(0o640)
    ended = production(tmp_path, WEB)
    assert ended.returncode != 0
    assert "ImproperlyConfigured: Sayso does not start. Others on this machine" in ended.stderr
    assert "log.ed25519" in ended.stderr
    assert "chmod 600" in ended.stderr


@pytest.fixture
def folders(settings, tmp_path):
    settings.DEMO = False
    settings.SAYSO_KEYS, settings.SAYSO_DATA = tmp_path / "keys", tmp_path / "data"
    for folder in (settings.SAYSO_KEYS, settings.SAYSO_DATA):
        folder.mkdir(mode=0o700)
    return settings


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602, 0o620, 0o666])
def test_a_key_is_for_the_service_alone(folders, mode):
    key = folders.SAYSO_KEYS / "org-2.root"
    key.write_text("x")
    key.chmod(0o600)
    assert footing.key_faults() == []
    key.chmod(mode)
    assert [fault.code for fault in footing.key_faults()] == ["key_exposed"]


def test_what_the_service_manager_hands_over_is_its_own_care(folders, monkeypatch):
    key = folders.SAYSO_KEYS / "log.ed25519"
    key.write_text("x")
    key.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folders.SAYSO_KEYS))
    assert keyfiles.exposed(folders.SAYSO_KEYS) == []


@pytest.mark.parametrize("name", ["log.ed25519", "org-2.root", "packages/org-2.root", "a.secret"])
def test_no_key_lies_in_the_data_folder(folders, name):
    path = folders.SAYSO_DATA / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    assert [fault.code for fault in footing.key_faults()] == ["key_in_data"]


def test_an_identity_in_the_data_folder_is_told_from_a_sealed_part(folders):
    (folders.SAYSO_DATA / "part.age").write_bytes(b"age-encryption.org/v1\n")
    assert footing.key_faults() == []
    (folders.SAYSO_DATA / "org-2.age").write_text(f"{x25519.Identity.generate()}\n")
    assert [fault.code for fault in footing.key_faults()] == ["key_in_data"]


def test_no_key_lies_in_the_data_folder_at_the_end_of_a_link(folders):
    hidden = folders.SAYSO_DATA / "a" / "b" / "c"
    hidden.mkdir(parents=True)
    (hidden / "it").write_text("x")
    (hidden / "it").chmod(0o600)
    (folders.SAYSO_KEYS / "log.ed25519").symlink_to(hidden / "it")
    assert [fault.code for fault in footing.key_faults()] == ["key_in_data"]


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["work", "sequencer"])
def test_no_process_that_goes_on_begins_on_an_exposed_key(folders, command):
    key = folders.SAYSO_KEYS / "log.ed25519"
    key.write_text("x")
    key.chmod(0o644)
    with pytest.raises(CommandError, match="chmod 600"):
        call_command(command)
    with pytest.raises(ImproperlyConfigured, match="chmod 600"):
        Footing(served)


@pytest.mark.postgresql_only
@pytest.mark.django_db
@pytest.mark.parametrize("command", ["work", "sequencer"])
def test_no_process_that_goes_on_begins_as_a_superuser_of_the_database(folders, command):
    with pytest.raises(CommandError, match="dbroles"):
        call_command(command)
    with pytest.raises(ImproperlyConfigured, match="superuser"):
        Footing(served)


@pytest.mark.postgresql_only
@pytest.mark.django_db
def test_nothing_is_served_before_the_database_could_be_looked_at(folders):
    def refuse(execute, sql, params, many, context):
        raise OperationalError

    with connection.execute_wrapper(refuse):
        service = Footing(served)
        assert service({"PATH_INFO": "/start/"}, noted) == [b"Not at present.\n"]
        assert service({"PATH_INFO": "/healthz"}, noted) == [b"served"]
    with pytest.raises(ImproperlyConfigured):  # it answers again: now the role is seen
        service({"PATH_INFO": "/start/"}, noted)


def test_the_demonstration_stands_outside(settings, tmp_path):
    settings.SAYSO_KEYS = tmp_path
    (tmp_path / "log.ed25519").write_text("x")
    (tmp_path / "log.ed25519").chmod(0o644)
    assert own.DEMO
    assert footing.key_faults() == footing.role_faults() == []
