"""Containers and service units run the commands of the one list, as nobody special, writing only
where they must. No container engine is needed: the files are read."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from config.probe import alive
from release.management.processes import PROCESSES, command
from tests.architecture.source import BASE

OURS = set(PROCESSES)
SERVERS = {"postgres", "redis"}
COMPOSE = yaml.safe_load((BASE / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
UNITS = sorted((BASE / "deploy" / "systemd").glob("*.service"))
DOCKERFILE = (BASE / "Dockerfile").read_text(encoding="utf-8")
PYTHON = "/opt/sayso/.venv/bin/python"
THROUGH_REDIS = {"worker", "beat"}


def test_the_files_have_a_place_for_every_process_and_none_besides():
    assert set(SERVICES) == OURS | SERVERS | {"setup"}
    assert {unit.stem.removeprefix("sayso-") for unit in UNITS} == OURS


def test_where_there_is_always_a_redis_the_workers_run_and_elsewhere_when_asked_for():
    """The clock runs in both: it needs no broker and finds what the workers have missed."""
    assert [name for name, one in SERVICES.items() if "profiles" in one] == ["setup"]
    target = (BASE / "deploy" / "systemd" / "sayso.target").read_text(encoding="utf-8")
    wanted = set(re.findall(r"sayso-([a-z]+)\.service", target))
    assert wanted == OURS - THROUGH_REDIS
    assert not [unit for unit in UNITS if "Conflicts=" in unit.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", sorted(THROUGH_REDIS))
def test_the_commands_through_redis_find_the_application(name):
    """`-A config` leads to config.celery; with --help nothing is started."""
    ended = subprocess.run(
        [*command(name, sys.executable), "--help"],
        cwd=BASE,
        env=os.environ | {"REDIS_URL": "redis://127.0.0.1:9/0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr


# --- containers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_container_runs_the_command_of_the_list(name):
    assert SERVICES[name]["command"] == command(name)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_container_is_root_or_writes_where_it_need_not(name):
    service = SERVICES[name]
    assert service["user"] not in ("", "root", "0", 0)
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "healthcheck" in service
    assert service["restart"] == ("no" if name == "setup" else "unless-stopped")


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_container_of_ours_only_reads_keys(name):
    assert SERVICES[name]["image"] == "sayso:local"
    assert SERVICES[name]["user"] == "10001:10001"
    assert "./keys:/srv/keys:ro" in SERVICES[name]["volumes"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_secret_is_a_file(name):
    service = SERVICES[name]
    held = set(service.get("secrets", []))
    assert held <= set(COMPOSE["secrets"])
    for key, value in service.get("environment", {}).items():
        assert not re.search(r"://[^/]*:[^/]*@", str(value)), key
        assert key.endswith("_FILE") or not re.search("PASSWORD|SECRET|TOKEN|DATABASE_URL", key)
        if key.endswith("_FILE") and value is not None:  # None: handed on from the operator's shell
            assert value.removeprefix("/run/secrets/") in held
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].startswith("./secrets/")


def test_only_the_setup_and_the_server_hold_the_superusers_word():
    holders = {
        name
        for name, one in SERVICES.items()
        if set(one.get("secrets", [])) & {"superuser", "superuser_url"}
    }
    assert holders == {"setup", "postgres"}
    assert {name for name, one in SERVICES.items() if "owner_url" in one.get("secrets", [])} == {
        "setup"
    }


def test_only_the_web_is_reached_and_from_this_machine_alone():
    assert {name for name, one in SERVICES.items() if "ports" in one} == {"web"}
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    outside = {name for name, one in SERVICES.items() if "outside" in one["networks"]}
    assert outside == {"web"}


def test_the_development_servers_hold_nothing_of_ours():
    text = (BASE / "docker-compose.dev.yml").read_text(encoding="utf-8")
    assert set(yaml.safe_load(text)["services"]) == SERVERS
    assert not list(BASE.glob("docker-compose.override.y*ml"))  # it would be taken without asking


# --- the image ------------------------------------------------------------------------------------


def lines(word: str) -> list[str]:
    whole = DOCKERFILE.replace("\\\n", " ")
    return [
        line[len(word) + 1 :].strip() for line in whole.splitlines() if line.startswith(f"{word} ")
    ]


def test_the_image_is_slim_made_in_two_stages_and_runs_as_nobody_special():
    assert [line.split(" ")[0] for line in lines("FROM")] == ["python:3.13-slim-bookworm"] * 2
    last = DOCKERFILE.rindex("\nFROM ")
    assert "USER 10001:10001" in DOCKERFILE[last:]
    assert "pip" not in DOCKERFILE[last:]


def test_the_image_holds_what_the_lock_names_with_its_hashes():
    install = next(line for line in lines("RUN") if "pip install" in line)
    assert "--require-hashes" in install
    assert "--only-binary :all:" in install
    assert "requirements/base.txt /build/base.txt" in lines("COPY")


def test_the_image_runs_the_web_and_asks_it():
    assert yaml.safe_load(lines("CMD")[-1]) == command("web")
    health = lines("HEALTHCHECK")[0]
    asked = yaml.safe_load(health[health.index("[") :])
    assert asked == SERVICES["web"]["healthcheck"]["test"][1:] == ["python", "-m", "config.probe"]


@pytest.mark.parametrize("name", [".git", "var", "keys", "secrets", "tests", ".venv"])
def test_nothing_of_a_workshop_goes_into_the_image(name):
    assert name in (BASE / ".dockerignore").read_text(encoding="utf-8").splitlines()


def test_a_server_that_is_not_there_does_not_live():
    assert not alive("127.0.0.1:9", "localhost")


# --- service units --------------------------------------------------------------------------------


def settings_of(unit: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        key, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


HARDENED = {
    "User": "sayso",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "CapabilityBoundingSet": "",
    "RestrictSUIDSGID": "yes",
    "UMask": "0077",
    "Restart": "always",
    "RestartSec": "2",  # tests/faults/runs.py counts with it
    "ReadWritePaths": "/var/lib/sayso/data /var/lib/sayso/noes",
    "ReadOnlyPaths": "/etc/sayso/keys",
}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_runs_the_command_of_the_list_and_may_do_little(unit):
    found = settings_of(unit)
    name = unit.stem.removeprefix("sayso-")
    assert found["ExecStart"] == [" ".join(command(name, PYTHON))]
    for key, value in HARDENED.items():
        assert found[key] == [value], key


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_may_call_out_to_witnesses_and_key_services_and_reads_who_they_are(unit):
    found = settings_of(unit)
    assert set(found["RestrictAddressFamilies"][0].split()) == {"AF_UNIX", "AF_INET", "AF_INET6"}
    assert not {"PrivateNetwork", "IPAddressDeny", "InaccessiblePaths"} & set(found)
    assert found["EnvironmentFile"] == ["/etc/sayso/environment"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_handed_its_secrets(unit):
    found = settings_of(unit)
    handed = dict(value.split(":") for value in found["LoadCredential"])
    for name, place in handed.items():
        assert place.startswith("/etc/sayso/secrets/"), name
    named = [value for value in found["Environment"] if "_FILE=" in value]
    assert {value.split("=%d/")[1] for value in named} == set(handed)
    wanted = "sequencer_url" if "sequencer" in unit.stem else "app_url"
    assert handed["database"].endswith(wanted)


def test_the_service_manager_finds_nothing_wrong_with_the_units(tmp_path):
    """The one thing changed is where Python lies: on this machine there is no /opt/sayso."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze, which is not installed")
    for unit in [*UNITS, BASE / "deploy" / "systemd" / "sayso.target"]:
        text = unit.read_text(encoding="utf-8").replace(PYTHON, sys.executable)
        (tmp_path / unit.name).write_text(text)
    ended = subprocess.run(
        ["systemd-analyze", "verify", *[str(path) for path in sorted(tmp_path.iterdir())]],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )
    ours = [line for line in ended.stderr.splitlines() if "sayso" in line]
    assert (ended.returncode, ours) == (0, [])


