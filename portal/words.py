"""The grounds of the gate, in sentences for the person they are about."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.vocabulary import Assent, Contested, Decided, Happening, Speaker, Topic
from release.queries.accounting import TEXT_REPLACED
from release.vocabulary import Ground, VoidGround

# About her own word: she can change it.
HERS: dict[Ground, Promise] = {
    Ground.NO_CONSENT: _("You have not said yes to this."),
    Ground.PAUSED: _("It was paused."),
    Ground.NOT_STARTED: _("Your yes had not started yet."),
    Ground.EXPIRED: _("The yes to this had ended."),
    Ground.WITHDRAWN: _("It had been stopped."),
    Ground.OBJECTED: _("You said no to this."),
    Ground.OTHER_CATEGORIES: _("You said yes to other kinds of information only."),
    Ground.RECORD_PERIOD: _("It was written down after the day your yes covers."),
    Ground.ANOTHER_PERSON: _("It also names someone who did not say yes."),
    Ground.CHANGED_WHILE_WRITTEN: _("Something changed while it was made ready."),
}

# About the asking as a whole: nobody's record went out.
THEIRS: dict[Ground, Promise] = {
    Ground.NO_REQUEST: _("They had no permission to ask."),
    Ground.REQUEST_PERIOD: _("Their permission was not for that day."),
    Ground.NO_AGREEMENT: _("They have no agreement for this."),
    Ground.AGREEMENT_SUSPENDED: _("Their agreement was on hold."),
    Ground.AGREEMENT_PERIOD: _("Their agreement was not for that day."),
    Ground.AGREEMENT_DATASET: _("Their agreement does not cover these records."),
    Ground.AGREEMENT_PURPOSE: _("Their agreement does not cover this reason."),
    Ground.AGREEMENT_CATEGORY: _("Their agreement does not cover this information."),
    Ground.DATASET_NOT_ACTIVE: _("These records were on hold."),
    Ground.PURPOSE_NOT_ACTIVE: _("Sharing for this reason was on hold."),
    Ground.REPORTING_ROWS: _("Reports never get anyone's record."),
    Ground.IMMIGRATION_FACTS: _("What is about your papers is never sent to immigration this way."),
    Ground.NO_KEY: _("They had no lock for the package."),
    Ground.NO_MEMBER: _("Nobody there was allowed to ask any more."),
    Ground.NO_VERSION: _("There was nothing to send."),
    Ground.NARRATIVE: _("What was told in free words is never sent this way."),
    Ground.NOBODY: _("Nobody had said yes."),
    Ground.ENGINE: _("It could not be made ready."),
}

BLOCKED: dict[VoidGround, Promise] = {
    # One sentence for both: that somebody else in it said no is hers alone to know.
    VoidGround.PERSON_SAID_NO: _("What was in it changed."),
    VoidGround.CONSENT_ENDED: _("What was in it changed."),
    VoidGround.AGREEMENT: _("Their agreement is on hold or has ended."),
    VoidGround.REQUEST: _("Their permission has ended."),
    VoidGround.KEY: _("They changed their lock for packages."),
    VoidGround.CATALOGUE: _("These records, or this reason, are on hold."),
    VoidGround.UNFETCHED: _("They did not pick it up in time."),
    VoidGround.FILES: _("The files are not there any more."),
    VoidGround.SUPERSEDED: _("A newer one replaced it."),
}

WHY: dict[str, Promise] = {
    **{ground.value: words for ground, words in HERS.items()},
    **{ground.value: words for ground, words in THEIRS.items()},
    **{ground.value: words for ground, words in BLOCKED.items()},
}


# What was asked back for her, as the log calls it; the name of whom it was asked follows.
RECALLED: dict[str, Promise] = {
    "recall:opened": _("We asked them to delete what they got:"),
    "recall:acknowledged": _("They told us that they got our ask:"),
    "recall:deleted": _("They told us that they deleted it:"),
    "recall:returned": _("They told us that they gave it back and kept no copy:"),
    "recall:overdue": _("Their day to delete it has passed, and they have not told us:"),
}


# What she said, as the log calls it; the name of whom it was to follows.
SAID: dict[str, Promise] = {
    "consent:requested": _("You were asked for a yes:"),
    "consent:deferred": _("You said that you decide later:"),
    "consent:given": _("You said yes:"),
    "consent:renewed": _("You said yes again:"),
    "consent:narrowed": _("You made your yes smaller:"),
    "consent:paused": _("You paused it:"),
    "consent:resumed": _("You started it again:"),
    "consent:refused": _("You said no when you were asked:"),
    "consent:withdrawn": _("You stopped it:"),
    "consent:signed": _("You signed a yes that starts later:"),
    "consent:cancelled": _("This ask, or a yes that had not started, was taken back:"),
    "consent:lapsed": _("This ask ran out without a yes:"),
    "consent:expired": _("Your yes ended by its date:"),
    "consent:invalidated": _("Your yes was found not to count:"),
    "consent:superseded": _("A newer yes took its place:"),
    "objection:made": _("You said no:"),
    "objection:narrowed": _("You made your no smaller:"),
    "objection:lifting": _("You asked to take your no back:"),
    "objection:kept": _("You let your no stand:"),
    "objection:lifted": _("You took your no back:"),
    "correction:asked": _("You said that this is wrong, or not to share it for now:"),
    "correction:decided": _("What you said was decided:"),
}

CONTESTED = {"correction:asked", "correction:decided"}

# What she may say of one kind of information, and what was decided, each on a line of its own.
CONTEST: dict[str, Promise] = {
    Contested.CORRECTION: _("You said: something is wrong."),
    Contested.RESTRICTION: _("You said: do not share it for now."),
}
WAITS = _("Held back")
DECIDED: dict[str, Promise] = {
    Decided.CORRECTED: _("It was put right. It can be shared again, as far as you said yes."),
    Decided.UNCHANGED: _(
        "It was checked and not changed. It can be shared again, as far as you said yes. You can still stop it."
    ),
    Decided.KEPT: _("It stays not shared. This is now a no of yours, and you can take it back."),
    Decided.ENDED: _("It can be shared again, as far as you said yes. You can still stop it."),
}

# The same on the slip of one yes, where nobody's name has to follow.
HAPPENED: dict[Happening, Promise] = {
    Happening.REQUESTED: _("You were asked for a yes."),
    Happening.DEFERRED: _("You said that you decide later."),
    Happening.GIVEN: _("You said yes."),
    Happening.RENEWED: _("You said yes again."),
    Happening.NARROWED: _("You made your yes smaller."),
    Happening.PAUSED: _("You paused it."),
    Happening.RESUMED: _("You started it again."),
    Happening.REFUSED: _("You said no."),
    Happening.WITHDRAWN: _("You stopped it."),
    Happening.EXPIRED: _("Your yes ended by its date."),
    Happening.INVALIDATED: _("Your yes was found not to count."),
    Happening.SUPERSEDED: _("A newer yes took its place."),
}

# Where a newer text ended a yes, and no newer yes: on her slip, and in her list.
REWORDED: tuple[Promise, Promise] = (
    _("There is a newer text, so this yes ended."),
    _("There is a newer text, so this yes ended:"),
)

# The same of a yes that somebody else gave for her: on her slip, and in her list.
GIVEN_FOR_HER: dict[Happening, tuple[Promise, Promise]] = {
    Happening.GIVEN: (_("Someone said yes for you."), _("Someone said yes for you:")),
    Happening.RENEWED: (_("Someone said yes for you again."), _("Someone said yes for you again:")),
    Happening.NARROWED: (_("This yes was made smaller."), _("This yes was made smaller:")),
    Happening.PAUSED: (_("It was paused."), _("It was paused:")),
    Happening.RESUMED: (_("It was started again."), _("It was started again:")),
    Happening.WITHDRAWN: (_("It was stopped."), _("It was stopped:")),
    Happening.EXPIRED: (
        _("This yes ended by its date."),
        _("This yes ended by its date:"),
    ),
    Happening.INVALIDATED: (
        _("This yes was found not to count."),
        _("This yes was found not to count:"),
    ),
}

# What others began with what is kept of her; she can stop it until it is done.
WIPING: dict[str, Promise] = {
    "shredding:asked": _("%(place)s asked to wipe what leads to you there."),
    "shredding:agreed": _("A second person at %(place)s agreed to wipe it."),
    "shredding:halted": _("The wiping at %(place)s was called off."),
}


# What happens around her, as the log calls it; whom or what it is about follows.
AROUND: dict[str, Promise] = {
    "subject:assigned": _("Someone began to help you:"),
    "subject:transferred": _("Someone stopped helping you:"),
    "subject:read": _("Someone looked at your list:"),
    "worker:blocked": _("Someone is kept away from your list:"),
    "worker:unblocked": _("You let someone see your list again:"),
    "speaker:recorded": _("Someone else may say yes for you now:"),
    "speaker:ended": _("Someone may not say yes for you any more:"),
    "subject:linked": _("You joined this place to your page:"),
    "subject:unlinked": _("You took this place apart from your page:"),
    "dispute:reported": _("It is being settled who may say yes for you:"),
    "dispute:resolved": _("It was settled who may say yes for you:"),
    "question:asked": _("You asked a question:"),
    "question:answered": _("You got an answer to your question:"),
    "question:erased": _("Your question and its answer went away:"),
}


def around(word: str, *, worker: str, kind: str, place: str) -> str:
    """One line of what happens around her; with nothing to name it is a sentence of its own."""
    about = worker
    if word.startswith("question:"):
        about = f"“{Topic(kind).label}”"
    elif word.startswith("speaker:"):
        about = speaker(kind)
    elif word.startswith("dispute:") or word in {"subject:linked", "subject:unlinked"}:
        about = place
    told = str(AROUND[word])
    return f"{told} {about}" if about else f"{told.removesuffix(':')}."


def said(word: str, *, for_her: bool = False) -> str:
    """`for_her`: it is about a yes that somebody else gave."""
    if word == TEXT_REPLACED:
        return str(REWORDED[1])
    happening = word.removeprefix("consent:")
    if for_her and happening in GIVEN_FOR_HER:
        return str(GIVEN_FOR_HER[Happening(happening)][1])
    return str(SAID[word])


def contest(kind: str, decision: str) -> dict[str, str]:
    """What she said of one kind of information, and what was decided; or that it waits."""
    return {
        "said": str(CONTEST[Contested(kind)]),
        "decided": str(DECIDED[Decided(decision)]) if decision else "",
        "waits": str(WAITS),
    }


def happened(happening: Happening, *, for_her: bool = False, reworded: bool = False) -> str:
    """`reworded`: a newer text ended it, and no newer yes."""
    if reworded:
        return str(REWORDED[0])
    if for_her and happening in GIVEN_FOR_HER:
        return str(GIVEN_FOR_HER[happening][0])
    return str(HAPPENED[happening])


def why(ground: str) -> str:
    return str(WHY[ground])


def recalled(word: str) -> str:
    return str(RECALLED[word])


SPEAKERS: dict[Speaker, Promise] = {
    Speaker.PARENT: _("a parent or guardian"),
    Speaker.GUARDIAN: _("a guardian whom a court named"),
    Speaker.ESTATE: _("who settles what was left"),
}
ASSENTS: dict[Assent, Promise] = {
    Assent.SIGNED: _("You signed too."),
    Assent.SPOKEN: _("You said yes too."),
    Assent.UNABLE: _("You were asked too."),
    Assent.DIED: _("This was said after a death."),
}


def speaker(kind: str) -> str:
    """Who may speak for her, in her own page's words."""
    return str(SPEAKERS[Speaker(kind)])


def assent(word: str) -> str:
    """What she said to another one's yes."""
    return str(ASSENTS[Assent(word)])
