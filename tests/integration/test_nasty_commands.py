"""Every argument of every command with everything nobody should type: a sentence, never a traceback."""

from argparse import Action
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.core.management.base import BaseCommand

from tests import nasty, sheets
from tests.integration.test_canary import COMMANDS, commands, stage  # noqa: F401 - a fixture

pytestmark = pytest.mark.database
# NUL and halves of characters come from callers in Python, and from names that are no UTF-8.
TYPED = ["a\0b", "\ud800", "bad\udcff", "", " ", "\x1b[2J", "a\nb", "x" * 5000, "9" * 40, "-1"]
TYPED += ["1e9", "١٢", "../" * 2000, "/dev/null/x", "x" * 300, "%s", "{bad}"]
# Arguments that take whatever is typed, each with its reason.
FREE: dict[tuple[str, str], str] = {
    ("backup", "folder"): "any name of a new folder that a terminal can show is a good one",
    ("auditlogflush", "before_date"): "the command refuses whatever it is told",
    ("createfirstadmin", "organisation"): "somebody has begun already, so it does nothing",
    ("issue_token", "label"): "any line of signs names a token",
    ("makekeys", "backup"): "any name of a new file is a good one",
    ("replay_noes", "settled"): "nothing is forgotten, so no mark is asked for",
    ("profile", "out"): "any name of a file is a good one",
    ("verify_log", "state"): "any name of a new file that a terminal can show is a good one",
}
# What a command keeps of a refusal, on purpose.
LEFT = ("audit.Entry", "audit.JournalWaiting", "audit.JournalDigest")
# A refusal leaves an entry; that of an export also the reason, sealed under who gave it.
KEPT = {"ingest": LEFT, "export_log": (*LEFT, "audit.Detail", "governance.DataKey")}
# What stands for what is not on this machine while arguments are tried.
QUIET = {"drawtransitions", "log_key", "sweep_staging", "work"}  # they take no value


def own_arguments(command: BaseCommand) -> list[Action]:
    """What our command takes beyond what every command of Django's takes."""
    every = {action.dest for action in BaseCommand().create_parser("", "")._actions}
    actions = command.create_parser("", "")._actions
    return [each for each in actions if each.dest not in every and each.nargs != 0]


def command(name: str) -> BaseCommand:
    (app,) = {app for app, names in APPS.items() if name in names}
    return load_command_class(app, name)


APPS = {
    "api": {"issue_token", "machine"},
    "audit": {"auditlogflush", "log_key", "sequencer", "verify_log"},
    "consent": {"import_consents"},
    "desk": {"seal_second_factors"},
    "governance": {
        "createfirstadmin",
        "drawtransitions",
        "loadcatalogue",
        "makekeys",
        "resetstaff",
    },
    "oversight": {"export_log", "reconcile", "work"},
    "release": {
        *("backup", "dbroles", "demo", "doctor", "ingest", "profile", "replay_noes", "restore"),
        *("rotate_key", "sweep_staging"),
    },
}


def test_every_command_is_looked_at_here():
    assert set().union(*APPS.values()) == commands() == set(COMMANDS)
    assert {name for name in commands() if not own_arguments(command(name))} == QUIET


def lines(name: str) -> Iterator[tuple[str, list[str]]]:
    """Each argument of a command spoilt in turn, the others as they would be good."""
    good, arguments = COMMANDS[name] or [], own_arguments(command(name))
    for action in arguments:
        for typed in TYPED:
            yield action.dest, spoilt(good, action, typed, arguments)


def spoilt(good: list[str], action: Action, typed: str, among: list[Action]) -> list[str]:
    if action.option_strings:
        name = action.option_strings[-1]
        kept = list(good)
        if name in kept:
            at = kept.index(name)
            del kept[at : at + 2]
        return [*kept, f"{name}={typed}"]
    places = [each.dest for each in among if not each.option_strings]
    at = places.index(action.dest)
    kept = list(good)
    kept[at] = typed
    return kept


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - QUIET))
def test_whatever_nobody_should_type_ends_with_a_sentence(stage, name, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)  # a name that is taken for a file's is not one of ours
    about, helped = (category.code for category in stage.world.categories)
    (tmp_path / "bad.csv").write_text("client_number\n")
    (tmp_path / "mapping.toml").write_text(
        sheets.MAPPING.format(about=about, helped=helped, columns='"client", "other"')
    )
    places = {
        "recipient": stage.world.recipient.ref,
        "bad": str(tmp_path / "bad.csv"),
        "mapping": str(tmp_path / "mapping.toml"),
    }
    before, counted = nasty.everything(KEPT.get(name, ())), nasty.written()
    for argument, line in lines(name):
        typed = [each.replace("{bad}", "\x7f") if each == "{bad}x" else each for each in line]
        filled = [
            each.format(**places) if each in {f"{{{place}}}" for place in places} else each
            for each in typed
        ]
        said = ended(name, filled)
        assert said or (name, argument) in FREE, (name, argument, line)
        if nasty.written() != counted:
            after = nasty.everything(KEPT.get(name, ()))
            assert not said or after == before, (name, argument, line)
            before, counted = after, nasty.written()


def ended(name: str, typed: list[str]) -> str:
    """What the command says when it refuses; any other exception is not caught."""
    out = StringIO()
    try:
        call_command(name, *typed, stdout=out, stderr=out)
    except CommandError as refusal:
        said = str(refusal)
        said.encode()  # a terminal can show it
        return said
    except SystemExit as end:
        return "refused" if end.code else ""
    return ""


@pytest.mark.django_db
def test_a_good_line_of_a_command_is_not_refused_for_its_shape():
    """Otherwise the test above could be content with commands that refuse everything."""
    with pytest.raises(CommandError, match="There is no user"):
        call_command("loadcatalogue", "--by", "north-hazel-7")
    with pytest.raises(CommandError, match="There is no such machine user"):
        call_command("issue_token", "org-2", "delta-engine-9", "nightly", "--by", "delta-birch-1")
