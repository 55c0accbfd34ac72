"""Publishing the texts people say yes to."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256

from django.db import transaction

from audit.vocabulary import EntryType, Via
from common.days import begins
from common.errors import BadInput, RuleBroken
from common.inputs import fits, of, taking
from common.words import sentence as _
from consent.models import Terms, TermsPart
from consent.queries import texts as known
from consent.rules import Problem
from consent.rules.texts import Piece, Written, measure, problems
from governance import permissions
from governance.actions import trail
from governance.models import Organisation, User

LONGEST_PART = 2000  # signs; a paragraph
WIDENS, SAME = "widens", "same"  # the reason of the entry


class NotPublished(RuleBroken):
    """A text that may not be published: every reason at once, each naming its part."""

    def __init__(self, found: tuple[Problem, ...]) -> None:
        super().__init__(found[0].code, " ".join(problem.message for problem in found))
        self.problems = found


@taking(code=of(Terms, "code"))
def publish(
    *,
    code: str,
    texts: Sequence[Written],
    organisation: Organisation,
    widens: bool,
    by: User,
    at: datetime,
    via: Via,
    keep_until: date | None = None,
) -> dict[str, Terms]:
    """Publish the next version of one text, in every language at once; it never changes afterwards.

    It takes the place of the version before: nobody is asked under that one any more. Where it
    `widens`, nobody's yes to that one lasts either: the clock ends it and asks afresh. Otherwise
    what was said yes to goes on. `keep_until`: the day until which recipients may keep what they
    got. Gives the texts by language; the newest version again where nothing is different. Raises
    NotPermitted unless `by` administers `organisation`; RuleBroken where another one published the
    version before; BadInput on a text that is too long, or a day that is past; NotPublished naming
    each part that is missing or too hard to read.
    """
    permissions.check_can_administer(by, organisation)
    _check(texts)
    if keep_until is not None and begins(keep_until) <= at:
        raise BadInput("keep_in_past", _("Choose a day that is still to come."), where="keep_until")
    with transaction.atomic():
        before = known.newest(code)
        if _same(before, texts, keep_until):
            return {each.language: each for each in before}
        if before and before[0].publisher_id not in {None, organisation.pk}:
            raise RuleBroken(
                "another_publisher",
                _("This text is another organisation's. Give yours a name of its own."),
            )
        version = before[0].version + 1 if before else 1
        if version > 1 and Terms.objects.filter(code=code, version=version).exists():
            raise RuleBroken(
                "terms_exist", _("Another version was published just now. Look again.")
            )
        return {
            text.language: _published(
                Terms(
                    code=code,
                    version=version,
                    language=text.language,
                    title=text.title,
                    text=text.whole,
                    digest=sha256(text.whole.encode()).hexdigest(),
                    publisher=organisation,
                    widens=widens if before else None,
                    keep_until=keep_until,
                    published_at=at,
                ),
                text,
                by=by,
                via=via,
            )
            for text in texts
        }


def _check(texts: Sequence[Written]) -> None:
    for text in texts:
        fits(Terms, language=text.language, title=text.title)
        for piece in text.pieces:
            _fits(text, piece)
    if found := problems(texts):
        raise NotPublished(found)


def _fits(text: Written, piece: Piece) -> None:
    if len(piece.text) > LONGEST_PART:
        raise BadInput(
            "part_too_long",
            _(
                "“%(part)s” in “%(language)s”: write %(most)s signs at most.",
                part=piece.part.label,
                language=text.language,
                most=LONGEST_PART,
            ),
            where="texts",
        )


def _same(before: Sequence[Terms], texts: Sequence[Written], keep_until: date | None) -> bool:
    """Whether this is what is published already: sent twice, or nothing was changed."""
    now = {(each.language, each.title, each.text) for each in before}
    new = {(each.language, each.title, each.whole) for each in texts}
    return now == new and all(each.keep_until == keep_until for each in before)


def _published(terms: Terms, text: Written, *, by: User, via: Via) -> Terms:
    terms.save()
    TermsPart.objects.bulk_create(
        TermsPart(terms=terms, part=part, text=words, measure=_measure(words, text.language))
        for part, words in text.parts.items()
    )
    trail.record(
        type=EntryType.TERMS_PUBLISHED,
        by=by,
        at=terms.published_at,
        via=via,
        resource=str(terms),
        reason={True: WIDENS, False: SAME, None: ""}[terms.widens],
        detail_commit=terms.digest,
    )
    return terms


def _measure(words: str, language: str) -> Decimal | None:
    measured = measure(words, language)
    return None if measured is None else Decimal(f"{measured:.1f}")
