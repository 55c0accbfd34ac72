"""Why nothing, or nothing of some, leaves at present: for `/readyz`, the doctor and the desk."""

from collections.abc import Iterator
from dataclasses import dataclass

from audit import queries as log
from common.errors import NotReady
from governance.models import Dataset
from governance.queries import noes


@dataclass(frozen=True)
class Reason:
    """`code` is stable; `holder` is the reference of whom it is about, empty where it is about all."""

    code: str
    message: str
    holder: str = ""


def reasons() -> list[Reason]:
    """Everything that keeps releases waiting: first what shuts the gate, then holders without keys.

    Empty: ready. Reads only; asks every holder's key agent once.
    """
    return [*_shut(), *_without_keys()]


def shut() -> Reason | None:
    """Why the gate is shut for everybody, or None."""
    return next(_shut(), None)


def _shut() -> Iterator[Reason]:
    against = noes.against()
    if against is not None:
        yield Reason(against.code, against.message)
    try:
        log.key_ring().log_seed()
    except NotReady as reason:
        yield Reason(reason.code, reason.message)


def _without_keys() -> Iterator[Reason]:
    for ref in (
        Dataset.objects.order_by("holder__ref").values_list("holder__ref", flat=True).distinct()
    ):
        missing = holder_key(ref)
        if missing is not None:
            yield missing


def holder_key(ref: str) -> Reason | None:
    """Why a holder's rows cannot be opened now, or None where they can."""
    try:
        log.key_ring().identities(ref)
    except NotReady as reason:
        return Reason(reason.code, reason.message, ref)
    return None
