"""Keys are rotated: what wraps an organisation's or the service's keys, and what signs the log.

Each deed may be broken off anywhere and done again: it goes on where it was, the former key is kept
until the new one is in use everywhere, and one entry says so.
"""

from datetime import datetime
from hashlib import sha256

from django.conf import settings

from audit import queries as log
from audit.actions import settle
from audit.tlog.notes import Signer
from audit.vocabulary import EntryType, Via
from common.errors import BadInput
from common.inputs import Text, taking
from common.keyfolder import SERVICE
from common.words import sentence as _
from governance import permissions
from governance.actions import rotated
from governance.models import Organisation, User

RECIPIENT = Text(most=80, least=1, name=_("Public key"))


def rewrap(*, organisation: Organisation | None, by: User, at: datetime, via: Via) -> str:
    """Everything that hangs on one key-encryption key hangs on its next one; says which.

    Without an organisation: the service's own. Raises NotPermitted unless `by` administers it or
    convenes; NotReady where a key is not there or cannot be written.
    """
    permissions.check_can_keep_keys(by, organisation)
    ring, name = log.key_ring(), organisation.ref if organisation else SERVICE
    wrapped_by = ring.rewrap(name)
    rotated.written_once(f"{name}/kek-{wrapped_by}", "wrapping", by=by, at=at, via=via)
    ring.finish_rewrap(name)
    return wrapped_by


def renew_log_key(*, by: User, at: datetime, via: Via) -> str:
    """The log is signed with a new key; the former one has signed the entry that names it.

    Gives the new verifier key. What was signed before is checked with the former public keys, which
    are kept. Raises NotPermitted unless `by` convenes; NotReady where the log cannot sign now.
    """
    permissions.check_can_keep_keys(by, None)
    ring = log.key_ring()
    verifier = Signer(settings.LOG_ORIGIN, ring.begin_log()).verifier
    rotated.written_once(
        f"log/{verifier.key_id.hex()}",
        "log",
        by=by,
        at=at,
        via=via,
        detail_commit=sha256(verifier.render().encode()).hexdigest(),
    )
    entry = log.entry_about(EntryType.KEY_ROTATED, f"log/{verifier.key_id.hex()}")
    if entry is not None:
        settle(entry=entry)  # under the former key: whoever trusts that one can follow to this one
    ring.finish_log()
    return verifier.render()


@taking(public=RECIPIENT)
def drop_backup_recipient(*, public: str, by: User, at: datetime, via: Via) -> list[str]:
    """From now on no backup is sealed to this public key; gives those who still open them.

    Raises NotPermitted unless `by` convenes; BadInput where no backup is sealed to it; NotReady
    where nobody would be left.
    """
    permissions.check_can_keep_keys(by, None)
    ring = log.key_ring()
    before = [str(each) for each in ring.backup_recipients()]
    if public not in before:
        raise BadInput("backup_recipient", _("No backup is sealed to this public key."))
    kept = [each for each in before if each != public]
    if kept:  # said first: nobody is taken off unheard of
        signs = "-".join(rotated.sign_of(" ".join(each)) for each in (before, kept))
        rotated.written_once(f"backups/{signs}", "backup", by=by, at=at, via=via)
    ring.keep_backup_recipients(kept)
    return kept


def told_second_factors(*, by: User, at: datetime, via: Via) -> None:
    """Whoever keeps second factors has sealed all of them under the present secret of the service.

    Raises NotPermitted unless `by` convenes.
    """
    permissions.check_can_keep_keys(by, None)
    sign = sha256(b"sayso secret key" + settings.SECRET_KEY.encode()).hexdigest()[:16]
    rotated.written_once(f"second-factors/{sign}", "second-factors", by=by, at=at, via=via)
