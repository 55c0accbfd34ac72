"""What must call out of the containers can where its file is laid over the first one, nobody else can;
and no setting is dropped on the way into them."""

import re

import pytest
import yaml

from tests.architecture.source import BASE
from tests.architecture.test_production_shape import COMPOSE, DOCKERFILE, OURS, SERVICES

LAID_OVER = {
    path.name.split(".")[1]: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted(BASE.glob("docker-compose.*.yml"))
    if path.name != "docker-compose.dev.yml"
}


def laid_over(below, above):
    """As compose does it: maps together, lists after one another, anything else in its place."""
    if isinstance(below, dict) and isinstance(above, dict):
        both = below.keys() & above.keys()
        return {**below, **above} | {key: laid_over(below[key], above[key]) for key in both}
    if isinstance(below, list) and isinstance(above, list):
        return below + [one for one in above if one not in below]
    return above


# Who sends heads to witnesses, and who starts a key agent: these and nobody else get a way out.
CALLS_OUT = {
    "witnesses": {"web", "clock", "worker"},
    "agents": {"web", "setup", "sequencer", "clock", "worker"},
}


def test_each_file_that_is_laid_over_is_judged_here():
    assert set(LAID_OVER) == set(CALLS_OUT)


@pytest.mark.parametrize("name", CALLS_OUT)
def test_whoever_must_call_out_can_and_nobody_else(name):
    whole = laid_over(COMPOSE, LAID_OVER[name])
    open_ = {net for net, how in whole["networks"].items() if not (how or {}).get("internal")}
    reach = {each for each, one in whole["services"].items() if open_ & set(one["networks"])}
    assert reach == CALLS_OUT[name]
    assert {each for each, one in whole["services"].items() if "ports" in one} == {"web"}
    for each, one in LAID_OVER[name]["services"].items():
        assert set(one) <= {"environment", "volumes", "networks"}, each
        for mount in one["volumes"]:
            assert mount["read_only"] is True
            assert mount["bind"] == {"create_host_path": False}
            assert (
                mount["source"].removeprefix("./") in (BASE / ".dockerignore").read_text().split()
            )


def test_every_process_reads_the_policy_that_is_mounted_and_the_feeder_reaches_the_witnesses():
    """A process that knew of the gate and not of the policy would not start; one that knew of
    neither would hand over what nobody has witnessed."""
    whole = laid_over(COMPOSE, LAID_OVER["witnesses"])["services"]
    for name in OURS | {"setup"}:
        place = whole[name]["environment"]["SAYSO_WITNESSES"]
        assert [
            mount["source"]
            for mount in whole[name]["volumes"]
            if isinstance(mount, dict) and mount["target"] == place
        ] == ["./witnesses"], name
        assert "SAYSO_WITNESSES_GATE" in whole[name]["environment"]


def test_whoever_opens_something_finds_the_agents_programs():
    whole = laid_over(COMPOSE, LAID_OVER["agents"])["services"]
    finds = {
        name
        for name, one in whole.items()
        for mount in one.get("volumes", [])
        if isinstance(mount, dict) and (mount["source"], mount["target"]) == AGENTS
    }
    assert finds == CALLS_OUT["agents"]


AGENTS = ("./agents", "/srv/agents")

# Variables that no container takes from the operator's shell, each with its reason.
NOT_HANDED_ON = {
    "SAYSO_DEMO": "for the demonstration alone",
    "SAYSO_DEBUG": "for the demonstration alone",
    "SAYSO_HTTPS": "always demanded outside the demonstration",
    "SAYSO_SECRET_KEY": "stands in a file",
    "SAYSO_SECRET_KEY_FORMER": "stands in a file",
    "SAYSO_METRICS_TOKEN": "stands in a file",
    "SAYSO_OIDC_SECRET": "stands in a file",
    "DATABASE_URL": "stands in a file",
    "REDIS_URL_FILE": "the address holds no secret: only containers of this file reach that Redis",
}


def test_no_setting_is_dropped_in_silence_by_the_containers():
    """Whoever sets what .env.example names must not go on without it."""
    example = (BASE / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    in_image = set(re.findall(r"\b(SAYSO_[A-Z_]+)=", DOCKERFILE[DOCKERFILE.rindex("\nENV") :]))
    told = set(SERVICES["web"]["environment"]) | in_image
    assert named - told == set(NOT_HANDED_ON)
