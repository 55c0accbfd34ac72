"""Facts about what each person said."""

from consent.models.consents import (
    CategorySet,
    CategorySetItem,
    Consent,
    ConsentEvent,
    Invalidation,
)
from consent.models.contests import Contest
from consent.models.enrolment import EnrolmentCode
from consent.models.helping import Assignment, Block, Look, SpokenStop
from consent.models.hiding import Hidden
from consent.models.links import SubjectLink
from consent.models.objections import Lifting, Objection
from consent.models.people import SlotBlock, Subject, SubjectKey
from consent.models.proposals import Proposal, ProposalItem, ProposalStep
from consent.models.questions import Question
from consent.models.shredding import LegalHold, Shredding
from consent.models.speaking import Death, Dispute, Flag, Minority, Representative, Spoken
from consent.models.tags import LateTag, LeftTag
from consent.models.terms import Terms, TermsPart

__all__ = [
    "Assignment",
    "Block",
    "CategorySet",
    "CategorySetItem",
    "Consent",
    "ConsentEvent",
    "Contest",
    "Death",
    "Dispute",
    "EnrolmentCode",
    "Flag",
    "Hidden",
    "Invalidation",
    "LateTag",
    "LeftTag",
    "LegalHold",
    "Lifting",
    "Look",
    "Minority",
    "Objection",
    "Proposal",
    "ProposalItem",
    "ProposalStep",
    "Question",
    "Representative",
    "Shredding",
    "SlotBlock",
    "Spoken",
    "SpokenStop",
    "Subject",
    "SubjectKey",
    "SubjectLink",
    "Terms",
    "TermsPart",
]
