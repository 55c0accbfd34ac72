"""Record paper consents from a CSV file: the operator's door to `consent.actions.imports`."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.vocabulary import Via
from common.arguments import path, word
from common.errors import NotPermitted, SaysoError
from consent.actions import imports
from governance.models import Dataset, Organisation, User


class Command(BaseCommand):
    help = "Record paper consents: one CSV line a yes. Bad lines go to a report, without values."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=path)
        parser.add_argument(
            "--holder", type=word, required=True, help="the organisation's name or reference"
        )
        parser.add_argument("--by", type=word, required=True, help="the advocate's sign-in name")
        parser.add_argument(
            "--rows-of",
            type=word,
            help="the dataset (name) whose row numbers the client numbers are",
        )
        parser.add_argument("--report", type=path, help="where bad lines are listed (CSV)")

    def handle(self, *args: Any, **options: Any) -> None:
        report: Path | None = options["report"]
        if report is not None and (report.is_dir() or not report.parent.is_dir()):
            raise CommandError("The report cannot lie there. Name a file in a folder that exists.")
        done = _recorded(options["file"], options)
        self.stdout.write(
            f"{done.recorded} yeses recorded ({done.ref}), {done.superseded} of them or older ones "
            f"replaced, {len({bad.line for bad in done.rejected})} lines not recorded."
        )
        if not done.rejected:
            return
        if report is None:
            _list(done, self.stdout)
            return
        try:
            with report.open("w", encoding="utf-8", newline="") as out:
                _list(done, out)
        except OSError as error:
            raise CommandError("The yeses are recorded; the report cannot be written.") from error


def _recorded(file: Path, options: dict[str, Any]) -> imports.Imported:
    holder = _one(Organisation, "organisation", options["holder"], "ref", "name")
    by = _one(User, "user", options["by"], "username")
    scope = ""
    if options["rows_of"]:
        dataset = _one(Dataset, "dataset", options["rows_of"], "ref", "name")
        scope = f"row:{dataset.ref}"
    if not file.is_file():
        raise CommandError("This is not a file. Name a CSV file.")
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return imports.consents(
                holder=holder, lines=lines, by=by, at=timezone.now(), via=Via.COMMAND, scope=scope
            )
    except UnicodeDecodeError as error:
        raise CommandError("The file is not UTF-8. Save it as CSV UTF-8.") from error
    except (SaysoError, NotPermitted) as error:
        raise CommandError(error.message) from error
    except PermissionError as error:
        raise CommandError("The file cannot be read. Check who may read it.") from error


def _list(done: imports.Imported, out: Any) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["line", "column", "code", "hint"])
    writer.writerows([bad.line, bad.column, bad.code, bad.hint] for bad in done.rejected)


def _one(model: Any, kind: str, name: str, *columns: str) -> Any:
    for column in columns:
        found = model.objects.filter(**{column: name}).first()
        if found is not None:
            return found
    raise CommandError(f"There is no {kind} with this name.")
