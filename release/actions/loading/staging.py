"""Checked rows on their way into parts: gathered by person, sealed wherever they leave memory.

Rows of one person always fall into the same bucket: the bucket hangs on the digest of her number.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pyrage import x25519

from common.errors import BadInput
from release.actions.loading.limits import Limits
from release.storage import Store, seal, unseal

DIGEST = 32
PERSON = "_person"
RECORDED = "_recorded"


def person_columns(people: int) -> list[str]:
    """How staged rows name the digests of the people in them: whose row it is, then the others."""
    return [PERSON, *(f"{PERSON}{number}" for number in range(2, people + 1))]


class Staging:
    """The rows of one load; `folder` is theirs alone in the store."""

    def __init__(
        self,
        *,
        store: Store,
        folder: str,
        identity: x25519.Identity,
        limits: Limits,
        expected_bytes: int,
    ) -> None:
        self._store = store
        self._folder = folder
        self._identity = identity
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
            places = _places(table.column(PERSON), self._buckets)
            order = np.argsort(places, kind="stable")
            borders = np.searchsorted(places[order], np.arange(self._buckets + 1))
            gathered = table.take(pa.array(order))
            for bucket in np.flatnonzero(np.diff(borders)).tolist():
                start, stop = borders[bucket], borders[bucket + 1]
                self._keep(bucket, gathered.slice(start, stop - start))
        self._waiting_bytes += table.nbytes
        if self._waiting_bytes > self._limits.staging_bytes:
            self._flush()

    def buckets(self) -> Iterator[pa.Table]:
        """Each bucket's rows in the order of the file; a bucket is forgotten once it was given."""
        for bucket in range(self._buckets):
            chunks = [self._open(name) for name in self._names[bucket]] + self._waiting[bucket]
            self._waiting[bucket] = []
            if chunks:
                yield pa.concat_tables(chunks).combine_chunks()
            for name in self._names[bucket]:
                self._store.delete(name)

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
        for bucket, tables in enumerate(self._waiting):
            if not tables:
                continue
            name = f"{self._folder}/{bucket:04d}-{len(self._names[bucket]):06d}.age"
            data = _packed(pa.concat_tables(tables))
            # After a crash it is of no use to anybody, so it need not last.
            self._store.put(name, seal(data, [self._identity.to_public()]), lasting=False)
            self._names[bucket].append(name)
            self._waiting[bucket] = []
        self._waiting_bytes = 0

    def _open(self, name: str) -> pa.Table:
        data = unseal(self._store.open(name), self._identity)
        with pa.ipc.open_stream(data) as reader:
            return reader.read_all()


def _places(people: pa.ChunkedArray, buckets: int) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """The bucket of each row, from the first bytes of a keyed digest: evenly, and telling nothing."""
    array = people.combine_chunks() if isinstance(people, pa.ChunkedArray) else people
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    data = np.frombuffer(array.buffers()[1], dtype=np.uint8)
    rows = data.reshape(-1, DIGEST)[array.offset : array.offset + len(array)]
    first: np.ndarray[tuple[int], np.dtype[np.uint32]] = (
        np.ascontiguousarray(rows[:, :4]).view(np.uint32).ravel() % buckets
    )
    return first


def _packed(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data
