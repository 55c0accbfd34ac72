"""The words of what each person said."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

LONGEST_SIGNATURE = 200  # signs; a place where the paper lies, never the paper itself
LONGEST_AUTHORITY = 120
MANY_DAYS = 731  # the longest anybody is asked to share for; a purpose's own longest is less
LONGEST_NUMBER = 200  # a client number; only its digest is kept


LONGEST_WHO = 200  # signs; how a holder's own file calls somebody; only a digest of it is kept
LONGEST_WHY = 500  # signs; why a record is to be cut from its person, sealed under her own key
ANSWER_DAYS = 30  # within so many days a holder decides what a person says is wrong
LONGEST_WORDS = 280  # signs, beside a question and beside its answer
REPLY_DAYS = 7  # within so many days a question is to be answered
ERASE_DAYS = 30  # so many days after the answer what was asked and answered goes
MOST_OPEN = 20  # questions of one person at one holder that wait for an answer
WIPED = "wiped"
"""What stands where a shredded person's own words stood."""


class HoldGround(TextChoices):
    """Why the law keeps a record; nothing about the case itself."""

    COURT_ORDER = "court_order", _("an order of a court")
    PROCEEDINGS = "proceedings", _("a case before a court")
    STATUTE = "statute", _("a law says how long it is kept")
    COMPLAINT = "complaint", _("a complaint that is being looked into")


class CodeKind(TextChoices):
    """What a code is for that an advocate gives to a client."""

    ARRIVAL = "arrival", _("a first sign-in")
    RETURN = "return", _("new words for the sign-in she has")


class Checked(TextChoices):
    """What a person says, asked later, of a stop that was recorded in her name. It stays either way."""

    HERS = "hers", _("she said so")
    NOT_HERS = "not_hers", _("she did not say so")


class Channel(TextChoices):
    PORTAL = "portal", _("on this page")
    IN_PERSON = "in_person", _("in person")
    PAPER = "paper", _("on paper")
    PHONE = "phone", _("by phone")


class Signer(TextChoices):
    SELF = "self", _("the person")
    GUARDIAN = "guardian", _("a guardian")


class Speaker(TextChoices):
    """Who may speak for a person who cannot do so alone."""

    PARENT = "parent", _("a parent or guardian of a minor")
    GUARDIAN = "guardian", _("a guardian named by a court")
    ESTATE = "estate", _("who settles what a person who died has left")


class Paper(TextChoices):
    """What lets somebody speak for a person."""

    BIRTH = "birth", _("a birth record")
    ORDER = "order", _("an order of a court")
    LETTERS = "letters", _("papers of the estate")


class Assent(TextChoices):
    """What the person herself said to a yes that another one gave."""

    SIGNED = "signed", _("she signed too")
    SPOKEN = "spoken", _("she said yes too")
    UNABLE = "unable", _("she was asked and could not answer")
    DIED = "died", _("she has died")


class Threat(TextChoices):
    """Why somebody may never speak for a person; nothing about what happened."""

    ABUSER = "abuser", _("harmed this person")
    TRAFFICKER = "trafficker", _("used this person")
    OF_PARENT = "of_parent", _("harmed this person's other parent")


class Contested(TextChoices):
    """What a person says against one kind of information about her; no text says more."""

    CORRECTION = "correction", _("something is wrong")
    RESTRICTION = "restriction", _("not to be shared for now")


class Decided(TextChoices):
    """What the organisation that keeps it decided."""

    CORRECTED = "corrected", _("it was put right")
    UNCHANGED = "unchanged", _("it was right as it was")
    KEPT = "kept", _("it stays unshared")
    ENDED = "ended", _("it may be shared again")


