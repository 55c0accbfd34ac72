from audit.actions.entries import record, record_journal
from audit.actions.feeding import await_quorum, feed
from audit.actions.sequencing import check_head, sequence, settle

__all__ = [
    "await_quorum",
    "check_head",
    "feed",
    "record",
    "record_journal",
    "sequence",
    "settle",
]
