"""The words of the log."""

from django.db.models import TextChoices


class EntryType(TextChoices):
    """What happened, as `subject:action`."""

    CONSENT_REQUESTED = "consent:requested"
    CONSENT_DEFERRED = "consent:deferred"
    CONSENT_GIVEN = "consent:given"
    CONSENT_RENEWED = "consent:renewed"
    CONSENT_NARROWED = "consent:narrowed"
    CONSENT_PAUSED = "consent:paused"
    CONSENT_RESUMED = "consent:resumed"
    CONSENT_REFUSED = "consent:refused"
    CONSENT_WITHDRAWN = "consent:withdrawn"
    CONSENT_EXPIRED = "consent:expired"
    CONSENT_INVALIDATED = "consent:invalidated"
    CONSENT_SUPERSEDED = "consent:superseded"
    CONSENT_IMPORTED = "consent:imported"
    CONSENT_SIGNED = "consent:signed"
    CONSENT_CANCELLED = "consent:cancelled"
    CONSENT_LAPSED = "consent:lapsed"

    OBJECTION_MADE = "objection:made"
    OBJECTION_NARROWED = "objection:narrowed"
    OBJECTION_LIFTED = "objection:lifted"
    OBJECTION_LIFTING = "objection:lifting"
    OBJECTION_KEPT = "objection:kept"

    TERMS_PUBLISHED = "terms:published"
    TERMS_RETIRED = "terms:retired"

    SUBJECT_ENROLLED = "subject:enrolled"
    SUBJECT_LINKED = "subject:linked"
    SUBJECT_UNLINKED = "subject:unlinked"
    SUBJECT_TAGGED = "subject:tagged"
    SUBJECT_RESTRICTED = "subject:restricted"
    SUBJECT_ASSIGNED = "subject:assigned"
    SUBJECT_TRANSFERRED = "subject:transferred"
    SUBJECT_READ = "subject:read"
    WORKER_BLOCKED = "worker:blocked"
    WORKER_UNBLOCKED = "worker:unblocked"
    STOP_CHECKED = "stop:checked"
    REPRESENTATIVE_NAMED = "representative:named"
    REPRESENTATIVE_FLAGGED = "representative:flagged"
    REPRESENTATIVE_ENDED = "representative:ended"
    QUESTION_ASKED = "question:asked"
    QUESTION_ANSWERED = "question:answered"
    QUESTION_ERASED = "question:erased"
    CORRECTION_ASKED = "correction:asked"
    CORRECTION_DECIDED = "correction:decided"

    ORGANISATION_CREATED = "organisation:created"
    ORGANISATION_CHANGED = "organisation:changed"
    USER_CREATED = "user:created"
    USER_CHANGED = "user:changed"
    USER_ENDED = "user:ended"
    MEMBERSHIP_GRANTED = "membership:granted"
    MEMBERSHIP_ENDED = "membership:ended"
    INVITATION_MADE = "invitation:made"
    INVITATION_WITHDRAWN = "invitation:withdrawn"
    INVITATION_ACCEPTED = "invitation:accepted"
    RESET_ASKED = "reset:asked"
    RESET_AGREED = "reset:agreed"
    RESET_WITHDRAWN = "reset:withdrawn"
    RESET_USED = "reset:used"
    TOKEN_ISSUED = "token:issued"  # noqa: S105 - a word of the log, not a password
    TOKEN_REVOKED = "token:revoked"  # noqa: S105 - a word of the log, not a password
    SIGNIN_FAILED = "signin:failed"

    CATALOGUE_LOADED = "catalogue:loaded"
    CATEGORY_VERSIONED = "category:versioned"
    CATEGORY_RESTRICTED = "category:restricted"
    PURPOSE_CHANGED = "purpose:changed"
    FIELD_CLASSIFIED = "field:classified"
    DATASET_CREATED = "dataset:created"
    DATASET_INGESTED = "dataset:ingested"
    DATASET_REJECTED = "dataset:rejected"
    DATASET_PAUSED = "dataset:paused"
    DATASET_RESUMED = "dataset:resumed"
    DATASET_RETIRED = "dataset:retired"
    DATASET_RELEASED = "dataset:released"
    DATASET_REFUSED = "dataset:refused"

    AGREEMENT_DRAFTED = "agreement:drafted"
    AGREEMENT_SIGNED = "agreement:signed"
    AGREEMENT_NARROWED = "agreement:narrowed"
    AGREEMENT_SUSPENDED = "agreement:suspended"
    AGREEMENT_RESUMED = "agreement:resumed"
    AGREEMENT_ENDED = "agreement:ended"

    BOARD_CHARTERED = "board:chartered"
    SEAT_FILLED = "seat:filled"
    SEAT_ENDED = "seat:ended"
    BALLOT_CAST = "ballot:cast"
    BALLOT_RECUSED = "ballot:recused"

    REQUEST_DRAFTED = "request:drafted"
    REQUEST_SUBMITTED = "request:submitted"
    REQUEST_DECIDED = "request:decided"
    REQUEST_PAUSED = "request:paused"
    REQUEST_WITHDRAWN = "request:withdrawn"
    REQUEST_LAPSED = "request:lapsed"
    REQUEST_ENDED = "request:ended"

    RELEASE_ASKED = "release:asked"
    RELEASE_PREPARED = "release:prepared"
    RELEASE_REFUSED = "release:refused"
    RELEASE_VOIDED = "release:voided"
    RELEASE_COMPELLED = "release:compelled"
    RELEASE_COUNTED = "release:counted"
    INQUIRY_ANSWERED = "inquiry:answered"
    DOWNLOAD_GIVEN = "download:given"
    DOWNLOAD_REFUSED = "download:refused"
    DOWNLOAD_STOPPED = "download:stopped"
    RECALL_OPENED = "recall:opened"
    RECALL_ACKNOWLEDGED = "recall:acknowledged"
    RECALL_REPORTED = "recall:reported"
    RECALL_OVERDUE = "recall:overdue"

    KEY_REGISTERED = "key:registered"
    KEY_ROTATED = "key:rotated"
    KEY_ENDED = "key:ended"
    SHREDDING_ASKED = "shredding:asked"
    SHREDDING_AGREED = "shredding:agreed"
    SHREDDING_CALLED_OFF = "shredding:halted"
    KEY_SHREDDED = "key:shredded"
    HOLD_PLACED = "hold:placed"
    HOLD_LIFTED = "hold:lifted"

    SPEAKER_RECORDED = "speaker:recorded"
    SPEAKER_ENDED = "speaker:ended"
    SPEAKER_STOPPED = "speaker:stopped"
    SPEAKER_FLAGGED = "speaker:flagged"
    SPEAKER_REFUSED = "speaker:refused"
    MINORITY_RECORDED = "minority:recorded"
    DISPUTE_REPORTED = "dispute:reported"
    DISPUTE_RESOLVED = "dispute:resolved"
    DEATH_REPORTED = "death:reported"
    DEATH_AGREED = "death:agreed"
    DEATH_TAKEN_BACK = "death:halted"

    LOG_READ = "log:read"
    LOG_SEARCHED = "log:searched"
    LOG_EXPORTED = "log:exported"
    LOG_VERIFIED = "log:verified"
    JOURNAL_CHANGED = "journal:changed"
    FINDING_OPENED = "finding:opened"
    FINDING_ANSWERED = "finding:answered"
    FINDING_CLOSED = "finding:closed"
    CASE_OPENED = "case:opened"
    CASE_CLOSED = "case:closed"
    HANDLE_ISSUED = "handle:issued"
    SEARCH_SAVED = "search:saved"
    MEMBERSHIP_REVIEWED = "membership:reviewed"
    WORKSHEET_DRAWN = "worksheet:drawn"
    WORKSHEET_CHECKED = "worksheet:checked"


