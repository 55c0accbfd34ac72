"""Look at an installation from all sides and say what to do."""

import json
import os
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError

from common.arguments import word
from release.management.doctor import database, machine, witnesses
from release.management.doctor.findings import Finding, Level, bad

MARKS = {Level.OK: "  ok ", Level.LOOK: " look", Level.BAD: "  BAD"}


class Command(BaseCommand):
    requires_system_checks = []  # it runs them itself and goes on
    help = "Checks this installation and says for each thing what to do. Exit code 1 if any is bad."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one line of JSON for each finding")
        parser.add_argument(
            "--url",
            type=_address,
            default=f"http://{os.environ.get('SAYSO_BIND', '') or '127.0.0.1:8000'}",
            help="where the web server answers (default: where SAYSO_BIND says)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        worst = Level.OK
        for found in findings(options["url"]):
            worst = found.level if found.level == Level.BAD else worst
            if options["json"]:
                self.stdout.write(json.dumps(found.line()))
            else:
                self.stdout.write(f"{MARKS[found.level]}  {found.check}: {found.says}")
                if found.do:
                    self.stdout.write(f"       → {found.do}")
        if worst == Level.BAD:
            raise SystemExit(1)


def findings(url: str) -> Iterator[Finding]:
    yield from machine.settings_findings()
    yield from machine.rules_findings()
    yield from machine.key_findings()
    try:
        yield from database.findings()
        yield from machine.key_ring_findings()
        yield from machine.noes_findings()
        yield from witnesses.findings()
    except (DatabaseError, InterfaceError):
        yield bad("database", "It does not answer.", "Start it, or set DATABASE_URL right.")
    yield from machine.storage_findings()
    yield from machine.process_findings()
    yield from machine.redis_findings()
    yield from machine.web_findings(url)


def _address(text: str) -> str:
    text = word(text)
    if not text.startswith(("http://", "https://")):
        raise ArgumentTypeError("write http://… or https://…")
    return text
