"""The words of asking and deciding."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

LONGEST_PASSWORD = 200  # signs, at every door


class OrganisationKind(TextChoices):
    SERVICE_PROVIDER = "service_provider", _("service provider")
    HEALTH = "health", _("health")
    POLICE = "police", _("police")
    PROSECUTOR = "prosecutor", _("prosecutor")
    IMMIGRATION = "immigration", _("immigration")
    COURT = "court", _("court")
    RESEARCH = "research", _("research")
    FUNDER = "funder", _("funder")
    GOVERNMENT = "government", _("government")
    COMMUNITY = "community", _("community")
    PUBLIC = "public", _("the public")


class UserKind(TextChoices):
    SURVIVOR = "survivor", _("survivor")
    STAFF = "staff", _("staff")
    MACHINE = "machine", _("machine")


class Role(TextChoices):
    STEWARD = "steward", _("steward")
    REQUESTER = "requester", _("requester")
    BOARD_MEMBER = "board_member", _("board member")
    AUDITOR = "auditor", _("auditor")
    ADVOCATE = "advocate", _("advocate")
    ADMINISTRATOR = "administrator", _("administrator")


class ResetKind(TextChoices):
    """What somebody lost, and so what they set anew; what they still have they must show."""

    PASSWORD = "password", _("the password")
    DEVICE = "device", _("the sign-in device")
    BOTH = "both", _("the password and the sign-in device")


class Device(TextChoices):
    """On what somebody is signed in, no finer: more would be a trace of whose it is."""

    PHONE = "phone", _("a phone")
    TABLET = "tablet", _("a tablet")
    COMPUTER = "computer", _("a computer")
    OTHER = "other", _("another device")


class PaperUse(TextChoices):
    """What a code does that a survivor keeps on paper."""

    BACK_IN = "back_in", _("get back in")
    SHUT = "shut", _("shut the way in")


class MachineScope(TextChoices):
    """What a machine's way in may be used for; its roles must allow it as well."""

    ASK = "ask", _("ask for data")
    FETCH = "fetch", _("fetch what was prepared")
    LOAD = "load", _("load a dataset")
    READ = "read", _("read what stands here")
    DECIDE = "decide", _("ask about one of one's own clients")
    AUDIT = "audit", _("read the entries of the log")


class FieldType(TextChoices):
    TEXT = "text", _("text")
    CODE = "code", _("code")
    CODES = "codes", _("codes")
    INTEGER = "integer", _("whole number")
    DECIMAL = "decimal", _("number")
    DATE = "date", _("date")
    BOOLEAN = "boolean", _("yes or no")


class FieldSensitivity(TextChoices):
    DIRECT = "direct", _("direct identifier")
    LOCATION = "location", _("location")
    QUASI = "quasi", _("quasi-identifier")
    SENSITIVE = "sensitive", _("sensitive")
    PROCESS = "process", _("process")


class Care(TextChoices):
    """Which rules of its own the data of one category stands under."""

    ORDINARY = "ordinary", _("ordinary")
    LOCATION = "location", _("places")
    IMMIGRATION = "immigration", _("immigration")
    SUBSTANCE_USE = "substance_use", _("treatment for alcohol or drugs")
    LAW_ENFORCEMENT = "law_enforcement", _("made by law enforcement")


class PurposeKind(TextChoices):
    SERVICE = "service", _("service")
    RESEARCH = "research", _("research")
    REPORTING = "reporting", _("reporting")
    JUSTICE = "justice", _("justice")
    STATISTICS = "statistics", _("statistics")


class DatasetState(TextChoices):
    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused")
    RETIRED = "retired", _("retired")


class AgreementState(TextChoices):
    DRAFT = "draft", _("draft")
    IN_FORCE = "in_force", _("in force")
    SUSPENDED = "suspended", _("suspended")
    ENDED = "ended", _("ended")


class RequestState(TextChoices):
    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("submitted")
    APPROVED = "approved", _("approved")
    REFUSED = "refused", _("refused")
    LAPSED = "lapsed", _("lapsed")
    ENDED = "ended", _("ended")


