"""One audited decision about one person: may her record go out for this request, at this instant?

Asked by the holder about one of its own clients, never by the recipient (ADR 12). Under the shared
locks everything is read anew, the answer and its entry are committed, and only then is it told: a
permit that is told was committed before any no that was acknowledged. No row leaves by this, so it
does not wait for the signed checkpoint.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from audit.rules import NONCE_SIZE
from audit.tlog.canonical import canonical_bytes
from audit.tlog.subjects import subjects_root
from audit.vocabulary import Decision, EntryType, Via
from common.errors import NotPermitted, NotReady
from common.inputs import Text, taking
from common.planned import side_by_side
from common.rows import Single
from common.words import sentence as _
from consent.queries import keys
from consent.vocabulary import LONGEST_NUMBER
from governance.actions import scopes, trail
from governance.models import Organisation, User
from governance.queries import requests
from governance.queries.requests import Asked
from release.actions import gate
from release.models import Inquiry
from release.permissions import asking_may_inquire
from release.queries import person
from release.rules.inquiries import by_category, commitment, told_to_holder
from release.rules.person import Opening, PersonFacts, decide_person
from release.rules.policy import gate_policy

INQUIRY = Single(Inquiry, just_inserted=["entry"])
NUMBER = Text(most=LONGEST_NUMBER, least=1, name=_("Client number"))


@taking(number=NUMBER)
def answer(*, request: Asked, number: str, by: User, at: datetime, via: Via) -> Inquiry:
    """Whether, and with which columns, the holder may give this client's record to the requester.

    `number` is the holder's own client number. A refusal is an answer. The answer holds at its own
    `at` and for no later moment.
    Raises NotPermitted unless `by` is a steward of the holder, which leaves an entry; NotReady
    where the gate is shut, the holder's key is absent, or neither lock nor log is to be had.
    """
    client = _client(request.holder, number)
    slot = person.NOBODYS if client is None else client.slot
    try:
        with scopes.steady_beside(
            asking_may_inquire(by, request.holder),
            person.asking_for_holder(request=request, slot=slot),
            requests.category_codes(request.pk),
            recipient=request.requester_id,
        ) as (moment, (_may, facts, codes)):
            return _answered(request, client, facts, codes, moment, by=by, via=via)
    except NotPermitted as refusal:
        _turned_away(request, by=by, at=at, via=via, reason=refusal.code)
        raise


def _client(holder: Organisation, number: str) -> keys.Client | None:
    """Whom the number leads to, once nothing is against that anything leaves."""
    looking = gate.asking()
    try:
        asking = keys.client(holder, number)
    except NotReady:
        gate.check(looking.now())
        raise
    against, client = side_by_side(looking, asking)
    gate.check(against)
    found: keys.Client | None = client
    return found


def _answered(
    request: Asked,
    client: keys.Client | None,
    facts: PersonFacts,
    codes: Mapping[int, str],
    moment: scopes.Moment,
    *,
    by: User,
    via: Via,
) -> Inquiry:
    found = decide_person(facts, moment.at, moment.at)
    inquiry = Inquiry(
        request_id=request.pk, subject_id=None if client is None else client.slot, at=moment.at
    )
    inquiry.permitted = isinstance(found, Opening)
    if isinstance(found, Opening):
        inquiry.columns = by_category(found, facts.whole.fields, codes)
        inquiry.record_until = found.record_until
    else:
        inquiry.grounds = ",".join(found.grounds)
    told = told_to_holder(inquiry.grounds)
    said = commitment(
        ref=inquiry.ref,
        request=request.ref,
        columns=inquiry.columns,
        record_until=inquiry.record_until,
        grounds=told,
    )
    nonce = secrets.token_bytes(NONCE_SIZE)
    tags = [] if client is None else [client.tag(nonce)]
    epochs = moment.of(request.requester_id)
    inquiry.entry = trail.record(
        beside=INQUIRY.inserting(inquiry),
        type=EntryType.INQUIRY_ANSWERED,
        by=by,
        at=moment.at,
        via=via,
        resource=inquiry.ref,
        purpose=request.purpose_code,
        decision=Decision.PERMITTED if inquiry.permitted else Decision.REFUSED,
        reason=told[0] if told else "",
        policy=gate_policy(request.basis),
        epoch_everyone=epochs.everyone,
        epoch_scope=epochs.scope,
        subjects=len(tags),
        subjects_root=subjects_root(tags) if tags else None,
        detail_commit=sha256(canonical_bytes(said)).hexdigest(),
        nonce=nonce,
    )
    return inquiry


def _turned_away(request: Asked, *, by: User, at: datetime, via: Via, reason: str) -> None:
    with transaction.atomic():
        trail.record(
            type=EntryType.INQUIRY_ANSWERED,
            by=by,
            at=at,
            via=via,
            resource=request.ref,
            purpose=request.purpose_code,
            decision=Decision.REFUSED,
            reason=reason,
        )
