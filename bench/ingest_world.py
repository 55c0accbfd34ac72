"""What bench/ingest.py loads into: imported once Django is set up."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from audit.vocabulary import Via
from common.keyring import KeyRing
from governance.actions import boards, catalogue, memberships, organisations, people
from governance.models import Dataset, User
from governance.vocabulary import OrganisationKind, Role, UserKind
from release import storage
from release.actions import versions
from release.models import DatasetVersion

STEWARD = "river-maple-41"


def build() -> None:
    """One holder, one dataset, one steward."""
    call_command("migrate", verbosity=0)
    at = timezone.now()
    chair = people.create_first_administrator(
        username="north-hazel-7",
        password="a long phrase for the benchmark 41",  # noqa: S106 - of a database that is thrown away
        organisation_name="Commons",
        at=at,
        via=Via.COMMAND,
    )
    who = {"by": chair, "at": at, "via": Via.COMMAND}
    catalogue.load_standard(**who)
    board = boards.create(name="Commons board", **who)
    kind = OrganisationKind.SERVICE_PROVIDER
    holder = organisations.create(name="River", kind=kind, **who)
    warden = people.create_user(username="river-birch-1", kind=UserKind.STAFF, **who)
    steward = people.create_user(username=STEWARD, kind=UserKind.STAFF, **who)
    memberships.grant(user=warden, organisation=holder, role=Role.ADMINISTRATOR, **who)
    memberships.grant(user=steward, organisation=holder, role=Role.STEWARD, **{**who, "by": warden})
    catalogue.create_dataset(
        name="cases", title="Cases", holder=holder, board=board, **{**who, "by": steward}
    )


def load(folder: Path) -> None:
    """The file in the folder, through the same action the command calls."""
    versions.ingest(
        dataset=Dataset.objects.select_related("holder").get(),
        file=folder / "cases.csv",
        mapping=(folder / "mapping.toml").read_bytes(),
        by=User.objects.get(username=STEWARD),
        at=timezone.now(),
        via=Via.COMMAND,
    )


def parts() -> Iterator[bytes]:
    """The version's parts, opened with the holder's key."""
    version = DatasetVersion.objects.select_related("dataset__holder").get()
    identity = KeyRing(settings.SAYSO_KEYS).identity(version.dataset.holder.ref)
    for part in version.parts.order_by("number"):
        yield storage.unseal(storage.store().open(part.name), identity)