class Topic(TextChoices):
    """What a person can ask; her own words beside it say no more than she wants."""

    WHO_SEES = "who_sees", _("Who can see it there?")
    WHAT_FOR = "what_for", _("What do they do with it?")
    WHY_SENT = "why_sent", _("Why did they get it?")
    IF_STOPPED = "if_stopped", _("What happens if I stop?")
    GONE = "gone", _("Did they delete what they got?")
    KEPT = "kept", _("What do you keep about me?")
    LOOKED = "looked", _("Why did someone look at my list?")
    TALK = "talk", _("Can I talk to someone?")
    OTHER = "other", _("Something else")


class Reply(TextChoices):
    """What a question is answered by; words beside it only where these do not do."""

    ON_PAGE = "on_page", _("Your page shows this. Look at “See more” and “Where it went”.")
    HELPERS_SEE = "helpers_see", _("Only the people there who help you, and only to help you.")
    NOTHING_NEW = (
        "nothing_new",
        _("Nothing new goes to them. They may keep what they got. Your services stay the same."),
    )
    THEY_SAID = "they_said", _("They told us that they deleted it.")
    NOT_YET = "not_yet", _("They have not told us yet. We asked them.")
    WILL_TALK = "will_talk", _("Yes. The person who helps you will talk with you.")
    UNKNOWN = "unknown", _("We do not know this.")
    WRITTEN = "written", _("The answer is in these words.")


class Happening(TextChoices):
    """What can happen to a consent."""

    REQUESTED = "requested", _("requested")
    DEFERRED = "deferred", _("deferred")
    GIVEN = "given", _("given")
    RENEWED = "renewed", _("renewed")
    NARROWED = "narrowed", _("narrowed")
    PAUSED = "paused", _("paused")
    RESUMED = "resumed", _("resumed")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("stopped")
    EXPIRED = "expired", _("ended")
    INVALIDATED = "invalidated", _("not valid")
    SUPERSEDED = "superseded", _("replaced")


FIRST = (Happening.GIVEN, Happening.RENEWED, Happening.NARROWED)
"""How a yes can begin: as a new one, as the same again, or as a smaller one in place of a larger."""

NOES = {
    *(Happening.WITHDRAWN, Happening.PAUSED, Happening.SUPERSEDED, Happening.INVALIDATED),
    Happening.EXPIRED,
}
"""What is recorded also where the holder's key is away; a yes waits for it."""


class Ending(TextChoices):
    """How a consent ended before its date."""

    WITHDRAWN = "withdrawn", _("stopped")
    SUPERSEDED = "superseded", _("replaced")
    INVALIDATED = "invalidated", _("not valid")


class Part(TextChoices):
    """The parts of a consent text, in the order in which they are shown."""

    EASY = "easy", _("In short")
    WHAT = "what", _("What is shared")
    WHOM = "whom", _("With whom")
    WHY = "why", _("Why")
    UNTIL = "until", _("Until when")
    DELETE = "delete", _("By when they must delete it")
    RISKS = "risks", _("What can happen")
    OTHER_WAYS = "other_ways", _("Other ways")
    SERVICES = "services", _("Services never depend on it")
    STOP = "stop", _("How to stop")


class Invalidity(TextChoices):
    """Why a yes never counted; nothing about what happened to the person."""

    NOT_INFORMED = "not_informed", _("the person was not told what it means")
    NOT_FREE = "not_free", _("the person was pressed")
    NOT_ENTITLED = "not_entitled", _("who signed was not allowed to")
    NOT_HERS = "not_hers", _("it is another person's")
    NOT_SIGNED = "not_signed", _("nobody signed it")
    BY_MISTAKE = "by_mistake", _("it was recorded by mistake")


class ProposalState(TextChoices):
    """Where an ask for a yes stands."""

    OPEN = "open", _("not answered yet")
    DEFERRED = "deferred", _("decided later")
    WAITING = "waiting", _("yes, and it has not started yet")
    GIVEN = "given", _("yes")
    REFUSED = "refused", _("no")
    LAPSED = "lapsed", _("ran out")
    CANCELLED = "cancelled", _("taken back")


