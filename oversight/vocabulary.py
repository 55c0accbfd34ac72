"""The words of checking."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Kind(TextChoices):
    """What does not agree with what."""

    ANSWER_WITHOUT_ENTRY = "answer-without-entry"
    ENTRY_WITHOUT_ANSWER = "entry-without-answer"
    ASKED_WITHOUT_ENTRY = "asked-without-entry"
    ENTRY_WITHOUT_ASKED = "entry-without-asked"
    VOID_WITHOUT_ENTRY = "void-without-entry"
    ENTRY_WITHOUT_VOID = "entry-without-void"
    PARTS_AND_RELEASE = "parts-and-release"
    USES_AND_PARTS = "uses-and-parts"
    USES_AND_WITHHELD = "uses-and-withheld"
    PEOPLE_AND_ENTRY = "people-and-entry"
    FILE_MISSING = "file-missing"
    FILE_NOT_WIPED = "file-not-wiped"
    FILE_OF_NOBODY = "file-of-nobody"
    DOWNLOAD_WITHOUT_ENTRY = "download-without-entry"
    ENTRY_WITHOUT_DOWNLOAD = "entry-without-download"
    DOWNLOAD_OF_NOTHING = "download-of-nothing"
    INQUIRY_WITHOUT_ENTRY = "inquiry-without-entry"
    ENTRY_WITHOUT_INQUIRY = "entry-without-inquiry"
    NO_BEFORE = "no-before"
    NO_YES = "no-yes"
    STATE_AND_EVENTS = "state-and-events"
    EVENT_WITHOUT_ENTRY = "event-without-entry"
    ENTRY_WITHOUT_EVENT = "entry-without-event"
    OBJECTION_WITHOUT_ENTRY = "objection-without-entry"
    ENTRY_WITHOUT_OBJECTION = "entry-without-objection"
    REQUEST_AND_ENTRIES = "request-and-entries"
    AGREEMENT_AND_ENTRIES = "agreement-and-entries"
    POLICY_AND_ENTRY = "policy-and-entry"
    WORDS_AND_ENTRY = "words-and-entry"
    TEXT_AND_ENTRY = "text-and-entry"
    TAGS_AND_ENTRY = "tags-and-entry"
    ENTRY_WITHOUT_TAGS = "entry-without-tags"
    SHREDDED_WITHOUT_ENTRY = "shredded-without-entry"
    ENTRY_WITHOUT_SHREDDED = "entry-without-shredded"
    SHREDDED_AND_LED_TO = "shredded-and-led-to"


class Format(TextChoices):
    """In which kind of file entries are written out."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


class Look(TextChoices):
    """What an auditor looked at or took, within one case."""

    SEARCH = "search", _("searched the log")
    PERSON = "person", _("looked for one person")
    EVENT = "event", _("read one entry")
    TIMELINE = "timeline", _("looked at the days")
    HINTS = "hints", _("looked for what is unusual")
    ACCESS = "access", _("looked at who may do what")
    VERIFY = "verify", _("had the log verified")
    EXPORT = "export", _("had entries exported")
    TAKEN = "taken", _("took exported entries away")
    WORKSHEET = "worksheet", _("drew a sample to check against paper")


class Step(TextChoices):
    """What happened to a finding; the last of them is how it stands."""

    OPENED = "opened", _("open")
    ANSWERED = "answered", _("answered")
    CLOSED = "closed", _("closed")


class JobKind(TextChoices):
    """What the clock does for an auditor."""

    VERIFY = "verify", _("verification")
    RANGE = "range", _("verification of some entries")
    EXPORT = "export", _("export")


class JobState(TextChoices):
    """How far it is."""

    WAITING = "waiting", _("waiting")
    DONE = "done", _("ready")
    FAILED = "failed", _("it did not hold or could not be done")
    GONE = "gone", _("no longer here")


class Flag(TextChoices):
    """Why a role is worth a look."""

    LEAVER = "leaver", _("the account has ended")
    CONFLICT = "conflict", _("two roles that do not go together")
    IDLE = "idle", _("not used for long")


class Verdict(TextChoices):
    """What an auditor thinks of a role."""

    KEEP = "keep", _("it is needed")
    END = "end", _("it should end")


class Paper(TextChoices):
    """What the holder found when a recorded yes was held against its paper."""

    AGREES = "agrees", _("the paper agrees")
    DIFFERS = "differs", _("the paper says something else")
    MISSING = "missing", _("there is no paper")


class Hint(TextChoices):
    """What looks unusual; each is a question to somebody, and no verdict."""

    VOLUME = "volume", _("much more than before")
    OFF_HOURS = "off-hours", _("outside working hours")
    REFUSALS = "refusals", _("many refusals")
    CROWDED = "crowded", _("a person in many releases")
    COMPELLED = "compelled", _("disclosed under compulsion")


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for in the log; what is empty is not asked about."""

    handle: str = ""
    actor: str = ""
    organisation: str = ""
    dataset: str = ""
    purpose: str = ""
    type: str = ""
    decision: str = ""
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Finding:
    """One thing that does not agree: where, by entry number or reference, and what is missing."""

    kind: Kind
    place: str
    says: str

    def __str__(self) -> str:
        return f"{self.place}: {self.says} ({self.kind})"


@dataclass(frozen=True)
class Skipped:
    """One thing that was compared in part only: the key of somebody in it was destroyed, and nobody
    can tell any more whether its entry is about that person."""

    place: str


@dataclass(frozen=True)
class Locked:
    """One thing that was compared in part only: the key of its holder is not here, or does not open
    somebody's key. Whoever brings the key compares the rest."""

    place: str
    holder: str


@dataclass(frozen=True)
class Uncommitted:
    """One thing whose entry commits to nothing of what it says, for it was written before entries
    did: whether it still says the same nobody can tell."""

    place: str


Told = Finding | Skipped | Locked | Uncommitted
