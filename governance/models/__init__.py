"""Facts about who asks for what, under which agreement, and what the board answered."""

from governance.models.agreements import (
    Agreement,
    AgreementCategory,
    AgreementDataset,
    AgreementPurpose,
    AgreementSignature,
)
from governance.models.arrivals import AccountReset, Invitation, InvitedRole
from governance.models.boards import Ballot, Board, Charter, Decision, Recusal, Seat
from governance.models.catalogue import (
    CategoryField,
    CategoryVersion,
    DataCategory,
    Dataset,
    Field,
    FieldClassification,
    Purpose,
    StandardField,
)
from governance.models.machines import ClientScope, ClientSecret, MachineClient
from governance.models.noes import KeptNo
from governance.models.people import (
    ApiToken,
    BoardUserPermission,
    DataKey,
    Membership,
    Organisation,
    OrganisationUserPermission,
    RecipientKey,
    User,
)
from governance.models.repeats import KeptAnswer
from governance.models.requests import AccessRequest, RequestField
from governance.models.scopes import Scope, ScopeMove
from governance.models.sittings import PaperCode, Sitting

__all__ = [
    "AccessRequest",
    "AccountReset",
    "Agreement",
    "AgreementCategory",
    "AgreementDataset",
    "AgreementPurpose",
    "AgreementSignature",
    "ApiToken",
    "Ballot",
    "Board",
    "BoardUserPermission",
    "CategoryField",
    "CategoryVersion",
    "Charter",
    "ClientScope",
    "ClientSecret",
    "DataCategory",
    "DataKey",
    "Dataset",
    "Decision",
    "Field",
    "FieldClassification",
    "Invitation",
    "InvitedRole",
    "KeptAnswer",
    "KeptNo",
    "MachineClient",
    "Membership",
    "Organisation",
    "OrganisationUserPermission",
    "PaperCode",
    "Purpose",
    "RecipientKey",
    "Recusal",
    "RequestField",
    "Scope",
    "ScopeMove",
    "Seat",
    "Sitting",
    "StandardField",
    "User",
]
