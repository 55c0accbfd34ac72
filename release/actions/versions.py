"""A file becomes a version of a dataset: sealed parts, and the facts that say who is in them."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.db import transaction

from audit.tlog.canonical import canonical_bytes
from audit.vocabulary import Decision, EntryType, Via
from common import ids
from common.errors import BadInput, NotReady, RuleBroken
from common.inputs import taking
from common.keyring import KeyRing
from consent.actions import subjects
from consent.queries import keys
from governance import permissions
from governance.actions import catalogue as fields
from governance.actions import trail
from governance.models import Dataset, User
from governance.queries import catalogue
from governance.rules import FieldSpec, clashes
from governance.vocabulary import DatasetState
from release import storage
from release.actions.loading import formats
from release.actions.loading.ahead import ahead, frugal
from release.actions.loading.checking import Checker
from release.actions.loading.limits import LIMITS, Limits
from release.actions.loading.rejects import Rejects, TooManyBadRows
from release.actions.loading.sources import Given, opened
from release.actions.loading.staging import Staging
from release.actions.loading.writing import PartWriter
from release.models import DatasetVersion, Presence, StoredPart, VersionColumn
from release.queries import versions
from release.rules import mapping as mappings
from release.rules.mapping import LoadMapping

ENROL_AT_ONCE = 10_000
STAGING = "staging"
STAGING_LIFE = timedelta(days=1)
STAMP = "%Y%m%d%H%M%S"

Progress = Callable[[str, int, int], None]
READING, WRITING = "reading", "writing"


@dataclass(frozen=True)
class Loading:
    """How a load ended: the version, whether it is new, and where the report of refused rows is."""

    version: DatasetVersion
    new: bool
    report: str  # a name in the store; empty where no row was refused


def quiet(_phase: str, _done: int, _of: int) -> None:
    """Tells nobody how far the load is."""


@taking()
def ingest(
    *,
    dataset: Dataset,
    file: Path,
    mapping: bytes,
    by: User,
    at: datetime,
    via: Via,
    progress: Progress = quiet,
    limits: Limits = LIMITS,
) -> Loading:
    """Load a file into a dataset as its next version, whole or not at all.

    `mapping` is the text of the mapping file. The same file under the same mapping again changes
    nothing. Raises NotPermitted unless `by` is a steward of the holder; RuleBroken where the
    mapping contradicts the dataset's fields or the dataset is retired; BadInput where the file or
    the mapping cannot be read, or too many rows are bad. Every refusal of a load is in the log.
    """
    return _ingested(file, mapping, dataset, by, at, via, progress, limits)


def ingest_sent(
    *,
    dataset: Dataset,
    sent: Given,
    mapping: bytes,
    by: User,
    at: datetime,
    via: Via,
    progress: Progress = quiet,
) -> Loading:
    """The same for a file that came through a door and was digested on its way in."""
    return _ingested(sent, mapping, dataset, by, at, via, progress, LIMITS)


def _ingested(
    file: Path | Given,
    mapping: bytes,
    dataset: Dataset,
    by: User,
    at: datetime,
    via: Via,
    progress: Progress,
    limits: Limits,
) -> Loading:
    permissions.check_can_steward(by, dataset.holder)
    load = _Load(dataset=dataset, by=by, at=at, via=via, progress=progress, limits=limits)
    try:
        return load.run(file, mapping)
    except (BadInput, RuleBroken) as refusal:
        with transaction.atomic():
            trail.record(
                type=EntryType.DATASET_REJECTED,
                by=by,
                at=at,
                via=via,
                resource=dataset.ref,
                decision=Decision.REFUSED,
                reason=refusal.code,
            )
        raise
    finally:
        load.clean()


def sweep_staging(*, at: datetime) -> int:
    """Remove what loads that never ended left behind more than a day ago; returns how many.

    All of it is sealed. Parts of a version that was recorded after all are kept.
    """
    store = storage.store()
    oldest = (at - STAGING_LIFE).astimezone(UTC)
    attempts = {name.split("/")[1] for name in store.names(STAGING)}
    old = sorted(name for name in attempts if name[:14] < oldest.strftime(STAMP))
    for attempt in old:
        marker = f"{STAGING}/{attempt}/version"
        if store.exists(marker):
            folder = store.open(marker).decode()
            if not versions.is_loaded(folder.rsplit("/", 1)[-1]):
                _remove(store, folder)
        _remove(store, f"{STAGING}/{attempt}")
    return len(old) + store.clear_drafts(oldest.timestamp())


class _Load:
    """One attempt, from the opened file to the recorded version."""

    def __init__(
        self,
        *,
        dataset: Dataset,
        by: User,
        at: datetime,
        via: Via,
        progress: Progress,
        limits: Limits,
    ) -> None:
        self.dataset, self.by, self.at, self.via = dataset, by, at, via
        self.progress, self.limits = progress, limits
        self.store = storage.store()
        self.ref = ids.version_reference()
        stamp = at.astimezone(UTC).strftime(STAMP)
        self.staging_folder = f"{STAGING}/{stamp}-{secrets.token_hex(6)}"
        self.parts_folder = f"parts/{dataset.ref}/{self.ref}"
        self.rejects = Rejects(limits.report_lines)
        self.seen = 0
        self.begun = False
        self.committing = False
        self.loaded = False

    def run(self, file: Path | Given, mapping_text: bytes) -> Loading:
        mapping = mappings.parse(mapping_text, standard=versions.standard_facts())
        specs = self._check_fields(mapping)
        with opened(file) as given:
            before = versions.same_load(
                self.dataset, source_sha256=given.sha256, mapping_sha256=mapping.sha256
            )
            if before is not None:
                return Loading(before, new=False, report="")
            self._begin()
            with frugal(), ExitStack() as ending:
                staging = self._read(given, mapping, ending)
                report = self._report()
                self._check_share(mapping, report)
                writer = self._write(staging, mapping, ending)
            version, new = self._commit(given, mapping, specs, writer)
        return Loading(version, new=new, report=report)

    def clean(self) -> None:
        """Whatever happened, staging goes; so do parts, unless a version refers to them."""
        if not self.begun or self.committing:
            return  # broken off within COMMIT: the sweep will see whether the version is there
        if not self.loaded:
            _remove(self.store, self.parts_folder)
        _remove(self.store, self.staging_folder)

    def _check_fields(self, mapping: LoadMapping) -> list[FieldSpec]:
        if self.dataset.state == DatasetState.RETIRED:
            raise RuleBroken("dataset_retired", "This dataset is retired: nothing is loaded.")
        specs = [
            FieldSpec(rule.name, rule.type, rule.category, rule.sensitivity, rule.narrative)
            for rule in mapping.fields
        ]
        wrong = clashes(specs, catalogue.specs(self.dataset))
        if wrong:
            raise RuleBroken("field_contradiction", "\n".join(wrong))
        known = set(catalogue.categories().values_list("code", flat=True))
        missing = sorted({spec.category for spec in specs} - known)
        if missing:
            raise BadInput("category_unknown", f"There is no data category {', '.join(missing)}.")
        return specs

    def _begin(self) -> None:
        """From here on something may lie in the store; the marker says what a sweep may remove."""
        self.begun = True
        self.store.put(f"{self.staging_folder}/version", self.parts_folder.encode())

    def _identity(self) -> KeyRing:
        return KeyRing(settings.SAYSO_KEYS, may_create=settings.DEMO)

    def _read(self, given: Given, mapping: LoadMapping, ending: ExitStack) -> Staging:
        self.key = subjects.digest_key(self.dataset.holder)  # not there: nothing is read
        source = formats.source(given, mapping, self.limits)
        checker = Checker(mapping)
        staging = Staging(
            store=self.store,
            folder=self.staging_folder,
            limits=self.limits,
            expected_bytes=source.expected_bytes(),
        )
        ending.callback(staging.end)
        with ahead(source.batches()) as batches:
            for batch in batches:
                table, faults = checker.check(batch)
                self.seen += batch.seen
                self.rejects.add(faults)
                if table.num_rows:
                    staging.add(table)
                self.progress(READING, batch.read_bytes, given.size)
        given.check_unchanged()
        if self.seen == 0:
            raise BadInput("no_rows", "The file has a header line and no rows. Export it again.")
        return staging

    def _report(self) -> str:
        if not self.rejects.rows:
            return ""
        name = f"reports/{self.ref}.csv"
        self.store.put(name, self.rejects.render())
        return name

    def _check_share(self, mapping: LoadMapping, report: str) -> None:
        bad = self.rejects.rows
        if bad and (bad > mapping.reject_share * self.seen or bad == self.seen):
            raise TooManyBadRows(
                report,
                f"{bad} of {self.seen} rows cannot be read; the mapping allows "
                f"{mapping.reject_share:.1%}. Nothing was loaded. The report is {report} in the "
                "data folder.",
            )

    def _write(self, staging: Staging, mapping: LoadMapping, ending: ExitStack) -> PartWriter:
        holder = self.dataset.holder
        self.sealed_to = self._identity().identity(holder.ref).to_public()
        # A row's number means something within this dataset only.
        scope = "" if mapping.person_columns else f"row:{self.dataset.ref}"
        writer = PartWriter(
            store=self.store,
            folder=self.parts_folder,
            recipient=self.sealed_to,
            people=mapping.people_per_row,
            digests=lambda numbers: keys.client_digests(self.key, numbers, scope),
            enrol=self._enrol,
            limits=self.limits,
        )
        ending.callback(writer.end)
        done, rows = 0, self.seen - self.rejects.rows
        with ahead(map(writer.named, staging.buckets())) as buckets:
            for bucket in buckets:
                writer.write(bucket)
                done += bucket.rows.num_rows
                self.progress(WRITING, done, rows)
        writer.settle()
        return writer

    def _enrol(self, digests: Sequence[bytes]) -> dict[bytes, int]:
        """In stretches, so that nobody's no waits long for a load. A person enrolled by a load
        that fails later is known and has no row anywhere; the next load finds her again."""
        slots: dict[bytes, int] = {}
        for start in range(0, len(digests), ENROL_AT_ONCE):
            slots |= subjects.enrol(
                holder=self.dataset.holder,
                digests=digests[start : start + ENROL_AT_ONCE],
                by=self.by,
                at=self.at,
                via=self.via,
            )
        return slots

    def _commit(
        self, given: Given, mapping: LoadMapping, specs: list[FieldSpec], writer: PartWriter
    ) -> tuple[DatasetVersion, bool]:
        with transaction.atomic(durable=True):
            dataset = Dataset.objects.select_for_update().get(pk=self.dataset.pk)
            newest = self._identity().identity(self.dataset.holder.ref).to_public()
            if str(newest) != str(self.sealed_to):  # these parts would be left behind
                raise NotReady("key_rotated", "The holder's key changed meanwhile. Load again.")
            version = versions.same_load(
                dataset, source_sha256=given.sha256, mapping_sha256=mapping.sha256
            )
            new = version is None
            if version is None:
                version = self._record(dataset, given, mapping, specs, writer)
            self.committing = True
        self.committing = False
        self.loaded = new
        return version, new

    def _record(
        self,
        dataset: Dataset,
        given: Given,
        mapping: LoadMapping,
        specs: list[FieldSpec],
        writer: PartWriter,
    ) -> DatasetVersion:
        known = fields.define_fields(
            dataset=dataset, fields=specs, by=self.by, at=self.at, via=self.via
        )
        rows = sum(part.rows for part in writer.parts)
        details: dict[str, str | int] = {
            "version": self.ref,
            "source": given.sha256,
            "mapping": mapping.sha256,
            "rows": rows,
            "parts": sha256("".join(part.sha256 for part in writer.parts).encode()).hexdigest(),
        }
        entry = trail.record(
            type=EntryType.DATASET_INGESTED,
            by=self.by,
            at=self.at,
            via=self.via,
            resource=f"{dataset.ref}/{self.ref}",
            subjects=writer.presence.people(),
            detail_commit=sha256(canonical_bytes(details)).hexdigest(),
        )
        version = DatasetVersion.objects.create(
            ref=self.ref,
            dataset=dataset,
            number=versions.last_number(dataset) + 1,
            source_sha256=given.sha256,
            mapping_sha256=mapping.sha256,
            rows=rows,
            rejected=self.rejects.rows,
            people=writer.presence.people(),
            people_per_row=mapping.people_per_row,
            loaded_by=self.by,
            loaded_at=self.at,
            entry=entry,
        )
        loaded = {spec.name for spec in specs}
        VersionColumn.objects.bulk_create(
            VersionColumn(version=version, field=field) for field in known if field.name in loaded
        )
        StoredPart.objects.bulk_create(
            StoredPart(
                version=version,
                number=part.number,
                name=part.name,
                rows=part.rows,
                size=part.size,
                sha256=part.sha256,
            )
            for part in writer.parts
        )
        Presence.objects.bulk_create(
            (
                Presence(version=version, block=block, bits=bits)
                for block, bits in writer.presence.chunks()
            ),
            batch_size=500,
        )
        return version


def _remove(store: storage.Store, folder: str) -> None:
    for name in list(store.names(folder)):
        store.delete(name)
