"""Set up the roles of the database, and give each what it needs and nothing else."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection, transaction
from django.db.backends.utils import CursorWrapper

from common.arguments import path
from release.management import roles

SHORTEST = 20


class Command(BaseCommand):
    requires_system_checks = []  # it runs before there is a table
    help = (
        "On PostgreSQL: make the roles owner, app, sequencer and auditor, hand the tables to the "
        "owner, and give the others what they need. Run it once as the superuser before the first "
        "`migrate`, and as the owner after every `migrate`. Running it again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--prefix", type=_prefix, default="sayso", help="what the roles' names begin with"
        )
        parser.add_argument(
            "--passwords",
            type=path,
            metavar="FOLDER",
            help="set the passwords that stand in the files owner, app, sequencer, auditor there",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("SQLite has no roles; whoever may open its file may change it.")
        prefix = options["prefix"]
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                found = roles.read(cursor)
                for statement in roles.statements(found, prefix):
                    cursor.execute(statement)
                if options["passwords"]:
                    self._passwords(cursor, prefix, options["passwords"])
        except ProgrammingError as error:
            raise CommandError(
                "This role of the database may not set up roles. Run the command once as the "
                f"superuser, afterwards as {prefix}_owner."
            ) from error
        for table in sorted(found.kept):
            if options["verbosity"] > 1:
                self.stdout.write(f"{table}: app may {roles.app_rights(table, found.kept)}")
        self.stdout.write(
            f"{len(found.tables)} tables; {prefix}_app, {prefix}_sequencer and {prefix}_auditor "
            f"have what they need, {prefix}_owner holds the tables."
        )
        if not found.tables:
            self.stdout.write(
                "There are no tables yet: run `migrate` as the owner, then this again."
            )

    def _passwords(self, cursor: CursorWrapper, prefix: str, folder: Path) -> None:
        for role in roles.ROLES:
            try:
                word = (folder / role).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise CommandError(f"There is no readable file {role} in that folder.") from None
            if len(word) < SHORTEST:
                raise CommandError(f"The password of {role} is shorter than {SHORTEST} signs.")
            name = f"{prefix}_{role}"
            scrambled = connection.connection.pgconn.encrypt_password(
                word.encode(), name.encode(), b"scram-sha-256"
            )
            cursor.execute(roles.password(name, scrambled.decode()))


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", text):
        raise ArgumentTypeError("small letters, digits and _, at most 40")
    return text
