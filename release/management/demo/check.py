"""An independent check: what must leave, worked out in plain Python from the file and the tables.

It uses none of the rules, queries or plans that made the package: it reads the input with the csv
module and the consent tables row by row, and compares row by row and cell by cell.
"""

import csv
import gzip
import hmac
import io
import json
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pyrage
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from consent.models import CategorySetItem, Consent, Objection, SubjectKey
from governance.models import CategoryField
from release.models import Release

Cell = str | int | float | bool | date | None
Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Package:
    """What a recipient has in hand after opening a downloaded package with its own key."""

    columns: tuple[str, ...]
    rows: list[Row]
    manifest: Mapping[str, Any]
    digests_match: bool


@dataclass(frozen=True)
class Verdict:
    """How the package compares with what had to leave.

    `columns_match`: it has the approved columns, all of them and no other. `naming`: in how many
    expected rows each person is named; `own`: how many are her own.
    """

    expected_rows: int
    rows: int
    columns_match: bool
    missing: int
    unexpected: int
    naming: Mapping[int, int]
    own: Mapping[int, int]

    @property
    def holds(self) -> bool:
        return (
            self.columns_match
            and not self.missing
            and not self.unexpected
            and self.expected_rows == self.rows
        )


def opened(zipped: bytes, identity: Any) -> Package:
    """Open a downloaded zip with the recipient's own age key, as the recipient would."""
    columns: tuple[str, ...] = ()
    rows: list[Row] = []
    matches = True
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        manifest = json.loads(archive.read("manifest.json"))["manifest"]
        digests = {part["number"]: part["sha256"] for part in manifest["parts"]}
        for name in sorted(each for each in archive.namelist() if each.startswith("parts/")):
            sealed = archive.read(name)
            number = int(name.rsplit("-part-", 1)[1].split(".")[0])
            matches = matches and sha256(sealed).hexdigest() == digests.pop(number, None)
            clear = pyrage.decrypt(sealed, [identity])
            table = pq.read_table(io.BytesIO(clear))
            columns = tuple(table.column_names)
            rows.extend(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return Package(columns, rows, manifest, matches and not digests)


def plan_of(mapping: bytes, dataset: str) -> dict[str, Any]:
    """The mapping file as plain data; `dataset` is the reference that row numbers belong to."""
    return {**tomllib.loads(mapping.decode()), "_dataset": dataset}


def lines_of_report(report: str) -> set[int]:
    """The lines of the input that were refused at loading."""
    return {
        int(row["line"]) for row in csv.DictReader(io.StringIO(report)) if row["line"].isdigit()
    }


def compare(
    *,
    release: Release,
    package: Package,
    file: Path,
    plan: Mapping[str, Any],
    rejected: set[int],
    root: bytes,
) -> Verdict:
    """Work out what had to leave at the release's instant and compare it with what left.

    `root` is the holder's root key; `rejected` are the file's lines that were refused at loading.
    """
    entries = {entry["name"]: entry for entry in plan["field"]}
    holding = _holding(release)
    approved = [name for name in entries if name in holding]
    # In the package's order, so that rows can be compared; what it lacks comes after.
    asked = list(dict.fromkeys([*(n for n in package.columns if n in approved), *approved]))
    words = _words(release)
    slot_of = _slots(release, root)
    expected: Counter[Row] = Counter()
    naming: Counter[int] = Counter()
    own: Counter[int] = Counter()
    keys: dict[int, str] = {}
    for line, cells, numbers, day in read_rows(file, plan):
        if line in rejected:
            continue
        people = [slot_of(number) for number in numbers]
        columns = set(asked)
        for slot in people:
            versions, until = words.get(slot, (set(), date.min))
            # A column is open only where each person's yes holds it, in whatever version.
            columns &= {name for name in asked if day <= until and versions & holding[name]}
        if not columns:
            continue
        first = people[0]
        if first not in keys:
            keys[first] = person_key(release, root, first)
        cells_out = (
            _typed(cells[entries[name]["column"]], entries[name]) if name in columns else None
            for name in asked
        )
        expected[(keys[first], *cells_out)] += 1
        naming.update(set(people))
        own[first] += 1
    got = Counter(package.rows)
    return Verdict(
        expected_rows=expected.total(),
        rows=got.total(),
        columns_match=package.columns == ("person", *asked),
        missing=(expected - got).total(),
        unexpected=(got - expected).total(),
        naming=naming,
        own=own,
    )


def _holding(release: Release) -> dict[str, set[int]]:
    """Column → the versions of its category that hold it."""
    categories = {
        row.field.name: row.field.category_id
        for row in release.request.fields.select_related("field")
    }
    found: dict[str, set[int]] = {name: set() for name in categories}
    for name, version, category in CategoryField.objects.values_list(
        "name", "version_id", "version__category_id"
    ):
        if categories.get(name) == category:
            found[name].add(version)
    return found


def _words(release: Release) -> dict[int, tuple[set[int], date]]:
    """Slot → the category versions open to this release when it was answered, and the record day."""
    at = release.answered_at
    assert at is not None  # noqa: S101 - only prepared releases are checked
    sets: dict[int, set[int]] = {}
    for set_id, version in CategorySetItem.objects.values_list("set_id", "version_id"):
        sets.setdefault(set_id, set()).add(version)
    category_of = {
        version: category
        for category, version in CategoryField.objects.values_list(
            "version__category_id", "version_id"
        )
    }
    words = {
        yes.subject_id: (set(sets[yes.category_set_id]), yes.record_until)
        for yes in Consent.objects.filter(
            holder_id=release.holder_id, recipient_id=release.recipient_id
        ).iterator()
        if _stood(yes, release, at)
    }
    for no in Objection.objects.select_related("recipient"):
        if no.subject_id in words and _spoke(no, release, at):
            own = words[no.subject_id][0]
            own -= {v for v in own if no.category_id in (None, category_of.get(v))}
    return words


def _stood(yes: Consent, release: Release, at: datetime) -> bool:
    """Whether a yes was in force for this release at the instant of its answer."""
    paused = (
        yes.paused_at is not None
        and yes.paused_at <= at
        and (yes.paused_until is None or yes.paused_until > at)
    )
    ended = yes.ended_at is not None and yes.ended_at <= at
    return (
        yes.purpose_id == release.purpose_id
        and yes.starts <= at < yes.ends
        and yes.recorded_at <= at
        and not ended
        and not paused
    )


def _spoke(no: Objection, release: Release, at: datetime) -> bool:
    """Whether a no stood against this release at the instant of its answer."""
    lifted = no.lifted_at is not None and no.lifted_at <= at
    return (
        no.made_at <= at
        and not lifted
        and no.recipient_id in (None, release.recipient_id)
        and no.recipient_kind in ("", release.recipient.kind)
        and no.purpose_id in (None, release.purpose_id)
    )


def _slots(release: Release, root: bytes) -> Any:
    known = {
        bytes(digest): slot
        for digest, slot in SubjectKey.objects.filter(holder_id=release.holder_id).values_list(
            "digest", "subject_id"
        )
    }
    key = _hkdf(root, b"client-number")
    return lambda number: known.get(hmac.digest(key, number.encode(), "sha256"))


def person_key(release: Release, root: bytes, slot: int) -> str:
    """How one person is called in the packages of one agreement."""
    key = _hkdf(root, f"person-key:{release.request.agreement.ref}".encode())
    encryptor = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()  # noqa: S305 - one block
    return encryptor.update(slot.to_bytes(16, "big")).hex()


def _hkdf(root: bytes, label: bytes) -> bytes:
    """HKDF-SHA-256 for one 32-byte block, written out (RFC 5869, no salt)."""
    extracted = hmac.digest(bytes(32), root, "sha256")
    return hmac.digest(extracted, label + b"\x01", "sha256")


def read_rows(
    file: Path, plan: Mapping[str, Any]
) -> Iterator[tuple[int, Mapping[str, str], list[str], date]]:
    """Line number, cells by column, client numbers, record date: as the file says."""
    dataset = plan.get("_dataset", "")
    person, record = plan["person"], plan["record"]
    with _text(file, plan) as lines:
        reader = csv.reader(lines, delimiter=plan.get("delimiter", ","))
        header = next(reader)
        for count, row in enumerate(reader, start=1):
            cells = dict(zip(header, row, strict=True))
            numbers = (
                [f"row:{dataset}:{count}"]
                if person.get("row_number")
                else [cells[c].strip() for c in person["columns"] if cells[c].strip()]
            )
            day = (
                record["fixed"] if "fixed" in record else date.fromisoformat(cells[record["date"]])
            )
            yield reader.line_num, cells, numbers, day


def _text(file: Path, plan: Mapping[str, Any]) -> Any:
    raw = file.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    encoding = plan.get("encoding", "utf-8")
    return io.StringIO(raw.decode("utf-8-sig" if encoding == "utf-8" else encoding), newline="")


def _typed(text: str, entry: Mapping[str, Any]) -> Cell:
    """One cell as its declared type; the empty cell is 'not recorded'."""
    if text == "":
        return None
    kind = entry["type"]
    if kind == "integer":
        return int(text)
    if kind == "decimal":
        return float(text)
    if kind == "date":
        return date.fromisoformat(text)
    if kind == "boolean":
        return text.strip().lower() in {"true", "1", "yes"}
    return text
