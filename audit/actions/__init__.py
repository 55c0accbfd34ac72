from audit.actions.entries import record, record_journal
from audit.actions.sequencing import check_head, sequence, settle

__all__ = ["check_head", "record", "record_journal", "sequence", "settle"]
