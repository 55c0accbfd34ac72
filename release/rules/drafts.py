"""A drafted mapping file: what can be told from a file, and in plain words what cannot."""

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from governance.vocabulary import FieldSensitivity, FieldType
from release.rules.mapping import DEFAULT_SHARE, MOST_SHARE, FileFormat
from release.rules.profiles import SHAPES, ColumnSummary, TypeGuess, guess_type
from release.rules.suggestions import (
    RECORD_WORDS,
    Meaning,
    StandardShape,
    likely_fields,
    meaning,
    numbers_people,
    words_of,
)
from release.rules.values import ISO_DAY

UNSURE = "# UNSURE:"
NAME_LENGTH = 80
WRAP = 100
CODE = re.compile(SHAPES["code"])
OPEN_LISTS = frozenset({FieldType.CODE, FieldType.CODES})


@dataclass(frozen=True)
class FileFacts:
    """How the file as a whole is written, and what about that is not certain."""

    format: FileFormat
    rows: int
    refused: int  # rows that could not be read at all
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: Sequence[str] = ()  # lines of the section [sheet]
    unsure: Sequence[str] = ()


@dataclass
class _Field:
    column: ColumnSummary
    guess: TypeGuess
    meaning: Meaning
    name: str = ""


def draft(
    facts: FileFacts, columns: Sequence[ColumnSummary], standard: Collection[StandardShape]
) -> str:
    """The mapping file as text. It loads the file once every line marked UNSURE is settled.

    Holds names of columns, and values only of short lists whose words each stand in 11 rows or
    more; never a value of a direct identifier or of free text.
    """
    people = _people(columns)
    guesses = {column.place: guess_type(column) for column in columns}
    day = _record_day(columns, guesses, people)
    ignored: list[_Field] = []
    kept: list[_Field] = []
    likely = _standard_fields(columns, guesses, standard, [*people, day])
    for column in columns:
        if column in people or column is day:
            continue
        guess = guesses[column.place]
        shape, reason = likely.get(column.place, (None, ""))
        found = _Field(column, guess, meaning(column, guess.type, shape, reason))
        direct = found.meaning.sensitivity == FieldSensitivity.DIRECT
        (ignored if direct else kept).append(found)
    _name(kept)
    parts = [
        _top(facts, columns),
        _person(people, columns),
        _record(day, guesses),
        *(_field(each) for each in kept),
        _ignore(ignored),
    ]
    return "\n".join(parts)


