"""What a column may mean: a field of the standard, a category, how sensitive it is; with reasons."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from governance.vocabulary import FieldSensitivity, FieldType
from release.rules.profiles import IDENTIFIERS, NEARLY_ALL, ColumnSummary

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
SPELLINGS: Mapping[str, str] = {
    **dict.fromkeys(("sex", "sexo", "genero"), "gender"),
    **dict.fromkeys(("dob", "birthday", "nacimiento"), "birthdate"),
    **dict.fromkeys(("nationality", "nationalities", "nacionalidad", "citizen"), "citizenship"),
    **dict.fromkeys(("lang", "idioma"), "language"),
    **dict.fromkeys(("zip", "postcode"), "postal"),
    **dict.fromkeys(("kids", "child", "hijos"), "children"),
    **dict.fromkeys(("civil", "marriage"), "marital"),
    **dict.fromkeys(("labor",), "labour"),
    **dict.fromkeys(("organization", "organisations", "agency"), "organisation"),
    **dict.fromkeys(("dead", "died", "death"), "deceased"),
    **dict.fromkeys(("exploited", "exploitations"), "exploitation"),
    **dict.fromkeys(("controls", "methods"), "method"),
    **dict.fromkeys(("apps", "websites", "website"), "app"),
    **dict.fromkeys(("school", "schooling"), "education"),
    **dict.fromkeys(("ciudad", "town"), "city"),
    **dict.fromkeys(("province", "estado"), "state"),
    **dict.fromkeys(("pais",), "country"),
    **dict.fromkeys(("phone", "mobile", "cell", "telefono", "tel"), "phone"),
    **dict.fromkeys(("mail", "correo"), "email"),
    **dict.fromkeys(("nombre", "surname", "firstname", "lastname"), "name"),
}
EMPTY_WORDS = frozenset(
    {"of", "the", "to", "and", "when", "type", "number", "primary", "highest", "level", "in", "is"}
)
PERSON_WORDS = frozenset(
    {"client", "person", "individual", "participant", "beneficiary", "survivor", "victim"}
    | {"patient", "pseudonym", "subject", "uid", "cliente", "persona"}
)
NUMBER_WORDS = frozenset({"number", "no", "num", "id", "ref", "reference", "code", "key", "nr"})
NUMBER_WORDS |= {"identifier", "numero", "pseudonym", "uid"}
RECORD_WORDS = frozenset({"record", "recorded", "entry", "entered", "created", "seen", "interview"})
RECORD_WORDS |= {"contact", "intake", "visit", "service", "registered", "registration"}
# First rule whose words meet those of the column: category, how sensitive, what to say.
RULES: Sequence[tuple[frozenset[str], str, FieldSensitivity]] = (
    (frozenset({"phone", "email", "contact"}), "contact", FieldSensitivity.DIRECT),
    (
        frozenset({"name", "alias", "ssn", "passport", "identity", "licence", "license", "alien"})
        | {"worker", "caseworker", "staff", "officer", "advocate", "interviewer", "owner"}
        | {"birthdate", "birth", "dni", "curp"},
        "who-i-am",
        FieldSensitivity.DIRECT,
    ),
    (
        frozenset({"address", "street", "city", "postal", "county", "state", "latitude"})
        | {"longitude", "lat", "lon", "shelter", "location", "country", "region"},
        "where",
        FieldSensitivity.LOCATION,
    ),
    (
        frozenset({"age", "gender", "woman", "man", "trans", "children", "marital", "language"})
        | {"education", "ethnicity", "race", "family"},
        "about-me",
        FieldSensitivity.QUASI,
    ),
    (
        frozenset({"citizenship", "visa", "immigration", "papers", "permit"}),
        "papers-and-status",
        FieldSensitivity.SENSITIVE,
    ),
    (
        frozenset({"means", "control", "method", "recruiter", "recruitment", "threats", "debt"}),
        "how-it-happened",
        FieldSensitivity.SENSITIVE,
    ),
    (
        frozenset({"exploitation", "exploit", "trafficking", "labour", "abuse", "forced"})
        | {"sexual", "duration", "industry"},
        "what-happened",
        FieldSensitivity.SENSITIVE,
    ),
    (
        frozenset(
            {"support", "health", "service", "visit", "medical", "need", "needs", "diagnosis"}
        ),
        "help-and-support",
        FieldSensitivity.SENSITIVE,
    ),
    (
        frozenset({"case", "referral", "status", "closed", "open", "date", "sent", "record"}),
        "case-steps",
        FieldSensitivity.PROCESS,
    ),
)
STORIES = frozenset({"note", "notes", "comment", "comments", "narrative", "story", "description"})
STORIES |= {"details", "remarks", "notas", "summary", "objectives"}
FITTING: Mapping[str, frozenset[FieldType]] = {
    "text": frozenset({FieldType.TEXT, FieldType.CODE, FieldType.INTEGER}),
    "longtext": frozenset({FieldType.TEXT, FieldType.CODE}),
    "number": frozenset({FieldType.INTEGER, FieldType.DECIMAL}),
    "date": frozenset({FieldType.DATE}),
    "checkbox": frozenset({FieldType.BOOLEAN}),
    "picklist": frozenset({FieldType.CODE, FieldType.TEXT}),
    "multipicklist": frozenset({FieldType.CODES, FieldType.CODE, FieldType.TEXT}),
    "geolocation": frozenset({FieldType.DECIMAL}),
    "lookup": frozenset({FieldType.TEXT, FieldType.CODE}),
}
LIKELY_NAME, LIKELY_VALUES = 0.6, 0.6
MEAN_WORDS = 20  # beyond so many signs with spaces inside, cells tell stories


@dataclass(frozen=True)
class StandardShape:
    """One field of the case-data standard, as far as a guess needs it."""

    name: str
    type: str
    category: str
    sensitivity: FieldSensitivity
    narrative: bool
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Meaning:
    """What a column may be, and why. `standard` is empty where no field of the standard is like it."""

    category: str
    sensitivity: FieldSensitivity
    narrative: bool
    standard: StandardShape | None
    reason: str


def words_of(name: str) -> frozenset[str]:
    """The words of a name, in one spelling each."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    found = (word.lower() for word in WORD.findall(plain))
    return frozenset(SPELLINGS.get(word, word) for word in found)


