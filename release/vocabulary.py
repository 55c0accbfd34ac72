"""The words of what may leave, and what left."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ReleaseClass(TextChoices):
    DATASET = "dataset", _("dataset")
    DIRECT = "direct", _("direct")
    COMPELLED = "compelled", _("compelled")
    AGGREGATE = "aggregate", _("aggregate")


class ReleaseState(TextChoices):
    WAITING = "waiting", _("waiting")
    PREPARED = "prepared", _("prepared")
    REFUSED = "refused", _("refused")


class UploadState(TextChoices):
    WAITING = "waiting", _("waiting")
    LOADED = "loaded", _("loaded")
    REFUSED = "refused", _("refused")


class Ground(TextChoices):
    """Why a whole release, or one person's record, was withheld. Each names its R-rule in rules."""

    NO_REQUEST = "no_request", _("the request is not approved")
    REQUEST_PERIOD = "request_period", _("outside the request's period")
    NO_AGREEMENT = "no_agreement", _("no agreement covers this")
    AGREEMENT_SUSPENDED = "agreement_suspended", _("the agreement is suspended")
    AGREEMENT_PERIOD = "agreement_period", _("outside the agreement's period")
    AGREEMENT_DATASET = "agreement_dataset", _("the agreement does not cover this dataset")
    AGREEMENT_PURPOSE = "agreement_purpose", _("the agreement does not cover this purpose")
    AGREEMENT_CATEGORY = "agreement_category", _("the agreement does not cover these categories")
    DATASET_NOT_ACTIVE = "dataset_not_active", _("the dataset is paused or retired")
    PURPOSE_NOT_ACTIVE = "purpose_not_active", _("the purpose is paused or retired")
    REPORTING_ROWS = "reporting_rows", _("reporting never receives rows")
    IMMIGRATION_FACTS = "immigration_facts", _("what is about papers never goes to immigration")
    NO_KEY = "no_key", _("the recipient has no current key")
    NO_MEMBER = "no_member", _("nobody of the recipient may ask any more")
    NO_VERSION = "no_version", _("nothing has been loaded yet")
    NARRATIVE = "narrative", _("free text never leaves this way")
    NOBODY = "nobody", _("nobody said yes")
    NO_CONSENT = "no_consent", _("no yes was given")
    PAUSED = "paused", _("paused")
    NOT_STARTED = "not_started", _("not started yet")
    EXPIRED = "expired", _("past its end")
    WITHDRAWN = "withdrawn", _("stopped")
    OBJECTED = "objected", _("the person objects")
    OTHER_CATEGORIES = "other_categories", _("said yes to other information only")
    RECORD_PERIOD = "record_period", _("recorded after the day the yes covers")
    ANOTHER_PERSON = "another_person", _("another person in the record did not say yes")
    CHANGED_WHILE_WRITTEN = "changed_while_written", _("changed while written, ask again")
    ENGINE = "engine", _("the engine ran out of memory")


class VoidGround(TextChoices):
    PERSON_SAID_NO = "person_said_no", _("somebody inside said no")
    CONSENT_ENDED = "consent_ended", _("a yes inside ran out")
    AGREEMENT = "agreement", _("the agreement is not in force")
    REQUEST = "request", _("the request is not in force")
    KEY = "key", _("the recipient's key changed")
    CATALOGUE = "catalogue", _("the dataset or purpose is not active")
    UNFETCHED = "unfetched", _("not fetched in time")
    FILES = "files", _("the sealed files are not there")
    SUPERSEDED = "superseded", _("replaced by a newer one")


PEOPLES = {VoidGround.PERSON_SAID_NO, VoidGround.CONSENT_ENDED}
"""Grounds that are somebody's own: nobody else is told which of them it was, or that it was one."""
SOMETHING_CHANGED = _("what is inside changed")


class DownloadPart(TextChoices):
    PACKAGE = "package", _("whole package")
    MANIFEST = "manifest", _("manifest")
    PART = "part", _("part")


class Step(TextChoices):
    """What happened to a recall after it was opened, each at most once."""

    ACKNOWLEDGED = "acknowledged", _("received")
    REPORTED = "reported", _("reported")
    OVERDUE = "overdue", _("overdue")


class RecallState(TextChoices):
    """How a recall stands at an instant."""

    ASKED = "asked", _("asked")
    ACKNOWLEDGED = "acknowledged", _("received")
    OVERDUE = "overdue", _("overdue")
    REPORTED = "reported", _("reported")


class Reported(TextChoices):
    """What a recipient says it did with what it had received; nobody here can see it."""

    DELETED = "deleted", _("deleted it")
    RETURNED = "returned", _("gave it back and kept no copy")


class Deed(TextChoices):
    """What one line of somebody's own list is about."""

    READY = "ready"
    PICKED_UP = "picked_up"
    KEPT_BACK = "kept_back"
    ASKED = "asked"
    SAID = "said"
    WIPING = "wiping"
    RECALLED = "recalled"
    AROUND = "around"  # who helps her, looks, is kept away or may speak; what she asks