class Via(TextChoices):
    """Through which door it came."""

    PORTAL = "portal"
    DESK = "desk"
    API = "api"
    TASK = "task"
    COMMAND = "command"


class Decision(TextChoices):
    """How it ended: a deed that was done, an asking that was permitted or refused."""

    DONE = "done"
    PERMITTED = "permitted"
    REFUSED = "refused"


class Burst(TextChoices):
    """What the failed sign-ins of one burst have in common; the reason of its entry."""

    ONE_ACCOUNT = "one-account"
    ONE_ADDRESS = "one-address"
    MANY = "many"


class WitnessTrouble(TextChoices):
    """How a witness answered last. The last four are kept as facts: they are its fault or ours."""

    WELL = "well"
    UNREACHABLE = "unreachable"
    UNKNOWN_LOG = "unknown-log"
    UNTRUSTED_KEY = "untrusted-key"
    BUSY = "busy"
    MALFORMED = "malformed"  # an answer that the protocol does not know
    FALSE = "false"  # a cosignature that is not over what was sent
    HOLDS_MORE = "holds-more"  # it has signed a larger log under our key: ours was cut, or forked
    DOES_NOT_GO_ON = (
        "does-not-go-on"  # it has signed a log under our key that ours does not go on from
    )


PERSON = "person"
"""The actor of every entry that a survivor caused."""

SYSTEM = "system"
"""The actor where no user caused the entry."""

DETAILED = frozenset(
    {
        *(EntryType.SHREDDING_ASKED, EntryType.HOLD_PLACED, EntryType.BALLOT_CAST),
        *(EntryType.SPEAKER_RECORDED, EntryType.DEATH_REPORTED),
        *(EntryType.CORRECTION_ASKED, EntryType.CORRECTION_DECIDED),
        *(EntryType.FINDING_OPENED, EntryType.FINDING_ANSWERED, EntryType.FINDING_CLOSED),
        *(EntryType.CASE_OPENED, EntryType.MEMBERSHIP_REVIEWED),
        *(EntryType.REQUEST_SUBMITTED, EntryType.REQUEST_DECIDED),
        *(each for each in EntryType if each.startswith(("consent:", "objection:"))),
    }
)
"""Where an entry of these types commits to something, it is to the detail beside it: without that
something is gone."""

LARGEST_DETAIL = 8192
"""The most bytes a sealed detail may have."""

LARGEST_LEAF = 4096
"""The most bytes an entry's leaf may have."""

LARGEST_EPOCH = 2**53 - 1
"""The largest whole number that canonical JSON holds exactly."""
