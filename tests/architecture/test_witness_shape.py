"""The witness's own container and unit run its command, as nobody special, writing where it must."""

import re

import pytest
import yaml

from audit.witness.__main__ import _parser
from tests.architecture.source import BASE
from tests.architecture.test_production_shape import HARDENED, settings_of

FOLDER = BASE / "deploy" / "witness"
UNIT = FOLDER / "sayso-witness.service"
SERVICE = yaml.safe_load((FOLDER / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


def test_the_container_serves_as_nobody_special_and_reaches_nobody_s_disk():
    service = SERVICE["witness"]
    assert _parser().parse_args(service["command"]).run.__name__ == "_serve"
    assert service["entrypoint"] == ["python", "-m", "audit.witness"]
    assert (service["user"], service["read_only"]) == ("10001:10001", True)
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ports"] == ["127.0.0.1:8100:8100"]
    assert "environment" not in service


def test_the_unit_serves_and_may_do_little():
    found = settings_of(UNIT)
    (command,) = found["ExecStart"]
    words = command.split(" -m audit.witness ")[1].split(" ")
    assert _parser().parse_args(words).run.__name__ == "_serve"
    own = {"User": "witness", "ReadWritePaths": "/var/lib/witness", "ReadOnlyPaths": "/etc/witness"}
    for key, value in {**HARDENED, **own}.items():
        assert found[key] == [value], key


@pytest.mark.parametrize("page", ["docs/operating.md", "deploy/witness/docker-compose.yml"])
def test_every_command_that_a_page_tells_is_one_that_there_is(page):
    text = (BASE / page).read_text(encoding="utf-8")
    told = re.findall(
        r"(?:audit\.witness|--rm witness) ([a-z-]+(?: --?[a-z]+| /\S+| [A-Z]\S+)*)", text
    )
    assert {each.split(" ")[0] for each in told} >= {"key", "add-log"}
    for each in told:
        assert each.split(" ")[0] in {"key", "add-log", "drop-key", "logs", "disputes", "serve"}
