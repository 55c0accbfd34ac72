from audit.models.details import Detail
from audit.models.entries import Entry
from audit.models.journal import JournalDigest, JournalWaiting, LogEntry
from audit.models.tree import Checkpoint, Node
from audit.models.witnesses import Cosignature, WitnessFault, WitnessState

__all__ = [
    "Checkpoint",
    "Cosignature",
    "Detail",
    "Entry",
    "JournalDigest",
    "JournalWaiting",
    "LogEntry",
    "Node",
    "WitnessFault",
    "WitnessState",
]