def likely_fields(
    column: ColumnSummary, kind: FieldType, standard: Collection[StandardShape]
) -> list[tuple[float, StandardShape, str]]:
    """The fields of the standard a column may be, best first, each with its likeness and why."""
    found = []
    words = words_of(column.name)
    for shape in standard:
        if kind not in FITTING.get(shape.type, frozenset()):
            continue
        by_name = _likeness(words, shape)
        by_values = _overlap(column, shape)
        if shape.codes and column.filled and kind is not FieldType.TEXT and by_values < 0.5:
            continue  # a list of words of its own, and these are others
        reason = "its values are those of the standard" if by_values >= by_name else "its name"
        score = max(by_values + by_name / 10, by_name + by_values / 10)
        if by_name >= LIKELY_NAME or by_values >= LIKELY_VALUES:
            found.append((score, shape, reason))
    return sorted(found, key=lambda each: (-each[0], each[1].name))


def meaning(
    column: ColumnSummary, kind: FieldType, standard: StandardShape | None, reason: str
) -> Meaning:
    """Category and sensitivity of a column; what nobody can tell is taken for sensitive."""
    words = words_of(column.name)
    if any(column.share(shape) > 1 - NEARLY_ALL for shape in IDENTIFIERS) and kind not in {
        FieldType.DATE,
        FieldType.INTEGER,
    }:
        return Meaning("contact", FieldSensitivity.DIRECT, False, None, "its cells")
    if standard is not None:
        return Meaning(
            standard.category, standard.sensitivity, standard.narrative, standard, reason
        )
    if words & STORIES or tells_stories(column):
        reason = "its name" if words & STORIES else "its cells are long texts"
        return Meaning("what-happened", FieldSensitivity.SENSITIVE, True, None, reason)
    for known, category, sensitivity in RULES:
        if words & known:
            return Meaning(category, sensitivity, False, None, "its name")
    return Meaning("what-happened", FieldSensitivity.SENSITIVE, False, None, "nothing tells")


def tells_stories(column: ColumnSummary) -> bool:
    """Whether cells are written in sentences rather than taken from a list."""
    return column.longest > MEAN_WORDS and column.spaced > column.filled / 3


def numbers_people(column: ColumnSummary) -> float:
    """How much a column looks like client numbers; 0 where it cannot be one."""
    words = words_of(column.name)
    if column.filled < NEARLY_ALL * column.rows or column.spaced > 0.05 * column.filled:
        return 0.0
    if column.distinct < 2 or any(column.share(shape) > 0.5 for shape in IDENTIFIERS):
        return 0.0
    named = bool(words & PERSON_WORDS) + bool(words & NUMBER_WORDS) * 0.5
    if "name" in words or not words & (PERSON_WORDS | {"id", "uid"}):
        return 0.0
    return named


def _likeness(words: frozenset[str], shape: StandardShape) -> float:
    """How much two names say the same: shared words over all words that say something."""
    theirs = words_of(shape.name.partition("_")[2]) - EMPTY_WORDS
    ours = words - EMPTY_WORDS
    if not theirs or not ours:
        return 0.0
    return len(theirs & ours) / len(theirs | ours)


def _overlap(column: ColumnSummary, shape: StandardShape) -> float:
    """Which share of the filled rows holds words of the field's own list."""
    words = column.parts if column.fits.get("several") else column.values
    if words is None or len(shape.codes) < 3:
        return 0.0
    total = sum(words.values())
    known = set(shape.codes)
    return sum(rows for word, rows in words.items() if word in known) / total if total else 0.0