def quoted(text: str) -> str:
    """Any text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def plain_name(column: str, place: int) -> str:
    """A field's name made of a column's."""
    plain = unicodedata.normalize("NFKD", column).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_").lower()[:NAME_LENGTH].rstrip("_")
    if not name[:1].isalpha() or name == "person":
        name = f"field_{place}" if not name else f"field_{name}"[:NAME_LENGTH]
    return name


def _top(facts: FileFacts, columns: Sequence[ColumnSummary]) -> str:
    count = f"{len(columns)} columns"
    lines = [
        f"# Drafted by manage.py profile from a file of {facts.rows} rows and {count}.",
        "# Read every line. Lines marked UNSURE are questions: settle each, then remove the mark.",
        "# No value is shown that stands in fewer than 11 rows, names somebody or is free text.",
        "",
        f"format = {quoted(facts.format)}",
    ]
    if facts.format is FileFormat.CSV:
        lines += [f"encoding = {quoted(facts.encoding)}", f"delimiter = {quoted(facts.delimiter)}"]
    lines += _unsure(facts.unsure)
    if facts.refused:
        share = min(MOST_SHARE, max(DEFAULT_SHARE, 1.2 * facts.refused / max(1, facts.rows)))
        lines += _unsure(
            [
                "Some rows cannot be read at all. Correct them in the file, or allow for them with "
                f"reject_share = {share:.2f} at most."
            ]
        )
    lines.append(
        f"reject_share = {DEFAULT_SHARE}  # above this share of bad rows nothing is loaded"
    )
    return "\n".join([*lines, "", *(["[sheet]", *facts.sheet, ""] if facts.sheet else [])])


def _people(columns: Sequence[ColumnSummary]) -> list[ColumnSummary]:
    """The column that says whose row it is, then those that name further people."""
    scored = [(numbers_people(column), column) for column in columns]
    first = max(scored, key=lambda each: (each[0], -each[1].place), default=(0.0, None))
    if not first[0] or first[1] is None:
        return []
    base = words_of(first[1].name)
    others = [
        column
        for column in columns
        if column is not first[1]
        and base <= words_of(column.name)
        and words_of(column.name) & {"other", "second", "further", "related", "linked", "2"}
    ]
    return [first[1], *others]


def _person(people: Sequence[ColumnSummary], columns: Sequence[ColumnSummary]) -> str:
    lines = ["[person]"]
    if not people:
        lines += _unsure(
            [
                "No column looks like client numbers, so each row is taken for a person of its own "
                "(and known again only by its place in the file). If a column holds client "
                'numbers, write columns = ["…"] instead and remove its field.'
            ]
        )
        return "\n".join([*lines, "row_number = true", ""])
    first = people[0]
    lines.append(f"columns = [{', '.join(quoted(column.name) for column in people)}]")
    rivals = [each for each in columns if each not in people and numbers_people(each)]
    questions = [f"The column {quoted(each.name)} may hold client numbers too." for each in rivals]
    if first.distinct > 0.98 * first.filled > 0:
        questions.append(
            "Nearly every row has a number of its own here: make sure that it is the person's "
            "number, not the row's or the case's."
        )
    if len(people) > 1:
        questions.append("The columns after the first are taken for further people in the row.")
    return "\n".join([*lines, *_unsure(questions), ""])


def _record_day(
    columns: Sequence[ColumnSummary],
    guesses: dict[int, TypeGuess],
    people: Sequence[ColumnSummary],
) -> ColumnSummary | None:
    """The column with the day of the record: full in every row, and named so if any is."""
    days = [
        column
        for column in columns
        if guesses[column.place].type is FieldType.DATE
        and column not in people
        and column.filled >= 0.99 * column.rows
        and not words_of(column.name) & {"birthdate", "birth"}
    ]
    named = [column for column in days if words_of(column.name) & RECORD_WORDS]
    return next(iter(named or days), None)


def _record(day: ColumnSummary | None, guesses: dict[int, TypeGuess]) -> str:
    if day is None:
        question = (
            "No column is a day in every row. Write the day up to which the rows were recorded "
            "(a yes covers what was recorded up to its day)."
        )
        return "\n".join(["[record]", *_unsure([question]), "fixed = 2025-01-01", ""])
    lines = ["[record]", f"date = {quoted(day.name)}"]
    named = words_of(day.name) & RECORD_WORDS
    questions = [] if named else ["Is this the day on which the row was recorded?"]
    questions += guesses[day.place].unsure
    return "\n".join([*lines, *_form(guesses[day.place]), *_unsure(questions), ""])


def _form(guess: TypeGuess) -> list[str]:
    if guess.day_formats in {(), (ISO_DAY,)}:
        return []
    # Where it may be two things, neither is written: the mapping cannot be used until it is said.
    return [f"date_format = {quoted(' or '.join(guess.day_formats))}"]


def _standard_fields(
    columns: Sequence[ColumnSummary],
    guesses: dict[int, TypeGuess],
    standard: Collection[StandardShape],
    taken: Sequence[ColumnSummary | None],
) -> dict[int, tuple[StandardShape, str]]:
    """Each column's likeliest field of the standard; each field goes to one column only."""
    offers = [
        (score, column.place, shape, reason)
        for column in columns
        if column not in taken
        for score, shape, reason in likely_fields(column, guesses[column.place].type, standard)
    ]
    given: dict[int, tuple[StandardShape, str]] = {}
    used: set[str] = set()
    for _score, place, shape, reason in sorted(offers, key=lambda each: (-each[0], each[1])):
        if place not in given and shape.name not in used:
            given[place] = (shape, reason)
            used.add(shape.name)
    return given


