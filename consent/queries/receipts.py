"""One yes and all that happened to it, for a slip that its person takes home."""

from dataclasses import dataclass
from datetime import datetime

from consent.models import ConsentEvent
from consent.queries import words
from consent.queries.sharing import Sharing
from consent.vocabulary import Happening, Standing


@dataclass(frozen=True)
class Happened:
    """One thing that happened to a yes; `hers`: she did it herself on her own page. `reworded`: a
    newer text ended it, and no newer yes."""

    happening: Happening
    at: datetime
    hers: bool
    reworded: bool = False


@dataclass(frozen=True)
class Receipt:
    """`happened`: oldest first, an end that came by its day among them.

    `versions`: which version of each category it covers, by the category's code.
    """

    sharing: Sharing
    happened: tuple[Happened, ...]
    versions: dict[str, str]

    @property
    def number(self) -> str:
        """Another one after each thing that happens."""
        return f"{self.sharing.consent.ref}-{len(self.happened)}"


def of(sharing: Sharing) -> Receipt:
    """What is known now about one of her yeses."""
    consent = sharing.consent
    account = consent.subject.account_id
    happened = [
        Happened(
            Happening(each.happening), _when(each, sharing), _by(each, account), _reworded(each)
        )
        for each in ConsentEvent.objects.filter(consent=consent).order_by("at", "pk")
    ]
    # Its day ends it: the slip says so, and says the same, before and after the clock has noted it.
    if sharing.standing == Standing.EXPIRED and consent.expired_at is None:
        happened.append(Happened(Happening.EXPIRED, sharing.until, hers=False))
    spelled = words.in_sets([consent.category_set_id]).get(consent.category_set_id, "")
    versions = {each.split("/")[0]: each for each in spelled.split()}
    return Receipt(sharing, tuple(happened), versions)


def _when(event: ConsentEvent, sharing: Sharing) -> datetime:
    """When it happened: what ended by its date did so then, whenever the clock came."""
    return sharing.until if event.happening == Happening.EXPIRED else event.at


def _by(event: ConsentEvent, account: int | None) -> bool:
    return account is not None and event.by_id == account


def _reworded(event: ConsentEvent) -> bool:
    return event.happening == Happening.SUPERSEDED and event.by_id is None
