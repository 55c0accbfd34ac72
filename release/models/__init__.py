"""Facts about what is stored sealed, what was prepared, and what left."""

from release.models.beats import Beat
from release.models.inquiries import Inquiry
from release.models.recalls import Recall, Recalled, RecallStep, RecallWatch
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
from release.models.versions import (
    DatasetVersion,
    Presence,
    Resealing,
    StoredPart,
    VersionColumn,
)

__all__ = [
    "Beat",
    "DatasetVersion",
    "Download",
    "Inquiry",
    "Lease",
    "Presence",
    "Recall",
    "RecallStep",
    "RecallWatch",
    "Recalled",
    "Release",
    "ReleasePart",
    "Resealing",
    "Sending",
    "StoredPart",
    "Upload",
    "Use",
    "VersionColumn",
    "Withheld",
]
