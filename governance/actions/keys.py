"""The age public key to which an organisation's packages are sealed."""

from datetime import datetime

from pyrage import RecipientError, x25519

from audit.vocabulary import EntryType, Via
from common.errors import BadInput, RuleBroken
from common.inputs import Text, of, taking
from common.words import sentence as _
from governance import permissions
from governance.actions import scopes, trail
from governance.models import Organisation, RecipientKey, User
from governance.rules import closing, fingerprint
from governance.vocabulary import Narrowing

FINGERPRINT = 8
"""How many signs of a fingerprint are typed: enough that no other key is taken for it by mistake."""
TYPED = Text(most=80, least=1, name=_("Fingerprint"))


@taking(
    public_key=of(RecipientKey, "public_key", lines=True, name=_("Public key")),
    confirmed=TYPED,
)
def register(
    *,
    organisation: Organisation,
    public_key: str,
    by: User,
    at: datetime,
    via: Via,
    confirmed: str | None = None,
) -> RecipientKey:
    """From now on packages are sealed to this key; the one before it ends in the same deed.

    What was sealed to the old key may not be handed over any more, so it is a no as well; the clock
    declares it void and lets new packages wait. `confirmed`: the first signs of the fingerprint, as
    the computer that holds the private key shows them; BadInput where they are another key's.
    """
    text = _checked(public_key)
    if confirmed is not None and not _same(confirmed, text):
        raise BadInput(
            "fingerprint",
            _("This is not the fingerprint of the key above. Nothing was changed."),
            where="confirmed",
        )
    with scopes.narrowing(act=Narrowing.KEY_ENDED, recipients=[organisation.pk]) as moment:
        body = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
        permissions.check_can_administer(by, body)
        before = RecipientKey.objects.filter(organisation=body, ended_at__isnull=True).first()
        if before is not None and before.public_key == text:
            raise RuleBroken("key_in_use", _("This key is the present one already."))
        if before is not None:
            before.ended_at = closing(before.registered_at, moment.at)
            before.save(update_fields=["ended_at"])
        moment.tell(
            what="key", public_key=before.public_key if before else "", organisation=body.ref
        )
        key = RecipientKey.objects.create(
            organisation=body, public_key=text, registered_by=by, registered_at=moment.at
        )
        trail.record(
            type=EntryType.KEY_REGISTERED if before is None else EntryType.KEY_ROTATED,
            by=by,
            at=moment.at,
            via=via,
            resource=body.ref,
            reason=f"fingerprint-{fingerprint(text)[:16]}",
            epoch_everyone=moment.everyone,
            epoch_scope=moment.epochs.get(body.pk),
        )
    return key


def end(*, key: RecipientKey, by: User, at: datetime, via: Via) -> RecipientKey:
    """The key is lost or no longer trusted: nothing is sealed to it or handed over any more."""
    with scopes.narrowing(act=Narrowing.KEY_ENDED, recipients=[key.organisation_id]) as moment:
        found = (
            RecipientKey.objects.select_for_update(of=("self",))
            .select_related("organisation")
            .get(pk=key.pk)
        )
        permissions.check_can_administer(by, found.organisation)
        if found.ended_at is not None:
            raise RuleBroken("key_ended", _("This key has ended already."))
        found.ended_at = closing(found.registered_at, moment.at)
        found.save(update_fields=["ended_at"])
        moment.tell(what="key", public_key=found.public_key, organisation=found.organisation.ref)
        trail.record(
            type=EntryType.KEY_ENDED,
            by=by,
            at=moment.at,
            via=via,
            resource=found.organisation.ref,
            reason=f"fingerprint-{fingerprint(found.public_key)[:16]}",
            epoch_everyone=moment.everyone,
            epoch_scope=moment.epochs.get(found.organisation_id),
        )
    return found


def _same(confirmed: str, public_key: str) -> bool:
    typed = "".join(confirmed.lower().split())
    return len(typed) >= FINGERPRINT and fingerprint(public_key).startswith(typed)


def _checked(public_key: str) -> str:
    """The key in its one spelling; a private key sent by mistake is not repeated back."""
    try:
        return str(x25519.Recipient.from_str(public_key.strip().lower()))
    except RecipientError as error:
        raise BadInput(
            "public_key", _("This is no age public key. It begins with age1 and has 62 signs.")
        ) from error
