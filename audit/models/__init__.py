from audit.models.entries import Entry
from audit.models.journal import JournalDigest, JournalWaiting, LogEntry
from audit.models.tree import Checkpoint, Node

__all__ = ["Checkpoint", "Entry", "JournalDigest", "JournalWaiting", "LogEntry", "Node"]
