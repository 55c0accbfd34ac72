"""A data category comes under rules of its own. Nothing takes it out of them again."""

from datetime import datetime

from audit.vocabulary import EntryType, Via
from common.inputs import taking
from governance import permissions
from governance.actions import scopes, trail
from governance.models import DataCategory, User
from governance.queries import catalogue
from governance.rules import care_after, check_placed, check_unmixed
from governance.vocabulary import Care, Narrowing


@taking()
def restrict(
    *, category: DataCategory, care: Care, by: User, at: datetime, via: Via
) -> DataCategory:
    """Put one ordinary category under rules of its own; that is a no to everyone.

    Raises NotPermitted unless `by` convenes the community; RuleBroken where the category stands
    under such rules already, or where a column in it may not stand there.
    """
    with scopes.narrowing(act=Narrowing.CATEGORY_RESTRICTED, everyone=True) as moment:
        permissions.check_can_convene(by)
        found = DataCategory.objects.select_for_update().get(pk=category.pk)
        found.care = care_after(Care(found.care), Care(care))
        found.save(update_fields=["care"])
        check_placed(catalogue.standing_in(found))
        for columns in catalogue.datasets_with(found):
            check_unmixed(columns)
        moment.tell(what="care", code=found.code, care=str(found.care))
        trail.record(
            type=EntryType.CATEGORY_RESTRICTED,
            by=by,
            at=moment.at,
            via=via,
            resource=f"{found.code}/{found.care}",
            epoch_everyone=moment.everyone,
        )
    return found
