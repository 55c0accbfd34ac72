"""Load a file into a dataset."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from audit.vocabulary import Via
from common.arguments import path, word
from common.errors import SaysoError
from governance.models import Dataset, User
from release.actions import versions


class Command(BaseCommand):
    help = "Load a CSV, gzip CSV, Parquet or XLSX file into a dataset, as a mapping file says."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset", type=word, help="the dataset's name or reference")
        parser.add_argument("file", type=path)
        parser.add_argument("--mapping", type=path, required=True, help="a TOML file")
        parser.add_argument(
            "--by",
            type=word,
            required=True,
            help="sign-in name of a steward of the dataset's holder",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        dataset = _dataset(options["dataset"])
        user = User.objects.filter(username=options["by"], is_active=True).first()
        if user is None:
            raise CommandError("There is no active user of that sign-in name.")
        try:
            mapping = options["mapping"].read_bytes()
        except OSError:
            raise CommandError("The mapping file cannot be read. Check its path.") from None
        with _bar() as bar:
            tasks = {
                versions.READING: bar.add_task("Reading and checking", total=None),
                versions.WRITING: bar.add_task("Sorting and sealing", total=None),
            }
            try:
                loading = versions.ingest(
                    dataset=dataset,
                    file=options["file"],
                    mapping=mapping,
                    by=user,
                    at=timezone.now(),
                    via=Via.COMMAND,
                    progress=lambda phase, done, total: bar.update(
                        tasks[phase], completed=done, total=total
                    ),
                )
            except (SaysoError, PermissionDenied) as error:
                raise CommandError(str(error)) from None
        self._tell(loading)

    def _tell(self, loading: versions.Loading) -> None:
        version = loading.version
        if not loading.new:
            self.stdout.write(
                f"This file was loaded before with this mapping, as version {version.number} "
                f"({version.ref}). Nothing changed."
            )
            return
        self.stdout.write(
            f"Version {version.number} ({version.ref}): {version.rows} rows about "
            f"{version.people} people, {version.rejected} rows refused."
        )
        if loading.report:
            self.stdout.write(f"Report of refused rows: {settings.SAYSO_DATA / loading.report}")


def _dataset(word: str) -> Dataset:
    found = Dataset.objects.select_related("holder")
    dataset = found.filter(name=word).first() or found.filter(ref=word).first()
    if dataset is None:
        raise CommandError("There is no dataset of that name.")
    return dataset


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
