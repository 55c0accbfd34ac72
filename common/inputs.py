"""What a deed may be given: one look at every argument, before anything is asked or written.

`@taking(...)` stands on every deed that is given texts, numbers, days or words of a vocabulary. From
the signature it knows of which kind each argument is; how long a text or how large a number may be
is said once, mostly by the column it goes into (`of`). Forms and serializers take the same limits.
"""

import inspect
import math
import types
import typing
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from django.core.validators import slug_re
from django.db.models import CharField, Model, PositiveIntegerField, SlugField, TextField

from common.errors import BadInput
from common.words import Sentence
from common.words import sentence as _

P = ParamSpec("P")
R = TypeVar("R")
Fault = tuple[str, Sentence]

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
LARGEST = 2**63 - 1
LARGEST_TEXT = 10_000
LONGEST_PATH = 4096
LARGEST_POSITIVE = 2**31 - 1  # of a PositiveIntegerField, on every database
LINES = "\t\n\r"
HALF = "\ufffd"  # what stands where a sign could not be read
# Also signs that turn round what stands beside them: what is read is not what was written.
FOREIGN = {HALF} | {chr(each) for each in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


@dataclass(frozen=True)
class Text:
    """How many signs a text may have, and whether it may go over several lines.

    `anything`: any sign that can be kept (a password). `slug`: letters, digits, hyphens and
    underscores only. `name`: what a sentence calls it.
    """

    most: int = LARGEST_TEXT
    least: int = 0
    lines: bool = False
    anything: bool = False
    slug: bool = False
    name: str = ""

    def fault(self, value: object) -> Sentence | None:
        """What is wrong with a text, without saying where; None where nothing is."""
        if not isinstance(value, str):
            return _("Write a text.")
        if self._holds_foreign(value):
            return _("It holds signs that cannot be kept. Write it anew, without them.")
        if len(value) > self.most:
            return _("Write %(most)s signs at most.", most=self.most)
        if len(value.strip()) < self.least:
            return _("Write something.")
        if self.slug and not slug_re.match(value):
            return _("Use letters, digits, hyphens and underscores only.")
        return None

    def _holds_foreign(self, value: str) -> bool:
        if not (self.lines or self.anything):
            return HALF in value or not value.isprintable()
        return any(self._foreign(sign) for sign in value)

    def _foreign(self, sign: str) -> bool:
        if self.anything:
            return sign == "\0" or unicodedata.category(sign) == "Cs"
        return sign in FOREIGN or (sign not in LINES and unicodedata.category(sign) in {"Cc", "Cs"})


@dataclass(frozen=True)
class Number:
    """How small and how large a whole number may be."""

    least: int = -LARGEST - 1
    most: int = LARGEST
    name: str = ""

    def fault(self, value: object) -> Sentence | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return _("Write a whole number.")
        if not self.least <= value <= self.most:
            return _("Write a number %(least)s to %(most)s.", least=self.least, most=self.most)
        return None


Limit = Text | Number


LIMITED = (CharField, TextField, PositiveIntegerField)


def of(model: type[Model], column: str, **changes: Any) -> Limit:
    """The limit of what goes into this column, as the model has it; `changes` narrow it."""
    field = model._meta.get_field(column)
    if isinstance(field, CharField):
        given = {
            "most": field.max_length,
            "least": 0 if field.blank else 1,
            "slug": isinstance(field, SlugField),
        }
        return Text(**{**given, **changes})
    if isinstance(field, TextField):
        return Text(**{"least": 0 if field.blank else 1, "lines": True, **changes})
    if isinstance(field, PositiveIntegerField):
        return Number(**{"least": 0, "most": LARGEST_POSITIVE, **changes})
    raise TypeError(f"{model.__name__}.{column} limits neither a text nor a number.")


def fits(model: type[Model], **values: object) -> None:
    """Raises BadInput where one of these texts or numbers does not fit into its column."""
    for column, value in values.items():
        if isinstance(model._meta.get_field(column), LIMITED):
            limit = of(model, column)
            if fault := limit.fault(value):
                raise _bad(column, limit, fault)


def taking(**limits: Limit) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A deed that looks at what it is given first. Raises BadInput naming the argument."""

    def around(deed: Callable[P, R]) -> Callable[P, R]:
        kinds = {
            name: parameter.annotation
            for name, parameter in inspect.signature(deed).parameters.items()
        }
        if unknown := limits.keys() - kinds.keys():
            raise TypeError(f"{deed.__name__} takes no {', '.join(unknown)}.")

        whole = {name: kind for name, kind in kinds.items() if _is_whole(kind)}

        @wraps(deed)
        def looked_at(*args: P.args, **given: P.kwargs) -> R:
            for name, value in given.items():
                if type(value) is whole.get(name):
                    continue
                limit = limits.get(name)
                for where, fault in faults(kinds.get(name, Any), value, limit):
                    raise _bad(f"{name}{where}", limit, fault)
            return deed(*args, **given)

        looked_at.limits = limits  # type: ignore[attr-defined]  # for those who test every deed
        return looked_at

    return around


def _is_whole(kind: Any) -> bool:
    """Whether nothing can be wrong with a value that is of this very class."""
    if not isinstance(kind, type) or is_dataclass(kind) or kind in ANY_OF:
        return False
    return kind is bool or issubclass(kind, (Model, Enum, bytes))


def faults(kind: Any, value: object, limit: Limit | None = None) -> Iterator[Fault]:
    """What is wrong with a value of this kind (an annotation), and where in it: `.1`, `.name`.

    Kinds it knows nothing of (a callable, an open file) it lets pass.
    """
    absent, plain, each_of = _taken_apart(kind)
    if value is None and absent:
        return
    if each_of is not None:
        yield from _faults_of_many(each_of, value, limit)
    elif isinstance(plain, type):
        fault = _fault(plain, value, limit)
        if fault:
            yield "", fault
            return
        for name, inner_kind in _inside(plain):
            part = getattr(value, name)
            if not _is_plainly_good(inner_kind, part):
                inside = faults(inner_kind, part)
                yield from ((f".{name}{where}", inner) for where, inner in inside)


@cache
def _inside(kind: type) -> tuple[tuple[str, Any], ...]:
    """The parts of a dataclass of ours, each with its kind."""
    return tuple((each.name, each.type) for each in fields(kind)) if is_dataclass(kind) else ()


def _is_plainly_good(kind: Any, value: object) -> bool:
    """Whether a part without a limit of its own is so usual that nothing can be wrong with it."""
    if type(value) is not kind:
        return False
    if kind is int:
        return -LARGEST <= value <= LARGEST  # type: ignore[operator]  # its type was looked at
    return kind is str and not Text().fault(value)


@cache
def _taken_apart(kind: Any) -> tuple[bool, Any, Any]:
    """Whether nothing may stand there, which kind otherwise, and of which kind many are each."""
    members = typing.get_args(kind) if typing.get_origin(kind) in UNIONS else (kind,)
    plain = next(each for each in members if each is not type(None))
    each_of = typing.get_args(plain)[0] if typing.get_origin(plain) in MANY else None
    return type(None) in members, plain, each_of


def _faults_of_many(kind: Any, value: object, limit: Limit | None) -> Iterator[Fault]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        yield "", _("Write a list.")
        return
    for place, each in enumerate(value, start=1):
        inside = faults(kind, each, limit)
        yield from ((f".{place}{where}", fault) for where, fault in inside)


def _fault(kind: type, value: object, limit: Limit | None) -> Sentence | None:
    """What is wrong with one value as a whole."""
    if kind in ANY_OF:
        return (limit or ANY_OF[kind]).fault(value)
    if issubclass(kind, Enum):
        words = [word.value for word in kind]
        known = _("Write one of: %(words)s.", words=", ".join(map(str, words)))
        return None if value in words else known
    if kind is float:
        whole = not Number().fault(value)
        finite = isinstance(value, float) and math.isfinite(value)
        return None if whole or finite else _("Write a number.")
    if not isinstance(value, kind) or (kind is date and isinstance(value, datetime)):
        return KINDS.get(kind, _("This is not what belongs here."))
    return _fault_of_a_day(value) or _fault_of_a_path(value)


def _fault_of_a_day(value: object) -> Sentence | None:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return _("Say which time zone the time is in.")
        return None if EARLIEST <= value < LATEST else OUT_OF_TIME
    if isinstance(value, date):
        return None if EARLIEST.date() <= value < LATEST.date() else OUT_OF_TIME
    return None


def _fault_of_a_path(value: object) -> Sentence | None:
    if isinstance(value, Path):
        return Text(most=LONGEST_PATH, anything=True).fault(str(value))
    return None


UNIONS = (types.UnionType, typing.Union)
MANY = (Sequence, Collection, list, tuple, set, frozenset)
ANY_OF: Mapping[type, Limit] = {str: Text(), int: Number()}
OUT_OF_TIME = _(
    "Write a day of the years %(first)s to %(last)s.", first=EARLIEST.year, last=LATEST.year - 1
)
KINDS = {
    bool: _("Say yes or no."),
    date: _("Write a day."),
    datetime: _("Write a day and a time."),
}


def _bad(where: str, limit: Limit | None, fault: Sentence) -> BadInput:
    argument = where.partition(".")[0]
    name = (limit and limit.name) or where.replace("_", " ").capitalize()
    return BadInput(
        f"bad_{argument}", _("%(what)s: %(fault)s", what=name, fault=fault), where=where
    )