class PackageFormat(TextChoices):
    PARQUET = "parquet", "Parquet"
    CSV = "csv", "CSV"


class SeatKind(TextChoices):
    SURVIVOR = "survivor", _("survivor")
    COMMUNITY = "community", _("community")
    SERVICE_PROVIDER = "service_provider", _("service provider")
    RESEARCH = "research", _("research")
    LEGAL = "legal", _("legal")


class Vote(TextChoices):
    YES = "yes", _("yes")
    NO = "no", _("no")
    MORE = "more", _("I need to know more")


class Narrowing(TextChoices):
    """Every act that makes less leave than before. Each moves an epoch; a test holds them to it."""

    CONSENT_WITHDRAWN = "consent_withdrawn", _("sharing stopped")
    CONSENT_PAUSED = "consent_paused", _("sharing paused")
    CONSENT_NARROWED = "consent_narrowed", _("sharing narrowed")
    CONSENT_SUPERSEDED = "consent_superseded", _("sharing replaced")
    CONSENT_INVALIDATED = "consent_invalidated", _("sharing found not valid")
    OBJECTION_MADE = "objection_made", _("objection made")
    AGREEMENT_SUSPENDED = "agreement_suspended", _("agreement suspended")
    AGREEMENT_ENDED = "agreement_ended", _("agreement ended")
    REQUEST_ENDED = "request_ended", _("request ended")
    DATASET_PAUSED = "dataset_paused", _("dataset paused")
    DATASET_RETIRED = "dataset_retired", _("dataset retired")
    PURPOSE_PAUSED = "purpose_paused", _("purpose paused")
    PURPOSE_RETIRED = "purpose_retired", _("purpose retired")
    FIELD_RECLASSIFIED = "field_reclassified", _("field moved to another category")
    CATEGORY_RESTRICTED = "category_restricted", _("category put under rules of its own")
    MEMBERSHIP_ENDED = "membership_ended", _("membership ended")
    KEY_ENDED = "key_ended", _("recipient's key ended")
    SUBJECT_SHREDDED = "subject_shredded", _("a person's key destroyed")
    SPEAKER_ENDED = "speaker_ended", _("somebody may speak for a person no more")
    SPEAKER_STOPPED = "speaker_stopped", _("sharing stopped by who may speak for a person")
    SPEAKER_FLAGGED = "speaker_flagged", _("somebody may never speak for a person")
    MINORITY_RECORDED = "minority_recorded", _("a person recorded as a minor")
    DISPUTE_REPORTED = "dispute_reported", _("a dispute on who may speak for a person")
    DEATH_RECORDED = "death_recorded", _("a person's death recorded")


REPLAYED = "replayed"
"""The reason of an entry about a no that was said again after a restore."""


class Closing(TextChoices):
    """Ways in that end, and what keeps a record from its end. Nothing leaves by them, so no epoch
    moves; a restore must not open them, or shred what was not to be."""

    ACCOUNT_ENDED = "account_ended", _("account ended")
    ACCOUNT_SHUT = "account_shut", _("account shut until it begins anew")
    INVITATION_WITHDRAWN = "invitation_withdrawn", _("invitation taken back")
    SEAT_ENDED = "seat_ended", _("seat ended")
    TOKEN_REVOKED = "token_revoked", _("token revoked")
    SHREDDING_CALLED_OFF = "shredding_called_off", _("shredding called off")
    HOLD_PLACED = "hold_placed", _("legal hold placed")
    YES_CANCELLED = "yes_cancelled", _("a yes taken back before it started")
    NO_KEPT = "no_kept", _("a no that stays after all")
    ASSIGNMENT_ENDED = "assignment_ended", _("a helper's work with a person ended")
    WORKER_BLOCKED = "worker_blocked", _("a helper kept from a person's page")
    SUBJECTS_SPLIT = "subjects_split", _("records that a person parted again")
