"""What data may be wanted for: paused, let run again, retired."""

from datetime import datetime

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.errors import RuleBroken
from common.words import sentence as _
from governance import permissions
from governance.actions import scopes, trail
from governance.models import Purpose, User
from governance.vocabulary import Narrowing


def pause_purpose(*, purpose: Purpose, by: User, at: datetime, via: Via) -> Purpose:
    """Nothing leaves for this purpose until it runs again."""
    with scopes.narrowing(act=Narrowing.PURPOSE_PAUSED, everyone=True) as moment:
        permissions.check_can_pause_purpose(by)
        found = Purpose.objects.select_for_update().get(pk=purpose.pk)
        if found.paused_at is not None or found.retired_at is not None:
            raise RuleBroken("purpose_state", _("This purpose is paused or retired already."))
        found.paused_at = moment.at
        found.save(update_fields=["paused_at"])
        moment.tell(what="purpose", code=found.code, column="paused_at")
        trail.record(
            type=EntryType.PURPOSE_CHANGED,
            by=by,
            at=moment.at,
            via=via,
            purpose=found.code,
            reason="paused",
            epoch_everyone=moment.everyone,
        )
    return found


@transaction.atomic
def resume_purpose(*, purpose: Purpose, by: User, at: datetime, via: Via) -> Purpose:
    """The community lets a paused purpose run again."""
    permissions.check_can_convene(by)
    found = Purpose.objects.select_for_update().get(pk=purpose.pk)
    if found.paused_at is None or found.retired_at is not None:
        raise RuleBroken("purpose_state", _("This purpose is not paused."))
    found.paused_at = None
    found.save(update_fields=["paused_at"])
    trail.record(
        type=EntryType.PURPOSE_CHANGED,
        by=by,
        at=at,
        via=via,
        purpose=found.code,
        reason="resumed",
    )
    return found


def retire_purpose(*, purpose: Purpose, by: User, at: datetime, via: Via) -> Purpose:
    """Data is not wanted for this any more."""
    with scopes.narrowing(act=Narrowing.PURPOSE_RETIRED, everyone=True) as moment:
        permissions.check_can_convene(by)
        found = Purpose.objects.select_for_update().get(pk=purpose.pk)
        if found.retired_at is not None:
            raise RuleBroken("purpose_state", _("This purpose is retired already."))
        found.retired_at = moment.at
        found.save(update_fields=["retired_at"])
        moment.tell(what="purpose", code=found.code, column="retired_at")
        trail.record(
            type=EntryType.PURPOSE_CHANGED,
            by=by,
            at=moment.at,
            via=via,
            purpose=found.code,
            reason="retired",
            epoch_everyone=moment.everyone,
        )
    return found