def _name(fields: Iterable[_Field]) -> None:
    """Give each field a name of its own; capitals do not tell names apart."""
    taken: set[str] = set()
    for each in fields:
        standard = each.meaning.standard
        wanted = standard.name if standard else plain_name(each.column.name, each.column.place)
        name, number = wanted, 2
        while name.lower() in taken:
            name = f"{wanted[: NAME_LENGTH - 5]}_{number}"
            number += 1
        taken.add(name.lower())
        each.name = name


def _field(found: _Field) -> str:
    column, guess, what = found.column, found.guess, found.meaning
    kind = guess.type
    questions = list(guess.unsure)
    lines: list[str] = []
    if what.standard is not None:
        questions.append(
            f"Taken for {what.standard.name} of the case-data standard, by {what.reason}. If it is "
            "something else, give it another name, a category and a sensitivity."
        )
        lines.append("catalogue = true")
    else:
        questions.append(f"Category and sensitivity are guesses ({what.reason}).")
        lines += [
            f"category = {quoted(what.category)}",
            f"sensitivity = {quoted(what.sensitivity)}",
        ]
        if what.narrative:
            kind = FieldType.TEXT
            lines.append("narrative = true  # free text: it never leaves in a dataset release")
    if kind in OPEN_LISTS:
        kind, extra, asked = _codes(column, guess, what)
        lines += extra
        questions += asked
    lines += _form(guess) if kind is FieldType.DATE else []
    if kind is FieldType.INTEGER and guess.minimum is not None:
        lines.append(f"minimum = {guess.minimum}")
        lines += [f"maximum = {guess.maximum}"] if guess.maximum is not None else []
        questions.append("The limits are round numbers beyond all cells. Write the true ones.")
    head = [
        "[[field]]",
        f"column = {quoted(column.name)}",
        f"name = {quoted(found.name)}",
        f"type = {quoted(kind)}",
    ]
    empty = column.rows - column.filled
    note = (
        [f"# {empty * 100 // column.rows} % of its cells are empty."]
        if empty * 10 > column.rows
        else []
    )
    return "\n".join([*head, *lines, *note, *_unsure(questions), ""])


def _codes(
    column: ColumnSummary, guess: TypeGuess, what: Meaning
) -> tuple[FieldType, list[str], list[str]]:
    """The type, the list of codes where it may be shown, and what is to be asked about it."""
    listed = what.standard.codes if what.standard else ()
    words = column.parts if guess.type is FieldType.CODES else column.values
    if listed and words is not None and set(words) <= set(listed):
        return guess.type, [], []
    if what.narrative or not (_is_list(what) or all(map(CODE.match, words or ()))):
        return (
            FieldType.TEXT,
            [],
            [
                f"It holds {column.distinct} different words, which are not shown here because "
                'they may be names. If they are codes, write type = "code" and codes = ["…"].'
            ],
        )
    asked = []
    if guess.rare_codes:
        asked.append(
            f"{guess.rare_codes} further words stand in fewer than 11 rows each and are not shown: "
            "add those that are codes; rows with the others are refused."
        )
    codes = ", ".join(quoted(code) for code in guess.codes)
    return guess.type, [f"codes = [{codes}]"], asked


def _is_list(what: Meaning) -> bool:
    """Whether the standard has a list of words in this place; a town or a name is no such word."""
    return what.standard is not None and what.standard.type in {"picklist", "multipicklist"}


def _ignore(found: Sequence[_Field]) -> str:
    if not found:
        return ""
    reasons = [
        f"{quoted(each.column.name)} looks like something that names or reaches a person "
        f"({each.meaning.reason or 'the standard says so'}), so it is left out. Make a field of it "
        "only if it has to be released."
        for each in found
    ]
    names = ", ".join(quoted(each.column.name) for each in found)
    return "\n".join(["[ignore]", f"columns = [{names}]", *_unsure(reasons), ""])


def _unsure(questions: Iterable[str]) -> list[str]:
    """Each question as comment lines; what a column is called may hold line ends."""
    lines = []
    for question in questions:
        words = question.split()
        line = UNSURE
        for word in words:
            if len(line) + len(word) >= WRAP:
                lines.append(line)
                line = "#   "
            line = f"{line} {word}" if line.strip() else f"{line}{word}"
        lines.append(line)
    return lines
