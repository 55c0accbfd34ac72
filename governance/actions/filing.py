"""Every no is also kept in the sealed file of noes, right after its transaction.

A no is never refused because the file cannot be written: it counts, it waits here, and nothing
leaves until the file has it (ADR 9).
"""

import json
import logging
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from audit import queries as audit
from audit.queries import key_ring
from audit.tlog.checkpoints import open_checkpoint
from audit.tlog.texts import Malformed, Unproven
from audit.vocabulary import EntryType, Via
from common.errors import BadInput, NotReady, RuleBroken
from governance import permissions
from governance.actions import trail
from governance.models import KeptNo, User
from governance.queries import noes
from governance.storage import noes_file, packed
from governance.vocabulary import Closing, Narrowing

log = logging.getLogger(__name__)
BATCH = 500


def keep(
    *, act: Narrowing | Closing, at: datetime, told: Sequence[dict[str, Any]], **whom: Any
) -> KeptNo:
    """Write down, in the no's own transaction, what the file will hold of it."""
    facts = {"version": 1, "act": str(act), "at": at.isoformat(), "told": list(told), **whom}
    text = json.dumps(facts, separators=(",", ":"), sort_keys=True, default=str).encode()
    return KeptNo.objects.create(
        mark=secrets.token_bytes(16), act=act, said_at=at, facts=packed(text)
    )


def file(kept: KeptNo) -> None:
    """Append one no, before it is acknowledged. Where it cannot be, the no waits and counts."""
    try:
        noes_file().append([(bytes(kept.mark), bytes(kept.facts))], key_ring().noes_recipient)
    except NotReady as reason:
        log.error("a no waits for its file: %s", reason.code)  # noqa: TRY400 - the code says it
    except Exception as error:  # noqa: BLE001 - it has been said: nothing may stop its answer
        log.error("a no waits for its file: %s", type(error).__name__)  # noqa: TRY400


def file_waiting() -> int:
    """File what waits, and note what stands in the file; gives how many noes were noted.

    Called by the clock, and by the gate where something waits. Twice in the file is once too often
    and harmless. Raises NotReady where the file cannot be read or written.
    """
    noted = 0
    while waiting := list(KeptNo.objects.filter(filed_in="").order_by("pk")[:BATCH]):
        seen = noes.view()
        lost = [each for each in waiting if bytes(each.mark) not in seen.marks]
        if lost:
            pairs = [(bytes(each.mark), bytes(each.facts)) for each in lost]
            noes_file().append(pairs, key_ring().noes_recipient)
            seen = noes.view()
        noes_file().settle()  # a line whose writer was killed may not be on the disk yet
        keys = [each.pk for each in waiting]
        noted += KeptNo.objects.filter(pk__in=keys, filed_in="").update(filed_in=seen.file)
    return noted


def write_anew(slot: int) -> int:
    """The file holds of this person's noes what the database does; gives how many it wrote anew.

    Part of shredding, whose deed leaves the entry. Raises NotReady where it cannot be written.
    """
    pairs = [(bytes(each.mark), bytes(each.facts)) for each in noes.about(slot)]
    return noes_file().rewrite(pairs, key_ring().noes_recipient) if pairs else 0


def begin_anew(*, checkpoint: str, by: User, at: datetime, via: Via) -> int:
    """The file of noes is lost: one more is made of what this database knows; gives how many.

    `checkpoint` is the last signed checkpoint of the log that somebody outside has kept: the log
    here must reach it, or later noes are missing. Raises NotPermitted unless `by` convenes; BadInput
    where it is no checkpoint of this log; RuleBroken where the log does not reach it, or the file
    holds noes that are not known here. The lost file, or what is left of it, is put aside.
    """
    permissions.check_can_convene(by)
    size = _reached(checkpoint)
    if _unknown():
        raise RuleBroken("noes_unknown", "The file holds noes not known here: replay them first.")
    path = noes_file().path
    try:
        if path.exists():
            path.rename(path.with_name(f"{path.name}.{secrets.token_hex(4)}.aside"))
    except OSError as error:
        raise NotReady("noes_unwritable", "The lost file cannot be put aside.") from error
    done, after = 0, 0
    while batch := list(KeptNo.objects.filter(pk__gt=after).order_by("pk")[:BATCH]):
        pairs = [(bytes(each.mark), bytes(each.facts)) for each in batch]
        name = noes_file().append(pairs, key_ring().noes_recipient)
        KeptNo.objects.filter(pk__in=[each.pk for each in batch]).update(filed_in=name)
        done, after = done + len(batch), batch[-1].pk
    with transaction.atomic():
        trail.record(
            type=EntryType.LOG_VERIFIED,
            by=by,
            at=at,
            via=via,
            resource=f"checkpoint/{size}",
            reason="noes-anew",
        )
    return done


def _unknown() -> bool:
    try:
        return bool(noes.reckoning().unknown)
    except NotReady:
        return False  # nothing in it can be read: it is lost, and the checkpoint is what is left


def _reached(checkpoint: str) -> int:
    try:
        head = open_checkpoint(
            checkpoint, origin=settings.LOG_ORIGIN, verifiers=audit.log_verifiers()
        )
    except (Malformed, Unproven) as error:
        raise BadInput("checkpoint", f"This is no checkpoint of this log. {error}") from error
    if head.size > audit.log_size():
        raise RuleBroken(
            "checkpoint_ahead",
            "The log here does not reach this checkpoint: it was restored from an older copy.",
        )
    if audit.root_at(head.size) != head.root:
        raise RuleBroken("checkpoint_other", "The log here is another one than this checkpoint's.")
    return head.size
