"""What the change journal keeps of which rows, and why it keeps nothing of the others.

`docs/reference/journal.md` is drawn from these two tables; tests hold them against the models.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kept:
    """Columns kept with their values, columns of which only a change is kept, and why at all."""

    columns: tuple[str, ...]
    why: str
    masked: tuple[str, ...] = ()


WORDS = ("label_en", "label_es", "description_en", "description_es")

JOURNALED: dict[str, Kept] = {
    "governance.Organisation": Kept(
        ("ref", "name", "kind", "verified_at"),
        "who it is and whether it was verified opens doors",
    ),
    "governance.User": Kept(
        ("ref", "kind", "is_active", "is_superuser"),
        "who can sign in; never a survivor's account, a password or a time of signing in",
        masked=("username",),
    ),
    "governance.Membership": Kept(
        ("user", "organisation", "role", "started_at", "ended_at"),
        "a role moved or reopened behind its deed gives rights",
    ),
    "governance.OrganisationUserPermission": Kept(
        ("permission", "user", "content_object"),
        "what guardian really answers by: a grant without a membership shows here",
    ),
    "governance.BoardUserPermission": Kept(
        ("permission", "content_object"),
        "what guardian really answers by: a say without a seat shows here; not whose, for it is "
        "written beside the seat and its kind",
        masked=("user",),
    ),
    "governance.RecipientKey": Kept(
        ("organisation", "public_key", "registered_by", "registered_at", "ended_at"),
        "whoever exchanges the key reads the packages",
    ),
    "governance.ApiToken": Kept(
        ("user", "organisation", "created_at", "expires_at", "revoked_at"),
        "a token made longer or given to another opens the machines' door",
        masked=("digest",),
    ),
    "governance.MachineClient": Kept(
        ("application", "user", "organisation", "created_at", "ended_at"),
        "an application opened again or given to another opens the machines' door",
    ),
    "governance.ClientScope": Kept(
        ("client", "scope"), "what a machine may do when it has come in"
    ),
    "governance.ClientSecret": Kept(
        ("client", "issued_by", "created_at", "expires_at"),
        "a secret made longer opens the machines' door",
        masked=("digest",),
    ),
    "governance.DataCategory": Kept(
        ("code", *WORDS, "care"),
        "the words a person reads before a yes or a no, and which rules of its own it stands under",
    ),
    "governance.StandardField": Kept(
        ("standard", "name", "type", "field_sensitivity", "narrative", "category"),
        "where a name of the standard belongs, and how sensitive it is",
    ),
    "governance.Purpose": Kept(
        ("code", "kind", "dpv", *WORDS, "longest_days", "paused_at", "retired_at"),
        "what data may be wanted for, and the words a person reads of it",
    ),
    "governance.Dataset": Kept(
        ("ref", "holder", "board", "name", "title", "state"),
        "whose it is, who decides about it, and whether anything may leave",
    ),
    "governance.Field": Kept(
        ("dataset", "name", "type", "position", "category", "field_sensitivity", "narrative"),
        "the category a column is in decides which yeses cover it",
    ),
    "governance.Board": Kept(("ref", "name"), "who decides"),
    "governance.Charter": Kept(
        (
            "board",
            "number",
            "quorum",
            "survivor_minimum",
            "threshold_percent",
            "answer_days",
            "adopted_at",
        ),
        "its entry names no number: here the rules themselves are committed to the log",
    ),
    "governance.Seat": Kept(
        ("board", "kind", "organisation", "started_at", "ended_at"),
        "who has a vote; not by whom it is filled, since a kind of seat tells on a person",
        masked=("user",),
    ),
    "governance.Agreement": Kept(
        ("ref", "holder", "recipient", "title", "obligations", "starts", "ends", "state"),
        "a draft may change until it is signed, its state also afterwards",
    ),
    "governance.AccessRequest": Kept(
        (
            "ref",
            "requester",
            "dataset",
            "purpose",
            "agreement",
            "format",
            "starts",
            "ends",
            "state",
            "created_by",
            "submitted_at",
            "answer_by",
        ),
        "a draft may change until it is handed in, its state also afterwards",
        masked=("reason", "benefit"),
    ),
    "mfa.Authenticator": Kept(
        ("user", "type", "created_at"),
        "a second factor of staff set up or taken away; never its secret, nor when it was used, and "
        "never a survivor's",
    ),
    "socialaccount.SocialAccount": Kept(
        ("user", "provider", "date_joined"),
        "whoever is linked to another's account signs in as them; not what a provider calls anybody",
        masked=("uid",),
    ),
}

FIXED = "never changes, in the database too, and has an entry of its own"
PART = "closed with the text it is part of"
HERS = "a row of the journal would lead to her for ever, also after her key is destroyed; "

NOT_JOURNALED: dict[str, str] = {
    "governance.AgreementDataset": f"{PART}; the signatures' entries commit to it by digest",
    "governance.AgreementPurpose": f"{PART}; the signatures' entries commit to it by digest",
    "governance.AgreementCategory": f"{PART}; the signatures' entries commit to it by digest",
    "governance.RequestField": f"{PART}: from handing in on, in the database too",
    "governance.AgreementSignature": FIXED,
    "governance.Ballot": FIXED,
    "governance.Recusal": FIXED,
    "governance.Decision": FIXED,
    "governance.CategoryVersion": FIXED,
    "governance.CategoryField": f"{FIXED}: its version's",
    "governance.FieldClassification": FIXED,
    "governance.Invitation": "made, taken or taken back, each with an entry; its code only as a digest",
    "governance.InvitedRole": f"{FIXED}: its invitation's",
    "governance.DataKey": "whose it is never changes, in the database too; the words sealed under it have "
    "entries, and so has a change of what wraps it",
    "governance.AccountReset": "asked, agreed to, used or taken back, each with an entry",
    "governance.Sitting": "comes and goes with each visit; what a person ends by hand has an entry",
    "governance.PaperCode": f"{HERS}made and used, each with an entry that says not whose",
    "governance.KeptAnswer": "what a machine was answered, for a day; the deed has its entry",
    "governance.Scope": "its epochs stand in the entries of every no and every release",
    "governance.ScopeMove": f"{FIXED}: the no's",
    "governance.KeptNo": f"{HERS}it never changes, in the database too; its no has an entry",
    "consent.SlotBlock": "a counter of free slots",
    "consent.Subject": f"{HERS}what happens to her has entries under her own tag",
    "consent.SubjectKey": f"{HERS}it never changes, in the database too",
    "consent.Shredding": f"{HERS}asked, agreed to, called off or done, each with an entry",
    "consent.LegalHold": f"{HERS}placed and lifted, each with an entry under her own tag",
    "consent.EnrolmentCode": f"{HERS}given, used and cancelled, each with an entry under her own tag",
    "consent.Assignment": f"{HERS}begun and ended, each with an entry under her own tag",
    "consent.Look": f"{HERS}it never changes, in the database too, and has its entry",
    "consent.Block": f"{HERS}begun and lifted, each with an entry under her own tag",
    "consent.SpokenStop": f"{HERS}her no has its entries, and so has what she says of it later",
    "consent.Representative": f"{HERS}recorded and ended, each with an entry under her own tag",
    "consent.Spoken": f"{HERS}it never changes, in the database too; its yes's",
    "consent.Minority": f"{HERS}recorded anew with each change, each with an entry under her own tag",
    "consent.Flag": f"{HERS}it never changes, in the database too, and has its entry",
    "consent.Dispute": f"{HERS}reported and settled, each with an entry under her own tag",
    "consent.Death": f"{HERS}reported, agreed to or taken back, each with an entry under her own tag",
    "consent.Contest": f"{HERS}asked and decided, each with an entry under her own tag",
    "consent.Hidden": f"{HERS}comes and goes as she wants, on her own pages; nothing shared hangs on it",
    "consent.SubjectLink": f"{HERS}joined and parted, each with an entry under her own tag",
    "consent.Question": f"{HERS}asked, answered and erased, each with an entry under her own tag",
    "consent.LateTag": f"{HERS}filled once, in the database too; the later entry covers it",
    "consent.LeftTag": f"{HERS}it never changes, in the database too; its entry covers it",
    "consent.Consent": f"{HERS}each event has its entry under her own tag",
    "consent.ConsentEvent": f"{HERS}it is itself the fact, and has its entry",
    "consent.Objection": f"{HERS}each has its entries under her own tag",
    "consent.Invalidation": f"{HERS}it never changes, in the database too; its no has an entry",
    "consent.Lifting": f"{HERS}asked for, done or called off, each with an entry under her own tag",
    "consent.Proposal": f"{HERS}each of its steps has an entry under her own tag",
    "consent.ProposalItem": f"{HERS}it never changes, in the database too; its ask's",
    "consent.ProposalStep": f"{HERS}it never changes, in the database too, and has its entry",
    "consent.CategorySet": "never changes, in the database too; part of a yes",
    "consent.CategorySetItem": "never changes, in the database too; part of a yes",
    "consent.Terms": f"{FIXED}, which commits to the text by digest; retired once",
    "consent.TermsPart": f"{FIXED}: its text's",
    "release.DatasetVersion": FIXED,
    "release.VersionColumn": f"{FIXED}: its version's",
    "release.StoredPart": f"{FIXED}: its version's",
    "release.Resealing": "never changes, in the database too; the rotation's entry commits to it",
    "release.Presence": f"{FIXED}: its version's",
    "release.Release": "answered once, voided once, wiped once, in the database too, with entries",
    "release.Upload": "sent once and answered once; loading it has an entry, either way",
    "release.Lease": "which worker is at it at present",
    "release.Beat": "when the clock last came round",
    "release.ReleasePart": f"{FIXED}: its release's",
    "release.Use": f"{FIXED}: its release's",
    "release.Withheld": f"{FIXED}: its release's",
    "release.Download": FIXED,
    "release.Recall": FIXED,
    "release.Recalled": f"{FIXED}: its recall's",
    "release.RecallStep": FIXED,
    "release.RecallWatch": "how far the clock has looked through a release that was picked up",
    "release.Inquiry": FIXED,
    "release.Sending": f"{FIXED}: its download's",
    "oversight.AuditCase": "opened once and closed once, in the database too, with entries",
    "oversight.CaseHandle": f"{HERS}it never changes, in the database too, and has its entry",
    "oversight.Reading": FIXED,
    "oversight.SavedSearch": FIXED,
    "oversight.Finding": f"{FIXED}: its first step's",
    "oversight.FindingStep": FIXED,
    "oversight.Job": "asked once and ended once, in the database too, with entries",
    "oversight.MembershipReview": FIXED,
    "oversight.Worksheet": FIXED,
    "oversight.WorksheetLine": f"{FIXED}: its sheet's",
    "oversight.WorksheetCheck": FIXED,
    "audit.Entry": "it is the log",
    "audit.Detail": "its entry commits to it by digest; words in it open with one person's key alone",
    "audit.Node": "it is the log",
    "audit.Checkpoint": "it is the log",
    "audit.Cosignature": "never changes, in the database too; whoever has the witness's key checks it",
    "audit.WitnessState": "how far a witness has followed, and when it is asked next",
    "audit.WitnessFault": "never changes, in the database too: what a witness answered",
    "audit.LogEntry": "it is the journal",
    "audit.JournalWaiting": "it is the journal",
    "audit.JournalDigest": "it is the journal",
    "account.EmailAddress": "the staff door keeps no addresses",
    "account.EmailConfirmation": "the staff door sends no mail",
    "auth.Group": "nothing is granted by a group here",
    "auth.Permission": "the names of permissions, written by migrations",
    "contenttypes.ContentType": "the names of tables, written by migrations",
    "guardian.UserObjectPermission": "not used: guardian keeps what it grants in our own tables",
    "guardian.GroupObjectPermission": "not used: nothing is granted to a group",
    "oauth2_provider.Application": "public ids; what opens stands in governance.MachineClient",
    "oauth2_provider.AccessToken": "comes and goes each quarter of an hour, each with an entry",
    "oauth2_provider.RefreshToken": "not used: a machine shows its secret again",
    "oauth2_provider.Grant": "not used: nobody gives a machine leave on a page",
    "oauth2_provider.DeviceGrant": "not used: one way in only",
    "oauth2_provider.IDToken": "not used: a token says nothing of anybody",
    "socialaccount.SocialApp": "not used: the provider stands in the environment",
    "socialaccount.SocialToken": "not used: a provider's token is not kept",
    "sessions.Session": "comes and goes with each visit",
}


def tracking() -> list[dict[str, Any]]:
    """AUDITLOG_INCLUDE_TRACKING_MODELS."""
    return [
        {
            "model": model,
            "include_fields": [*kept.columns, *kept.masked],
            "mask_fields": list(kept.masked),
        }
        for model, kept in JOURNALED.items()
    ]


def page() -> str:
    """docs/reference/journal.md."""
    lines = [
        "# What the change journal keeps",
        "",
        "Drawn from `config/journal.py`; a test fails when this page is not current.",
        "",
        "Each change of a row below leaves a row in the journal, and the digest of that row stands "
        "in the log, in the same transaction. Of a column in brackets the journal keeps that it "
        "changed and nothing of its value.",
        "",
        "| rows of | columns | why |",
        "|---|---|---|",
        *(
            f"| {model} | {', '.join([*kept.columns, *(f'({name})' for name in kept.masked)])} "
            f"| {kept.why} |"
            for model, kept in JOURNALED.items()
        ),
        "",
        "## What it does not keep",
        "",
        "| rows of | why not |",
        "|---|---|",
        *(f"| {model} | {why} |" for model, why in NOT_JOURNALED.items()),
    ]
    return "\n".join(lines) + "\n"