# --- secrets --------------------------------------------------------------------------------------


def make_secrets(folder: Path, *more: str) -> str:
    script = BASE / "scripts" / "make_secrets.py"
    ended = subprocess.run(
        [sys.executable, str(script), str(folder), *more],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return ended.stdout


def test_secrets_are_made_once_each_for_its_owner_alone(tmp_path):
    folder = tmp_path / "secrets"
    said = make_secrets(folder, "--database-host", "postgres")
    files = {path.name: path.read_text() for path in folder.iterdir()}
    assert {path.stem for path in folder.iterdir()} >= set(COMPOSE["secrets"])
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o400
        assert path.read_text().strip() not in said
    assert (
        files["app_url"].strip()
        == f"postgres://sayso_app:{files['app'].strip()}@postgres:5432/sayso"
    )
    again = make_secrets(folder)
    assert again.count("already there") == len(files)
    assert {path.name: path.read_text() for path in folder.iterdir()} == files


def test_the_setup_runs_commands_that_are_there():
    script = (BASE / "deploy" / "setup.sh").read_text(encoding="utf-8")
    steps = re.findall(r'^as (\w+) "(\w+)', script, re.MULTILINE)
    assert steps == [
        ("superuser_url", "dbroles"),
        ("owner_url", "migrate"),
        ("owner_url", "dbroles"),
        ("owner_url", "makekeys"),
    ]
    assert SERVICES["setup"]["command"] == ["sh", "deploy/setup.sh"]
    assert {secret for secret, _ in steps} <= set(SERVICES["setup"]["secrets"])


def test_an_operators_command_runs_as_the_units_do(tmp_path):
    """In their environment, with the secrets that they are handed, as their user."""
    make_secrets(tmp_path / "secrets")
    (tmp_path / "environment").write_text('SAYSO_SITE_NAME="A NEUTRAL NAME"\n')
    shown = tmp_path / "shown"
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nenv > {shown}\necho "$@" >> {shown}\n')
    changer = tmp_path / "setpriv"
    changer.write_text(f'#!/bin/sh\necho "$1 $2" > {tmp_path / "who"}\nshift 3\nexec "$@"\n')
    for each in (python, changer):
        each.chmod(0o755)
    for role in ("app", "owner"):
        subprocess.run(
            ["sh", "deploy/manage.sh", "doctor", "--json"],
            cwd=BASE,
            env={
                "PATH": f"{tmp_path}:{os.environ['PATH']}",
                "SECRETS": str(tmp_path / "secrets"),
                "SETTINGS": str(tmp_path / "environment"),
                "PYTHON": str(python),
                **({} if role == "app" else {"ROLE": role}),
            },
            check=True,
            timeout=60,
        )
        *told, words = shown.read_text().splitlines()
        environment = dict(line.split("=", 1) for line in told if "=" in line)
        assert words == "manage.py doctor --json"
        assert (tmp_path / "who").read_text() == "--reuid=sayso --regid=sayso\n"
        url = (tmp_path / "secrets" / f"{role}_url").read_text().strip()
        assert environment["DATABASE_URL"] == url
        assert environment["SAYSO_SITE_NAME"] == "A NEUTRAL NAME"
        web = settings_of(BASE / "deploy" / "systemd" / "sayso-web.service")
        assert web["User"] == ["sayso"]
        handed = dict(value.split(":") for value in web["LoadCredential"])
        for name, value in (each.split("=", 1) for each in web["Environment"]):
            if value.startswith("%d/") and name != "DATABASE_URL_FILE":
                secret = tmp_path / "secrets" / Path(handed[value.removeprefix("%d/")]).name
                assert environment[name.removesuffix("_FILE")] == secret.read_text().strip()
            elif name in {"SAYSO_DATA", "SAYSO_KEYS", "SAYSO_NOES"}:
                assert environment[name] == value


def test_the_proxy_lays_nothing_of_a_body_on_a_disk_and_keeps_no_addresses():
    """A file of rows that a proxy holds back until it has come lies there in clear."""
    page = (BASE / "docs" / "operating.md").read_text(encoding="utf-8")
    server = page[page.index("server {") :].split("```")[0]
    for said in ("proxy_request_buffering off;", "proxy_buffering off;", "access_log off;"):
        assert said in server.split("location")[0]
    assert "^/api/datasets/[a-z0-9-]+/uploads/$" in server
