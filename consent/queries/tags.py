"""Tags that stand elsewhere than in the entry they belong to: late ones, and those of destroyed keys."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Q, QuerySet

from audit.rules import tag
from audit.vocabulary import EntryType
from consent.models import ConsentEvent, LateTag, LeftTag, Subject
from consent.queries.keys import KeyDestroyed, unwrap
from governance.models import Organisation
from governance.vocabulary import REPLAYED


def waiting() -> QuerySet[LateTag]:
    """Whose tag no entry bears yet; a shredded person's never will."""
    return LateTag.objects.filter(tagged__isnull=True, subject__shredded_at__isnull=True)


def holders_waited_for() -> QuerySet[Organisation]:
    """Whose key was away when something was said, and may be back."""
    return Organisation.objects.filter(
        pk__in=waiting().order_by().values("subject__holder")
    ).order_by("pk")


def of(subject: Subject) -> dict[int, int | None]:
    """By the entries about her that bear no tag: the later one that does, once there is one."""
    return dict(LateTag.objects.filter(subject=subject).values_list("entry_id", "tagged_id"))


def borne_by(tagged: int) -> list[bytes]:
    """Every tag that a later entry bears, made again. Raises NotReady where the holder's key is not
    there; KeyDestroyed where somebody was shredded and her tag was not left."""
    rows = LateTag.objects.filter(tagged=tagged).values_list(
        *("subject_id", "subject__holder__ref", "subject__wrapped_key", "entry__nonce")
    )
    there: dict[str, list[tuple[bytes, bytes]]] = {}
    gone: list[int] = []
    for slot, holder, wrapped, nonce in rows:
        if wrapped:
            there.setdefault(holder, []).append((bytes(wrapped), bytes(nonce)))
        else:
            gone.append(slot)
    left = LeftTag.objects.filter(entry=tagged, subject__in=gone).values_list("tag", flat=True)
    if len(left) < len(gone):
        raise KeyDestroyed("A tag was not left when somebody's key was destroyed.")
    return [*map(bytes, left), *(made for pair in there.items() for made in _made(*pair))]


def _made(holder: str, pairs: list[tuple[bytes, bytes]]) -> Iterable[bytes]:
    own = unwrap(holder, [wrapped for wrapped, _ in pairs])
    return (tag(key, nonce) for key, (_, nonce) in zip(own, pairs, strict=True))


def shared_words(subject: Subject) -> dict[int, bytes]:
    """The nonces, by entry, of what she said together with others: papers, and noes said again."""
    several = Q(entry__type=EntryType.CONSENT_IMPORTED) | Q(entry__reason=REPLAYED)
    rows: QuerySet[Any] = ConsentEvent.objects.filter(several, consent__subject=subject)
    return {entry: bytes(nonce) for entry, nonce in rows.values_list("entry_id", "entry__nonce")}


def late_words(subject: Subject) -> list[tuple[int, bytes]]:
    """The later entries that bear tags of hers, each with the nonce that the tag is made under."""
    rows = LateTag.objects.filter(subject=subject, tagged__isnull=False)
    return [(entry, bytes(nonce)) for entry, nonce in rows.values_list("tagged_id", "entry__nonce")]


def left_beside(entry: int) -> set[int]:
    """Whose tags were left beside this entry."""
    return set(LeftTag.objects.filter(entry=entry).values_list("subject_id", flat=True))


def left_already(subject: Subject, entries: Collection[int]) -> set[tuple[int, bytes]]:
    """What of her stands beside these entries already."""
    rows = LeftTag.objects.filter(subject=subject, entry__in=entries)
    return {(entry, bytes(made)) for entry, made in rows.values_list("entry_id", "tag")}
