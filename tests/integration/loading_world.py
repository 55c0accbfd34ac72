"""A holder with one empty dataset and its steward, and readers of what was loaded."""

import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.utils import timezone

from audit.vocabulary import Via
from common.keyring import KeyRing
from governance.actions import boards, catalogue, memberships, organisations, people
from governance.models import Dataset, Organisation, User
from governance.vocabulary import OrganisationKind, Role, UserKind
from release import storage
from release.actions import versions
from release.models import DatasetVersion

PASSWORD = "a long phrase for tests 41"
MAPPING = """
reject_share = {share}
[person]
columns = ["client"]
[record]
date = "day"
[[field]]
column = "words"
name = "words"
type = "text"
category = "about-me"
sensitivity = "quasi"
[[field]]
column = "kind"
name = "kind"
type = "code"
codes = ["a", "b"]
category = "about-me"
sensitivity = "quasi"
[[field]]
column = "many"
name = "many"
type = "codes"
codes = ["x", "y", "z"]
category = "about-me"
sensitivity = "quasi"
[[field]]
column = "count"
name = "count"
type = "integer"
minimum = -9223372036854775808
maximum = 9223372036854775807
category = "about-me"
sensitivity = "quasi"
[[field]]
column = "size"
name = "size"
type = "decimal"
category = "about-me"
sensitivity = "quasi"
[[field]]
column = "since"
name = "since"
type = "date"
category = "case-steps"
sensitivity = "process"
[[field]]
column = "open"
name = "open"
type = "boolean"
category = "case-steps"
sensitivity = "process"
"""
HEADER = "client,day,words,kind,many,count,size,since,open"


@dataclass
class World:
    """Who is there, and where files for loading may lie."""

    at: datetime
    chair: User
    steward: User
    holder: Organisation
    dataset: Dataset
    folder: Path

    def load(self, data: bytes, *, mapping: str = "", share: float = 0, **given: Any) -> Any:
        """Load these bytes as a file; without a mapping under `MAPPING`."""
        path = self.folder / "given.dat"
        path.write_bytes(data)
        return self.load_file(path, mapping=mapping, share=share, **given)

    def load_file(
        self, path: Path, *, mapping: str = "", share: float = 0, **given: Any
    ) -> versions.Loading:
        text = mapping or MAPPING.replace("{share}", str(share))
        return versions.ingest(
            **{
                "dataset": self.dataset,
                "file": path,
                "mapping": text.encode(),
                "by": self.steward,
                "at": self.at,
                "via": Via.COMMAND,
                **given,
            }
        )


CATEGORY = """
[[category]]
code = "{code}"
label_en = "{code}"
label_es = "{code}"
description_en = "{code}"
description_es = "{code}"
"""
CATEGORIES = ("about-me", "case-steps", "how-it-happened", "papers-and-status", "what-happened")
SMALL_SHEET = 'field = []\n[catalogue]\ncode = "small"\nversion = "1"\n' + "".join(
    CATEGORY.format(code=code) for code in CATEGORIES
)


def build(folder: Path, *, standard: Path | None = None) -> World:
    """The world; `standard` is the folder of a whole field catalogue, where a small one won't do."""
    at = timezone.now()
    if standard is None:
        standard = folder / "catalogue"
        standard.mkdir()
        (standard / "htcds-2.0.toml").write_text(SMALL_SHEET)
        (standard / "purposes.toml").write_text("purpose = []\n")
    chair = people.create_first_administrator(
        username="north-hazel-7",
        password=PASSWORD,
        organisation_name="Commons",
        at=at,
        via=Via.COMMAND,
    )
    who: dict[str, Any] = {"by": chair, "at": at, "via": Via.COMMAND}
    catalogue.load_standard(folder=standard, **who)
    board = boards.create(name="Commons board", **who)
    kind = OrganisationKind.SERVICE_PROVIDER
    holder = organisations.create(name="River", kind=kind, **who)
    warden = people.create_user(username="river-birch-1", kind=UserKind.STAFF, **who)
    steward = people.create_user(username="river-maple-41", kind=UserKind.STAFF, **who)
    memberships.grant(user=warden, organisation=holder, role=Role.ADMINISTRATOR, **who)
    own = {**who, "by": warden}
    memberships.grant(user=steward, organisation=holder, role=Role.STEWARD, **own)
    dataset = catalogue.create_dataset(
        name="cases", title="Cases", holder=holder, board=board, **{**who, "by": steward}
    )
    return World(at, chair, steward, holder, dataset, folder)


def parts(version: DatasetVersion) -> list[pa.Table]:
    """The sealed parts of a version, opened with the holder's key."""
    identity = KeyRing(settings.SAYSO_KEYS).identity(version.dataset.holder.ref)
    return [
        pq.read_table(io.BytesIO(storage.unseal(storage.store().open(part.name), identity)))
        for part in version.parts.order_by("number")
    ]


def rows(version: DatasetVersion) -> list[dict[str, Any]]:
    return [row for part in parts(version) for row in part.to_pylist()]


def stored() -> list[str]:
    """Everything that lies in the data folder."""
    folder = Path(settings.SAYSO_DATA)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
