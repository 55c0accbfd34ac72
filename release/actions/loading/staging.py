"""Checked rows on their way into parts: gathered by person, sealed wherever they leave memory.

Rows of one person always fall into the same bucket: the bucket hangs on her number. What seals them
is a key of this one load that stands in memory only: what a crash leaves behind opens for nobody.
"""

import secrets
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from common.errors import BadInput, NotReady
from common.words import sentence as _
from consent.vocabulary import LONGEST_NUMBER
from release.actions.loading.ahead import Behind
from release.actions.loading.limits import Limits
from release.rules.columns import as_arrow
from release.storage import Store

NONCE = 12
WEIGHTS = 4 * LONGEST_NUMBER  # one for each byte of the longest number
Hashes = npt.NDArray[np.uint64]
PERSON = "_person"
RECORDED = "_recorded"


def person_columns(people: int) -> list[str]:
    """How staged rows name the numbers of the people in them: whose row it is, then the others."""
    return [PERSON, *(f"{PERSON}{number}" for number in range(2, people + 1))]


class Staging:
    """The rows of one load; `folder` is theirs alone in the store. Whoever made it ends it."""

    def __init__(
        self,
        *,
        store: Store,
        folder: str,
        limits: Limits,
        expected_bytes: int,
    ) -> None:
        self._store = store
        self._folder = folder
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._writing = Behind("stage")
        self._weights = np.frombuffer(secrets.token_bytes(8 * WEIGHTS), np.uint64) | np.uint64(1)
        self._limits = limits
        self._buckets = min(limits.buckets, 1 + expected_bytes // limits.bucket_bytes)
        self._waiting: list[list[pa.Table]] = [[] for _ in range(self._buckets)]
        self._waiting_bytes = 0
        self._names: list[list[str]] = [[] for _ in range(self._buckets)]
        self._bytes = [0] * self._buckets

    def add(self, table: pa.Table) -> None:
        """Take some checked rows. Raises BadInput where one bucket grows beyond memory."""
        if self._buckets == 1:
            self._keep(0, table)
        else:
            places = spread(table.column(PERSON), self._weights) % self._buckets
            order = np.argsort(places, kind="stable")
            borders = np.searchsorted(places[order], np.arange(self._buckets + 1))
            gathered = table.take(as_arrow(order))
            for bucket in np.flatnonzero(np.diff(borders)).tolist():
                start, stop = borders[bucket], borders[bucket + 1]
                self._keep(bucket, gathered.slice(start, stop - start))
        self._waiting_bytes += table.nbytes
        if self._waiting_bytes > self._limits.staging_bytes:
            self._flush()

    def buckets(self) -> Iterator[pa.Table]:
        """Each bucket's rows in the order of the file; a bucket is forgotten once it was given."""
        self._writing.settle()
        for bucket in range(self._buckets):
            chunks = [self._open(name) for name in self._names[bucket]] + self._waiting[bucket]
            self._waiting[bucket] = []
            if chunks:
                yield pa.concat_tables(chunks)
            for name in self._names[bucket]:
                self._store.delete(name)

    def end(self) -> None:
        """Nothing is written any more."""
        self._writing.end()

    def _keep(self, bucket: int, table: pa.Table) -> None:
        self._waiting[bucket].append(table)
        self._bytes[bucket] += table.nbytes
        if self._bytes[bucket] > self._limits.bucket_most_bytes:
            raise BadInput(
                "one_person",
                "Very many rows name the same few people. Look at the person column of the "
                "mapping; if it is right, divide the file.",
            )

    def _flush(self) -> None:
        full, self._waiting = self._waiting, [[] for _ in range(self._buckets)]
        self._waiting_bytes = 0
        self._writing.do(self._seal, full)

    def _seal(self, full: list[list[pa.Table]]) -> None:
        for bucket, tables in enumerate(full):
            if not tables:
                continue
            name = f"{self._folder}/{bucket:04d}-{len(self._names[bucket]):06d}.sealed"
            nonce = secrets.token_bytes(NONCE)
            data = self._cipher.encrypt(nonce, _packed(pa.concat_tables(tables)), name.encode())
            # After a crash it is of no use to anybody, so it need not last.
            self._store.put(name, nonce + data, lasting=False)
            self._names[bucket].append(name)
            tables.clear()

    def _open(self, name: str) -> pa.Table:
        sealed = self._store.open(name)
        try:
            data = self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], name.encode())
        except InvalidTag as error:
            raise NotReady("not_opened", _("A sealed part does not open with its key.")) from error
        with pa.ipc.open_stream(data) as reader:
            return reader.read_all()


def spread(numbers: pa.ChunkedArray, weights: Hashes) -> Hashes:
    """For each number what chooses its bucket: the same for the same number, and evenly.

    A sum of its bytes, each times the weight of its place; the weights are one load's own.
    """
    array = numbers.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    _valid, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    signs = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    starts = (ends - ends[0]).astype(np.int64)
    place = np.arange(len(signs)) - np.repeat(starts[:-1], np.diff(starts))
    # No number is empty, so each has a stretch of its own.
    sums: Hashes = np.add.reduceat((signs + np.uint64(1)) * weights[place], starts[:-1])
    return sums >> np.uint64(32)


def _packed(table: pa.Table) -> memoryview:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return memoryview(sink.getvalue()).cast("B")
