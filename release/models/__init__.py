"""Facts about what is stored sealed, what was prepared, and what left."""

from release.models.releases import (
    Download,
    Lease,
    Release,
    ReleasePart,
    Sending,
    Use,
    Withheld,
)
from release.models.uploads import Upload
from release.models.versions import DatasetVersion, Presence, StoredPart, VersionColumn

__all__ = [
    "DatasetVersion",
    "Download",
    "Lease",
    "Presence",
    "Release",
    "ReleasePart",
    "Sending",
    "StoredPart",
    "Upload",
    "Use",
    "VersionColumn",
    "Withheld",
]