ANSWERABLE = (ProposalState.OPEN, ProposalState.DEFERRED)
UNSETTLED = (*ANSWERABLE, ProposalState.WAITING)


class Turn(TextChoices):
    """What can happen to an ask for a yes."""

    ASKED = "asked", _("asked")
    DEFERRED = "deferred", _("decided later")
    SIGNED = "signed", _("signed")
    WAIVED = "waived", _("started at once")
    GIVEN = "given", _("came into force")
    REFUSED = "refused", _("no")
    LAPSED = "lapsed", _("ran out")
    CANCELLED = "cancelled", _("taken back")


class Element(TextChoices):
    """What a yes needs before it can come into force (R3, R6). One missing: it does not."""

    PERSON = "person", _("the person")
    HOLDER = "holder", _("who shares")
    RECIPIENT = "recipient", _("one recipient")
    PURPOSE = "purpose", _("one purpose")
    CATEGORIES = "categories", _("which information")
    TERMS = "terms", _("the text that was shown")
    LANGUAGE = "language", _("the language")
    ANSWERS = "answers", _("the seven answers")
    SIGNATURE = "signature", _("the signature")
    SIGNED_AT = "signed_at", _("the day of signing")
    ENDS = "ends", _("the end")
    AUTHORITY = "authority", _("the signer's authority")


class Standing(TextChoices):
    """How one consent, or its absence, stands at one instant; the order is the order of speaking."""

    IN_FORCE = "in_force", _("sharing")
    OBJECTED = "objected", _("the person objects")
    PAUSED = "paused", _("paused")
    NOT_STARTED = "not_started", _("not started yet")
    EXPIRED = "expired", _("past its end")
    WITHDRAWN = "withdrawn", _("stopped")
    NO_CONSENT = "no_consent", _("no yes was given")


STANDING_DPV: dict[Standing, str] = {
    Standing.IN_FORCE: "ConsentGiven",
    Standing.OBJECTED: "ConsentWithdrawn",
    Standing.PAUSED: "ConsentRequestDeferred",
    Standing.NOT_STARTED: "ConsentRequestDeferred",
    Standing.EXPIRED: "ConsentExpired",
    Standing.WITHDRAWN: "ConsentWithdrawn",
    Standing.NO_CONSENT: "ConsentUnknown",
}
"""The state of the W3C Data Privacy Vocabulary that each of ours is nearest to; it has no word for
what is paused or has not started, which stand beside one that permits nothing."""

HAPPENING_DPV: dict[Happening, str] = {
    Happening.REQUESTED: "ConsentRequested",
    Happening.DEFERRED: "ConsentRequestDeferred",
    Happening.GIVEN: "ConsentGiven",
    Happening.RENEWED: "RenewedConsentGiven",
    Happening.NARROWED: "ConsentGiven",
    Happening.PAUSED: "ConsentRequestDeferred",
    Happening.RESUMED: "ConsentGiven",
    Happening.REFUSED: "ConsentRefused",
    Happening.WITHDRAWN: "ConsentWithdrawn",
    Happening.EXPIRED: "ConsentExpired",
    Happening.INVALIDATED: "ConsentInvalidated",
    Happening.SUPERSEDED: "ConsentRevoked",
}
"""The state in which each thing that happens to a yes leaves it."""

PROPOSAL_DPV: dict[ProposalState, str] = {
    ProposalState.OPEN: "ConsentRequested",
    ProposalState.DEFERRED: "ConsentRequestDeferred",
    ProposalState.WAITING: "ConsentRequestDeferred",
    ProposalState.GIVEN: "ConsentGiven",
    ProposalState.REFUSED: "ConsentRefused",
    ProposalState.LAPSED: "ConsentExpired",
    ProposalState.CANCELLED: "ConsentWithdrawn",
}
"""The same of an ask for a yes; one that waits stands beside one that permits nothing."""
