"""Rows of what is stored, prepared and handed over."""

from typing import Any

from release.models import (
    DatasetVersion,
    Download,
    Inquiry,
    Lease,
    Presence,
    Recall,
    Recalled,
    RecallStep,
    RecallWatch,
    Release,
    ReleasePart,
    Resealing,
    Sending,
    StoredPart,
    Upload,
    Use,
    VersionColumn,
    Withheld,
)
from tests.factories.audit import entry
from tests.factories.governance import (
    HEX,
    LATER,
    START,
    access_request,
    category,
    data_field,
    dataset,
    digest,
    numbers,
    recipient_key,
    user,
)


def dataset_version(**given: Any) -> DatasetVersion:
    return DatasetVersion.objects.create(
        **{
            "dataset": given.get("dataset") or dataset(),
            "number": next(numbers),
            "source_sha256": digest(),
            "mapping_sha256": HEX,
            "rows": 3,
            "rejected": 0,
            "people": 2,
            "loaded_by": given.get("loaded_by") or user(),
            "loaded_at": START,
            "entry": given.get("entry") or entry(type="dataset:ingested"),
            **given,
        }
    )


def version_column(**given: Any) -> VersionColumn:
    return VersionColumn.objects.create(
        **{
            "version": given.get("version") or dataset_version(),
            "field": given.get("field") or data_field(),
            **given,
        }
    )


def stored_part(**given: Any) -> StoredPart:
    n = next(numbers)
    return StoredPart.objects.create(
        **{
            "version": given.get("version") or dataset_version(),
            "number": n,
            "name": f"parts/{n}.age",
            "rows": 3,
            "size": 500,
            "sha256": HEX,
            **given,
        }
    )


def resealing(**given: Any) -> Resealing:
    n = next(numbers)
    return Resealing.objects.create(
        **{
            "part": given.get("part") or stored_part(),
            "name": f"parts/anew-{n}.age",
            "size": 500,
            "sha256": HEX,
            "sealed_to": f"age1{n}",
            "sealed_at": START,
            **given,
        }
    )


def presence(**given: Any) -> Presence:
    return Presence.objects.create(
        **{
            "version": given.get("version") or dataset_version(),
            "block": 0,
            "bits": bytes(1024),
            **given,
        }
    )


def release(**given: Any) -> Release:
    asking = given.get("request") or access_request()
    return Release.objects.create(
        **{
            "release_class": "dataset",
            "request": asking,
            "holder": asking.dataset.holder,
            "recipient": asking.requester,
            "purpose": asking.purpose,
            "asked_by": given.get("asked_by") or user(),
            "asked_at": START,
            "format": "parquet",
            **given,
        }
    )


def prepared(**given: Any) -> Release:
    """A release that was answered with a package."""
    return release(
        **{
            "state": "prepared",
            "answered_at": START,
            "entry": given.get("entry") or entry(type="release:prepared"),
            "version": given.get("version") or dataset_version(),
            "key": given.get("key") or recipient_key(),
            "epoch_everyone": 0,
            "epoch_scope": 0,
            "good_until": LATER,
            **given,
        }
    )


def lease(**given: Any) -> Lease:
    return Lease.objects.create(
        **{
            "release": given.get("release") or release(),
            "worker": "worker-1",
            "until": LATER,
            **given,
        }
    )


def release_part(**given: Any) -> ReleasePart:
    n = next(numbers)
    return ReleasePart.objects.create(
        **{
            "release": given.get("release") or prepared(),
            "number": n,
            "name": f"packages/{n}.age",
            "source": 1,
            "rows": 3,
            "size": 500,
            "sha256": HEX,
            "slots": b"",
            **given,
        }
    )


def use(**given: Any) -> Use:
    return Use.objects.create(
        **{
            "release": given.get("release") or prepared(),
            "category": given.get("category") or category(),
            "block": 0,
            "bits": bytes(1024),
            **given,
        }
    )


def withheld(**given: Any) -> Withheld:
    return Withheld.objects.create(
        **{
            "release": given.get("release") or prepared(),
            "ground": "no_consent",
            "block": 0,
            "bits": bytes(1024),
            **given,
        }
    )


def sending(**given: Any) -> Sending:
    return Sending.objects.create(
        **{"download": given.get("download") or download(), "at": START, **given}
    )


def download(**given: Any) -> Download:
    return Download.objects.create(
        **{
            "release": given.get("release") or prepared(),
            "part": "package",
            "by": given.get("by") or user(),
            "at": START,
            "epoch_everyone": 0,
            "epoch_scope": 0,
            "entry": given.get("entry") or entry(type="download:given"),
            **given,
        }
    )


def inquiry(**given: Any) -> Inquiry:
    return Inquiry.objects.create(
        **{
            "request": given.get("request") or access_request(),
            "at": START,
            "permitted": False,
            "grounds": "nobody",
            "entry": given.get("entry") or entry(type="inquiry:answered"),
            **given,
        }
    )


def upload(**given: Any) -> Upload:
    return Upload.objects.create(
        **{
            "dataset": given.get("dataset") or dataset(),
            "mapping": b"x",
            "folder": f"arrivals/{next(numbers)}",
            "pieces": 1,
            "size": 1,
            "sha256": digest(),
            "sent_by": given.get("sent_by") or user(kind="machine"),
            "received_at": START,
            **given,
        }
    )


def recall(**given: Any) -> Recall:
    return Recall.objects.create(
        **{
            "release": given.get("release") or prepared(),
            "people": 1,
            "opened_at": START,
            "due_at": LATER,
            "entry": given.get("entry") or entry(type="recall:opened"),
            **given,
        }
    )


def recalled(**given: Any) -> Recalled:
    return Recalled.objects.create(
        **{
            "recall": given.get("recall") or recall(),
            "block": 0,
            "bits": bytes(1024),
            **given,
        }
    )


def recall_step(**given: Any) -> RecallStep:
    step = given.get("step", "acknowledged")
    return RecallStep.objects.create(
        **{
            "recall": given.get("recall") or recall(),
            "step": step,
            "at": START,
            "by": None if step == "overdue" else given.get("by") or user(),
            "entry": given.get("entry") or entry(type="recall:acknowledged"),
            **given,
        }
    )


def recall_watch(**given: Any) -> RecallWatch:
    return RecallWatch.objects.create(
        **{
            "release": given.get("release") or prepared(),
            "epoch_everyone": 0,
            "epoch_scope": 0,
            "look_at": LATER,
            **given,
        }
    )
