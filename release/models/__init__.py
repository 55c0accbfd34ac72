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
from release.models.versions import (
    DatasetVersion,
    Presence,
    Resealing,
    StoredPart,
    VersionColumn,
)

__all__ = [
    "DatasetVersion",
    "Download",
    "Lease",
    "Presence",
    "Release",
    "ReleasePart",
    "Resealing",
    "Sending",
    "StoredPart",
    "Use",
    "VersionColumn",
    "Withheld",
]
