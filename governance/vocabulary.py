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
    OBJECTION_MADE = "objection_made", _("objection made")
    AGREEMENT_SUSPENDED = "agreement_suspended", _("agreement suspended")
    AGREEMENT_ENDED = "agreement_ended", _("agreement ended")
    REQUEST_ENDED = "request_ended", _("request ended")
    DATASET_PAUSED = "dataset_paused", _("dataset paused")
    DATASET_RETIRED = "dataset_retired", _("dataset retired")
    PURPOSE_PAUSED = "purpose_paused", _("purpose paused")
    PURPOSE_RETIRED = "purpose_retired", _("purpose retired")
    FIELD_RECLASSIFIED = "field_reclassified", _("field moved to another category")
    MEMBERSHIP_ENDED = "membership_ended", _("membership ended")
    KEY_ENDED = "key_ended", _("recipient's key ended")
