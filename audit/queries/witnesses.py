"""What witnesses have signed, which heads enough of them did, and how each of them does."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.conf import settings

from audit.models import Checkpoint, Cosignature, Entry, WitnessFault, WitnessState
from audit.queries.log import checkpoint_over, latest_checkpoint, proof_under
from audit.tlog.notes import Signature, parse_note
from audit.tlog.policy import NONE, Policy, Witness
from audit.vocabulary import WitnessTrouble
from common.errors import NotReady
from common.words import sentence as _

LOOK_BACK = 2000  # cosignatures among which the latest head with enough of them is looked for


@dataclass(frozen=True)
class Standing:
    """How one witness does: the largest size it signed, and what is the matter."""

    name: str
    size: int
    trouble: WitnessTrouble
    faults: int


def policy() -> Policy:
    """Whose cosignatures count here; nobody's where none is set."""
    found: Policy = settings.WITNESSES
    return found


def label(witness: Witness) -> str:
    """What a witness's key is known by: its name and its key's id."""
    return f"{witness.cosigner.name}+{witness.cosigner.key_id.hex()}"


def note_with(checkpoint: Checkpoint) -> str:
    """The checkpoint's note with every cosignature that came since."""
    rows = Cosignature.objects.filter(size=checkpoint.size).order_by("name", "key_id")
    return checkpoint.note + "".join(_signature(row).line() for row in rows)


def witnessed_head() -> Checkpoint | None:
    """The largest head that enough witnesses signed; the largest of all while there is none."""
    return _largest_with_enough() or latest_checkpoint()


def head_over(place: int) -> Checkpoint:
    """The largest head that enough witnesses signed, where it holds the entry of this number, and
    the latest one otherwise; `NotReady` while nothing is signed."""
    found = witnessed_head()
    if found is not None and found.size <= place:
        found = latest_checkpoint()
    if found is None:
        raise NotReady("log_empty", _("The log has not signed anything yet."))
    return found


def waits_since() -> datetime | None:
    """Since when a head of the log waits for enough witnesses; None where none does."""
    held = _largest_with_enough()
    waiting = Checkpoint.objects.filter(size__gt=held.size if held else 0).order_by("size")
    return waiting.values_list("signed_at", flat=True).first()


def _largest_with_enough() -> Checkpoint | None:
    if policy().quorum == NONE:
        return latest_checkpoint()
    for size, rows in _by_size(Cosignature.objects.order_by("-size")[:LOOK_BACK]):
        checkpoint = Checkpoint.objects.filter(size=size).first()
        if checkpoint is not None and _enough(checkpoint, rows):
            return checkpoint
    return None


def witnessed_over(entry: Entry) -> Checkpoint | None:
    """The first head over this entry that enough witnesses signed; each signature is checked anew."""
    if policy().quorum == NONE:
        return checkpoint_over(entry)
    seq = Entry.objects.values_list("seq", flat=True).get(pk=entry.pk)
    if seq is None:
        return None
    rows = Cosignature.objects.filter(size__gt=seq).order_by("size")[:LOOK_BACK]
    for size, signed in _by_size(rows):
        checkpoint = Checkpoint.objects.filter(size=size).first()
        if checkpoint is not None and _enough(checkpoint, signed):
            return checkpoint
    return None


def proof(entry: Entry) -> str:
    """The entry's proof as a `.tlog-proof` text; `NotReady` while no checkpoint holds it.

    Under the first head that enough witnesses signed, with their cosignatures; under the first head
    that holds it while there is none such. The leaf itself goes along as extra data, so that
    whoever has the proof needs nothing else.
    """
    checkpoint = witnessed_over(entry) or checkpoint_over(entry)
    if checkpoint is None:
        raise NotReady("log_not_ready", _("This entry is not under a signed checkpoint yet."))
    return proof_under(entry, checkpoint.size, note_with(checkpoint))


def standings() -> list[Standing]:
    """Each witness of the policy that has an address, in the policy's order."""
    states = {state.name: state for state in WitnessState.objects.all()}
    found = []
    for witness in policy().witnesses.values():
        if witness.url:
            name = label(witness)
            state = states.get(name)
            found.append(
                Standing(
                    name,
                    state.size if state else 0,
                    WitnessTrouble(state.trouble) if state else WitnessTrouble.WELL,
                    WitnessFault.objects.filter(name=name).count(),
                )
            )
    return found


def _enough(checkpoint: Checkpoint, rows: Iterable[Cosignature]) -> bool:
    text = parse_note(checkpoint.note).text
    found = policy()
    return found.satisfied(found.signed_by(text, [_signature(row) for row in rows]))


def _by_size(rows: Iterable[Cosignature]) -> Iterator[tuple[int, list[Cosignature]]]:
    for size, signed in groupby(rows, key=lambda row: row.size):
        yield size, list(signed)


def _signature(row: Cosignature) -> Signature:
    return Signature(row.name, bytes(row.key_id), bytes(row.signature))
